"""What is kept of the answers to all questions, as of one moment: their findings, and of some their rows."""

from collections.abc import Mapping
from datetime import date, datetime

from replayhouse.infra.answers.answer import Answer, restored
from replayhouse.infra.answers.parameters import read_parameters
from replayhouse.infra.application.ask import asking_as_of, origin_in
from replayhouse.infra.application.site import Site
from replayhouse.infra.read_models import kept_answers
from replayhouse.projections.questions import questions


def findings_kept(
    site: Site, at: str | int | datetime | None, occurred_before: str | date | None, source: str | None = None
) -> Mapping[int, Answer]:
    """The answers of record by the numbers of their questions, with the defaults of those; none is computed.

    Only those whose chart is a line have their rows. Raises UsageError for a moment that is none.
    """
    every = {one.number: one for one in questions()}
    lines = [number for number, one in every.items() if one.chart["kind"] == "line"]
    with asking_as_of(site, at, occurred_before, source) as session:
        moment = session.recorded()
        if moment is None:
            return {}
        origins = {number: origin_in(moment, one, read_parameters(one, {})) for number, one in every.items()}
        kept = kept_answers.find_all(session.conn, origins, lines)
        return {one.question: restored(every[one.question], origins[one.question], one) for one in kept}
