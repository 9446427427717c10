"""`status`, `project`, `rebuild`, `digest` and `quality report`, as a user calls them, also on a terminal."""

import json
import re
from typing import Any

from replayhouse.domain.quality.rules import RULES, RULES_OF_MAPPINGS
from tests.support.cli import CONTEXTS, Loaded, Program
from tests.support.terminals import on_a_terminal

TABLES = {
    "sales": {"fact_order", "fact_order_item", "fact_payment"},
    "fulfillment": {"fact_delivery", "dim_geography"},
    "customer": {"dim_customer", "customer_alias", "address_history", "segment_history", "fact_review"},
    "marketplace": {"product", "dim_seller", "dim_category"},
    "quality": {"batch", "batch_file", "fact_check", "quarantine"},
}
STATUS = {"head", "projected", "lag", "revision", "events", "parked", "made_by"}


def test_the_status_says_how_far_every_context_is(loaded: Loaded) -> None:
    told = loaded.program.json("status")
    assert set(told) == {"position", "chain", "contexts", "batches", "warehouse"}
    assert (told["position"], told["chain"]) == (loaded.told["position"], loaded.told["chain"])
    assert tuple(told["contexts"]) == CONTEXTS
    for context, status in told["contexts"].items():
        assert set(status) == STATUS
        assert status["events"] == loaded.told["events"][context]
        assert (status["lag"], status["parked"], status["projected"]) == (0, 0, told["position"])
        assert 0 < status["head"] <= told["position"]
    (batch,) = told["batches"]
    assert set(batch) == {"batch", "name", "status", "opened_at", "events"}
    assert batch["events"] == sum(loaded.told["events"][context] for context in CONTEXTS[:-1])
    plain = loaded.program.succeed("status").out
    assert loaded.told["chain"] in plain
    assert all(context in plain for context in CONTEXTS)


def test_the_status_of_an_empty_warehouse_has_all_five_contexts(empty: Program) -> None:
    told = empty.json("status")
    assert (told["position"], told["chain"], told["batches"]) == (0, "0" * 64, [])
    assert tuple(told["contexts"]) == CONTEXTS
    nothing = {"head": 0, "projected": 0, "lag": 0, "revision": 1, "events": 0, "parked": 0, "made_by": "this"}
    assert all(status == nothing for status in told["contexts"].values())
    assert "no load yet" in empty.succeed("status").out


def test_digests_have_every_folded_table_and_no_other(loaded: Loaded) -> None:
    told = loaded.program.json("digest")
    assert set(told) == {"contexts"}
    assert {context: set(found["tables"]) for context, found in told["contexts"].items()} == TABLES
    for found in told["contexts"].values():
        assert set(found) == {"revision", "position", "tables"}
        for digest in found["tables"].values():
            assert set(digest) == {"rows", "digest"}
            assert re.fullmatch("[0-9a-f]{64}", digest["digest"])
    assert told["contexts"]["sales"]["tables"]["fact_order"]["rows"] == loaded.told["files"]["orders"]["rows"]


def test_only_the_contexts_named_are_digested_in_their_usual_order(loaded: Loaded) -> None:
    assert tuple(loaded.program.json("digest", "quality", "sales")["contexts"]) == ("sales", "quality")


def test_a_rebuild_is_the_next_revision_with_the_same_digests(loaded: Loaded) -> None:
    before = loaded.program.json("digest")["contexts"]
    told = loaded.program.json("rebuild", "--workers", "1")
    assert set(told) == {"contexts", "seconds"}
    assert tuple(told["contexts"]) == CONTEXTS
    for context, rebuilt in told["contexts"].items():
        assert set(rebuilt) == {"revision", "position", "events", "seconds", "tables", "columns"}
        assert rebuilt["revision"] == before[context]["revision"] + 1
        assert rebuilt["position"] == loaded.told["position"]
        assert rebuilt["events"] == loaded.told["events"][context]
        assert rebuilt["tables"] == before[context]["tables"]
    after = loaded.program.json("digest")["contexts"]
    assert {context: found["tables"] for context, found in after.items()} == {
        context: found["tables"] for context, found in before.items()
    }


