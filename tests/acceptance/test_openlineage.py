"""What commands tell a collector of OpenLineage, and that nothing of it disturbs them."""

from tests.support.cli import Loaded, Program
from tests.support.collectors import collecting, validate


def test_a_load_is_told_with_what_it_read_and_wrote(loaded: Loaded, empty: Program) -> None:
    with collecting() as collector:
        empty.environment["OPENLINEAGE_URL"] = collector.url
        told = empty.json("ingest", loaded.extract)
    for event in collector.events:
        validate(event)
    assert collector.runs == [
        ("ingest", "START"),
        ("ingest", "COMPLETE"),
        ("project", "START"),
        ("project", "COMPLETE"),
    ]
    assert {event["run"]["runId"] for event in collector.events[:2]} == {told["batch"]}
