"""Quality over the loads: scores, rules, and what was kept apart."""

import math
from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Any, NamedTuple

from fastapi import APIRouter, Query, Request
from starlette.responses import HTMLResponse

from replayhouse.domain.quality.events import CheckResult
from replayhouse.domain.quality.rules import WEIGHTS, Severity
from replayhouse.infra.application.quality_report import NotBegun, QualityReport, sentence
from replayhouse.infra.web.api import quality as api
from replayhouse.infra.web.lending import Lent
from replayhouse.infra.web.pages.layout import page
from replayhouse.infra.web.wanted import Chosen

router = APIRouter()
router.add_api_route("/quality.json", api.loads, response_model=None)
router.add_api_route("/quality/{batch}.json", api.quality, response_model=None)

LOADS, RECORDS = 20, 50
"""So many loads, and records that were kept apart, stand on a page."""

COMPARED = 6
"""So many loads are compared rule by rule."""

PageNumber = Annotated[int, Query(alias="page", ge=1, le=1_000_000, description="Which page, from 1 on")]


@router.get("/quality")
def quality(request: Request, warehouse: Lent, wanted: Chosen, number: PageNumber = 1) -> HTMLResponse:
    """All loads."""
    found = warehouse.quality_of_loads(wanted.at, limit=LOADS, offset=(number - 1) * LOADS)
    compared = found.loads[:COMPARED]
    return page(
        request,
        warehouse,
        wanted,
        "quality.html",
        title="Quality",
        here="/quality",
        found=found,
        compared=compared,
        broken=_broken(compared),
        chart=_chart(found.loads),
        number=number,
        is_last=number * LOADS >= found.number,
    )


@router.get("/quality/{load}")
def load(
    request: Request,
    warehouse: Lent,
    wanted: Chosen,
    load: str,
    rule: str | None = None,
    number: PageNumber = 1,
) -> HTMLResponse:
    """One load: each rule, and the records that were kept apart; as it is now where the moment does not know it yet."""
    is_seen = True
    try:
        report = warehouse.quality_report(load, at=wanted.at)
    except NotBegun:
        is_seen, report = False, warehouse.quality_report(load)
    apart = warehouse.quarantine(report.batch_id, None, rule, "all", RECORDS, (number - 1) * RECORDS, with_texts=False)
    return page(
        request,
        warehouse,
        wanted,
        "quality_load.html",
        title=f"Quality of {report.batch.name}",
        here="/quality",
        report=report,
        is_seen=is_seen,
        checks=sorted(report.batch.checks, key=_gravity),
        apart=apart,
        rule=rule,
        number=number,
        is_last=number * RECORDS >= apart.number,
    )


class RuleOverLoads(NamedTuple):
    """A rule, and how it fared in each of some loads; None where it was not checked."""

    name: str
    sentence: str
    severity: str
    checks: Sequence[CheckResult | None]


def _broken(loads: Sequence[QualityReport]) -> list[RuleOverLoads]:
    """The rules that records of one of the loads broke, the graver first, then those that were broken more."""
    checks = [{check.rule: check for check in load.batch.checks} for load in loads]
    found = {check.rule: check for of_load in checks for check in of_load.values() if check.failed}
    failed = {rule: sum(of_load[rule].failed for of_load in checks if rule in of_load) for rule in found}
    by_weight = sorted(found.values(), key=lambda one: (_gravity(one), -failed[one.rule], one.rule))
    return [
        RuleOverLoads(one.rule, sentence(one.rule) or one.rule, one.severity, [load.get(one.rule) for load in checks])
        for one in by_weight
    ]


def _gravity(check: CheckResult) -> Decimal:
    return -WEIGHTS[Severity(check.severity)]


def _chart(loads: Sequence[QualityReport]) -> dict[str, Any] | None:
    """The scores, the oldest load first; None where there are not two to be compared."""
    scored = [(load.batch.name, load.score) for load in reversed(loads) if load.score is not None]
    if len(scored) < 2:
        return None
    return {
        "kind": "line",
        "unit": "score",
        "x": [name for name, _ in scored],
        "series": [{"name": "score", "data": [float(score) for _, score in scored]}],
        "min": math.floor(min(score for _, score in scored)) - 1,
        "max": 100,
        "aria": f"Over {len(scored)} loads the score went from {scored[0][1]} to {scored[-1][1]} of 100.",
    }