def test_a_rebuild_says_where_the_live_rows_were_not_what_the_log_makes(loaded: Loaded) -> None:
    change = "UPDATE marketplace.product SET category = 'other'"
    loaded.program.succeed("db", "psql", "--role", "administrator", "-c", change)
    plain = loaded.program.succeed("rebuild", "marketplace").out
    assert "The live rows differed from what the log makes: 1 table (marketplace.product)." in plain
    loaded.program.succeed("db", "psql", "--role", "administrator", "-c", change)
    assert loaded.program.json("rebuild", "marketplace")["contexts"]["marketplace"]["differed"] == ["product"]
    assert "differed" not in loaded.program.succeed("rebuild", "marketplace").out


def test_a_rebuild_of_one_context_leaves_the_others_alone(loaded: Loaded) -> None:
    def revisions() -> dict[str, int]:
        contexts: dict[str, Any] = loaded.program.json("status")["contexts"]
        return {context: status["revision"] for context, status in contexts.items()}

    before = revisions()
    plain = loaded.program.succeed("rebuild", "marketplace").out
    assert revisions() == {**before, "marketplace": before["marketplace"] + 1}
    assert "marketplace.product" in plain
    assert "sales" not in plain


def test_projecting_a_model_at_the_head_does_nothing(loaded: Loaded) -> None:
    told = loaded.program.json("project", "--retry-parked")
    assert set(told) == {"contexts", "seconds"}
    head = loaded.told["position"]
    assert told["contexts"] == {context: {"events": 0, "projected": head, "parked": 0} for context in CONTEXTS}


def test_the_quality_report_has_every_rule(loaded: Loaded) -> None:
    told = loaded.program.json("quality", "report")
    assert set(told) == {
        "batch",
        "name",
        "status",
        "opened_at",
        "score",
        "rows",
        "quarantined",
        "reasons",
        "checks",
        "quarantine",
    }
    assert (told["batch"], told["status"], told["score"]) == (
        loaded.told["batch"],
        "completed",
        loaded.told["score"],
    )
    assert told["rows"] == sum(counts["rows"] for counts in loaded.told["files"].values())
    assert {check["rule"] for check in told["checks"]} == {rule.name for rule in RULES} - RULES_OF_MAPPINGS
    for check in told["checks"]:
        assert set(check) == {"rule", "sentence", "dimension", "severity", "checked", "failed", "passed"}
        assert check["sentence"].endswith(".")


def test_the_quality_report_says_in_words_what_was_found(loaded: Loaded) -> None:
    told = loaded.program.json("quality", "report")
    plain = loaded.program.succeed("quality", "report", told["batch"].replace("-", "")).out
    broken = [check for check in told["checks"] if check["failed"]]
    assert broken
    for check in broken:
        assert f"{check['sentence']} Not so in {check['failed']:,} of {check['checked']:,}" in plain


def test_quarantined_records_are_counted_by_rule(empty: Program, loaded: Loaded) -> None:
    harmed = empty.home.parent / "harmed"
    harmed.mkdir()
    for path in loaded.extract.iterdir():
        text = path.read_text(encoding="utf-8")
        if path.name == "olist_sellers_dataset.csv":
            text += "no-id,1234,somewhere,SP\n"
        (harmed / path.name).write_text(text, encoding="utf-8")
    told = empty.json("ingest", harmed, "--no-project")
    assert (told["status"], told["files"]["sellers"]["quarantined"]) == ("completed", 1)
    report = empty.json("quality", "report")
    assert (report["quarantined"], report["quarantine"]) == (1, {"values_readable": 1})
    assert "values_readable" in empty.succeed("quality", "report").out.splitlines()[-1]


def test_a_report_on_no_load_is_wrong_usage(empty: Program) -> None:
    assert "no load yet" in empty.run("quality", "report", "--json").document["error"]
    done = empty.run("quality", "report", "0" * 32)
    assert done.code == 2
    assert "There is no load" in done.err


def test_on_a_terminal_tables_are_drawn_and_documents_are_still_documents(loaded: Loaded) -> None:
    program = loaded.program
    plain = program.succeed("batches").out
    drawn = on_a_terminal(program, "batches")
    assert "─" in drawn
    assert "─" not in plain
    batch = program.json("batches")[0]["batch"]
    assert batch[:8] in drawn, "an id is on one line, however narrow the terminal, and may be shortened"
    assert json.loads(on_a_terminal(program, "batches", "--json")) == program.json("batches")
