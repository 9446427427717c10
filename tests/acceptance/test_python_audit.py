"""Audits and erasures from Python: what the methods answer is what the commands print, and errors are exceptions."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

import replayhouse
from replayhouse.infra.audit.lineage.marts import MartLineage
from replayhouse.infra.audit.lineage.trace import RowLineage
from replayhouse.infra.postgres.embedded import EmbeddedServer
from tests.oracle.lines import an_id
from tests.support.both import Both
from tests.support.databases import copied
from tests.support.extracts import a_good_extract, write
from tests.support.in_process import as_printed


@pytest.fixture(scope="module")
def both(server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    """With one small load; the key to sign with is made."""
    folder = tmp_path_factory.mktemp("audit")
    with copied(server) as database:
        both = Both(database, folder / "home")
        both.commands.begin(write(folder / "extract", a_good_extract()))
        both.python.keygen()
        yield both


@pytest.fixture
def kept(both: Both, tmp_path: Path) -> Path:
    """A checkpoint of the whole log."""
    both.python.checkpoint(tmp_path / "kept")
    return tmp_path / "kept"


def test_a_key_is_made_once_and_without_a_database(tmp_path: Path) -> None:
    warehouse = replayhouse.open(home=tmp_path / "home")
    made = warehouse.keygen()
    assert made.path == tmp_path / "home" / "signing_key.pem"
    assert made.path.is_file()
    assert made.document() == {"path": str(made.path), "public_key": made.public_key}
    with pytest.raises(replayhouse.UsageError, match="never overwritten"):
        warehouse.keygen()


def test_a_log_that_holds_is_verified_and_its_progress_told(both: Both) -> None:
    both.told.clear()
    found = both.python.verify()
    assert found.holds
    assert as_printed(found.document()) == both.printed("audit", "verify")
    assert both.told == ["verifying"]


def test_a_log_is_held_against_a_checkpoint(both: Both, kept: Path, tmp_path: Path) -> None:
    found = both.python.verify(kept)
    assert found.signed is not None
    assert found.signed.is_trusted, "the key is ours"
    assert as_printed(found.document()) == both.printed("audit", "verify", "--checkpoint", kept)
    assert both.python.verify(kept, since_checkpoint=True).events == 0

    kept.write_bytes(kept.read_bytes().replace(b'"position": ', b'"position": 1'))
    with pytest.raises(replayhouse.Rejected, match="signature does not fit"):
        both.python.verify(kept)
    with pytest.raises(replayhouse.InputError, match="cannot be read"):
        both.python.verify(tmp_path / "none")
    with pytest.raises(replayhouse.UsageError, match="needs the checkpoint"):
        both.python.verify(since_checkpoint=True)


def test_a_checkpoint_is_what_the_command_writes(both: Both, tmp_path: Path) -> None:
    made = both.python.checkpoint(tmp_path / "kept")
    printed = both.printed("audit", "checkpoint", tmp_path / "other")
    assert printed["signed_at"] > as_printed(made.signed_at)
    assert as_printed(replace(made, file=tmp_path / "other").document()) == {
        **printed,
        "signed_at": as_printed(made.signed_at),
    }
    with pytest.raises(replayhouse.UsageError, match="already"):
        both.python.checkpoint(tmp_path / "kept")
    assert both.python.checkpoint(tmp_path / "kept", force=True).chain == made.chain


def test_a_proof_is_written_and_checked_without_a_warehouse(
    both: Both, kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "proof"
    written = both.python.prove(3, file, kept)
    assert written.document() == both.printed("audit", "prove", "3", "--checkpoint", kept, "--out", file, "--force")
    assert file.read_bytes() == written.data
    assert both.python.prove(3, checkpoint=kept).document() == json.loads(written.data)
    with pytest.raises(replayhouse.UsageError, match="no position 0"):
        both.python.prove(0)
    for no_number in (2.5, "3"):
        with pytest.raises(TypeError, match="integer"):
            both.python.prove(no_number)  # type: ignore[arg-type] # a log that does not hold would be told of
    assert both.python.prove(True).proof.event.position == 1

    public_key = json.loads(kept.read_bytes())["public_key"]
    monkeypatch.setenv("REPLAYHOUSE_HOME", str(tmp_path / "of somebody else"))
    found = replayhouse.check_proof(file, kept, public_key)
    assert found.is_trusted
    against = ("--checkpoint", kept, "--public-key", public_key)
    assert as_printed(found.document()) == both.printed("audit", "check-proof", file, *against)
    (tmp_path / "auditor.key").write_text(public_key)
    assert replayhouse.check_proof(file, kept, tmp_path / "auditor.key").is_trusted
    assert both.python.prove(3, None, kept, tmp_path / "auditor.key").data == written.data
    assert both.python.verify(kept, tmp_path / "auditor.key").holds
    assert not replayhouse.check_proof(file, kept).is_trusted, "nobody vouches for whoever signed"
    assert not replayhouse.check_proof(file).is_trusted
    file.write_bytes(file.read_bytes().replace(b'"topic": "', b'"topic": "x'))
    with pytest.raises(replayhouse.Rejected, match="does not hold"):
        replayhouse.check_proof(file)


def test_a_history_is_every_event_of_one_thing(both: Both) -> None:
    order = an_id(3)
    found = both.python.history("order", UUID(order))
    assert (found.kind, found.key) == ("order", UUID(order))
    assert found.events[0].name == "OrderPlaced"
    assert as_printed(found.document()) == both.printed("audit", "history", "order", order)
    load = both.python.history("batch", "extract")
    assert load.document() == both.python.history("batch", load.key).document()
    assert load.events[0].name == "BatchOpened"
    for kind, key, words in (
        ("order", an_id(77), "knows no order"),
        ("order", "0000", "more than one order"),
        ("order", "extract", "is not an id"),
        ("batch", "extracts", "no load extracts"),
        ("parcel", order, "one of order, shipment"),
    ):
        with pytest.raises(replayhouse.UsageError, match=words):
            both.python.history(kind, key)


def test_a_row_leads_to_its_events_and_to_the_lines_of_the_extract(both: Both, tmp_path: Path) -> None:
    found = both.python.lineage("fact_payment", (UUID(an_id(1)), 1))
    assert isinstance(found, RowLineage)
    assert as_printed(found.document()) == both.printed("audit", "lineage", "sales.fact_payment", f"{an_id(1)},1")
    [made] = [traced for traced in found.events if traced.effect.what == "made"]
    assert made.event.name == "PaymentReceived"
    assert {quoted.status for quoted in made.quoted} == {"found"}
    for table, key, words in (
        ("fact_payments", (an_id(1), 1), "no table fact_payments"),
        ("fact_payment", an_id(1), "1 of 2 values"),
        ("fact_payment", (an_id(1), 9), "no row with"),
    ):
        with pytest.raises(replayhouse.UsageError, match=words):
            both.python.lineage(table, key)
    with pytest.raises(replayhouse.UsageError, match="1 or more"):
        both.python.lineage("fact_payment", (an_id(1), 1), limit=0)
    with pytest.raises(replayhouse.UsageError, match="does not exist"):
        both.python.lineage("fact_payment", (an_id(1), 1), instead=tmp_path / "none")


def test_a_row_of_a_mart_leads_to_the_rows_behind_it(both: Both) -> None:
    with both.commands.database.connect("replayhouse test", autocommit=True) as connection:
        connection.execute("CREATE VIEW mart.paid AS SELECT order_id, amount FROM sales.fact_payment")
    found = both.python.lineage("mart.paid", an_id(1))
    assert isinstance(found, MartLineage)
    assert as_printed(found.document()) == both.printed("audit", "lineage", "mart.paid", an_id(1))
    assert [behind.table for behind in found.behind] == ["sales.fact_payment"]


def test_an_erasure_is_planned_then_done_once(both: Both) -> None:
    person = UUID(an_id(904))
    planned = both.python.plan_erasure(person)
    assert planned.keys > 0
    assert planned.tables["customer.dim_customer"] == 1
    both.told.clear()
    report = both.python.erase(an_id(904), " asked for it ")
    assert both.told == ["erasing", "catching the read models up"]
    assert (report.customer, report.reason, report.erasure.is_news) == (person, "asked for it", True)
    assert both.python.plan_erasure(person).keys == 0

    again = both.printed("customer", "erase", str(person), "--reason", "asked again", "--yes")
    news = {"status": "erased", "by": both.python.settings.actor, "reason": "asked for it", "quarantined_rows": 0}
    assert as_printed(report.document()) == {**again, **news}
    assert as_printed(both.python.erase(person, "asked again").document()) == again
    for customer, reason, words in (
        (an_id(77), "asked for it", "knows no person"),
        ("904", "asked for it", "is not an id"),
        (an_id(904), " ", "--reason is empty"),
    ):
        with pytest.raises(replayhouse.UsageError, match=words):
            both.python.erase(customer, reason)
