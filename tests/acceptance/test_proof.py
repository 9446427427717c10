"""`audit keygen`, `checkpoint`, `verify --checkpoint`, `prove` and `check-proof`, as an auditor calls them."""

import json
import stat
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import pytest

from replayhouse.infra.postgres.connection import Database
from tests.oracle.lines import an_order
from tests.support.extracts import a_good_extract, adding, changed, write
from tests.support.in_process import Warehouse, refused

NO_KEY = "There is no signing key"
CUT_OFF = """
    ALTER TABLE event_store.commit DISABLE TRIGGER append_only;
    ALTER TABLE event_store.quality_events DISABLE TRIGGER append_only;
    DELETE FROM event_store.quality_events WHERE notification_id > (
        SELECT first_position - 1 FROM event_store.commit ORDER BY last_position DESC LIMIT 1);
    DELETE FROM event_store.commit WHERE last_position = (SELECT position FROM event_store.head);
    UPDATE event_store.head SET (position, recorded_at, chain) = (
        SELECT last_position, recorded_at, chain FROM event_store.commit ORDER BY last_position DESC LIMIT 1);
    ALTER TABLE event_store.commit ENABLE ALWAYS TRIGGER append_only;
    ALTER TABLE event_store.quality_events ENABLE ALWAYS TRIGGER append_only
"""


@pytest.fixture
def warehouse(database: Database, tmp_path: Path) -> Warehouse:
    """One small load, and a key to sign with."""
    warehouse = Warehouse(database, tmp_path / "home")
    warehouse.begin(write(tmp_path / "extract", a_good_extract()))
    warehouse.json("audit", "keygen")
    return warehouse


def says_no(done: Any, *words: str) -> Any:
    """The answer is no, as a document; what it says."""
    assert done.code == 1, done
    told = done.document
    assert told["valid"] is False
    for word in words:
        assert word in told["reason"], told
    return told


def test_a_checkpoint_holds_while_the_log_does_and_grows(warehouse: Warehouse, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    told = warehouse.json("audit", "checkpoint", kept)
    document = json.loads(kept.read_bytes())
    assert {name: told[name] for name in ("store", "position", "chain", "public_key")} == {
        name: document[name] for name in ("store", "position", "chain", "public_key")
    }
    before = warehouse.json("audit", "verify", "--checkpoint", kept)
    assert (before["valid"], before["position"], before["chain"]) == (True, told["position"], told["chain"])
    assert (before["checkpoint"]["public_key"], before["trusted"]) == (told["public_key"], True)

    grown = changed(a_good_extract(), orders=adding(an_order(6, "created", placed="2017-05-04 10:00:00")))
    warehouse.json("ingest", write(tmp_path / "later", grown), "--no-project")
    after = warehouse.json("audit", "verify", "--checkpoint", kept)
    assert after["position"] > told["position"]
    quick = warehouse.json("audit", "verify", "--checkpoint", kept, "--since-checkpoint")
    assert quick["events"] == after["position"] - told["position"]
    assert quick["commits"] < after["commits"]
    plain = warehouse.run("audit", "verify", "--checkpoint", kept).out
    assert f"It leads to the checkpoint of position {told['position']:,}" in plain
    assert "vouches" not in plain, "the key is ours"

    assert warehouse.run("audit", "checkpoint", kept).code == 2, "no checkpoint is written over"
    assert warehouse.run("audit", "checkpoint", kept, "--force").code == 0
    assert list(tmp_path.glob(".kept*")) == []


def test_a_log_that_was_cut_off_or_is_another_one_is_found_out(warehouse: Warehouse, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    told = warehouse.json("audit", "checkpoint", kept)
    proof = tmp_path / "proof"
    assert warehouse.run("audit", "prove", "5", "--checkpoint", kept, "--out", proof).code == 0
    with warehouse.database.connect(autocommit=True) as connection:
        connection.execute(CUT_OFF)
    assert warehouse.json("audit", "verify")["valid"] is True, "whole in itself"
    cut = says_no(warehouse.run("audit", "verify", "--checkpoint", kept, "--json"), "cut off here")
    assert cut["position"] <= told["position"]
    plain = warehouse.run("audit", "verify", "--checkpoint", kept)
    assert plain.code == 1
    assert f"does not hold from position {cut['position']:,} on" in plain.out
    done = warehouse.run("audit", "prove", "5", "--checkpoint", kept)
    assert done.code == 1
    assert "The log was cut off" in done.err

    with warehouse.database.connect(autocommit=True) as connection:
        connection.execute("UPDATE event_store.store SET store_id = %s", [uuid4()])
    says_no(warehouse.run("audit", "verify", "--checkpoint", kept, "--json"), "of another store", told["store"])
    assert warehouse.json("audit", "check-proof", proof, "--checkpoint", kept)["valid"] is True, "proved for good"


def test_who_signed_must_be_who_is_trusted(warehouse: Warehouse, tmp_path: Path) -> None:
    kept, other = tmp_path / "kept", tmp_path / "other.pem"
    told = warehouse.json("audit", "checkpoint", kept)
    elsewhere = {"REPLAYHOUSE_SIGNING_KEY": str(other)}
    made = warehouse.run("audit", "keygen", "--json", **elsewhere).document
    assert made["path"] == str(other)
    assert stat.S_IMODE(other.stat().st_mode) == 0o600
    says_no(warehouse.run("audit", "verify", "--checkpoint", kept, "--json", **elsewhere), "somebody else made it")
    by_key = ("audit", "verify", "--checkpoint", kept, "--public-key")
    assert warehouse.run(*by_key, told["public_key"], **elsewhere).code == 0, "the key named stands before ours"
    says_no(warehouse.run(*by_key, made["public_key"], "--json"), "somebody else made it")
    refused(warehouse.run(*by_key, "nobody", "--json"), 2, "public key nobody cannot be read")

    other.unlink()
    refused(warehouse.run("audit", "verify", "--checkpoint", kept, "--json", **elsewhere), 2, NO_KEY)
    refused(
        warehouse.run("audit", "checkpoint", tmp_path / "more", "--json", **elsewhere), 2, "There is no signing key"
    )


def test_nobody_vouches_is_a_no_unless_that_is_taken(warehouse: Warehouse, tmp_path: Path) -> None:
    """Whoever can rewrite the log can sign the head that comes of it, with a key made a moment ago."""
    kept, proof = tmp_path / "kept", tmp_path / "proof"
    public_key = warehouse.json("audit", "checkpoint", kept)["public_key"]
    warehouse.json("audit", "prove", "5", "--checkpoint", kept, "--out", proof)
    key = tmp_path / "home" / "signing_key.pem"
    verify, check = ("audit", "verify", "--checkpoint", kept), ("audit", "check-proof", proof, "--checkpoint", kept)
    own = warehouse.json(*check)
    assert (own["trusted"], own["commits_after_checkpoint"]) == (True, 0), "the key is ours"

    key.rename(tmp_path / "away.pem")
    for command in (verify, check):
        done = warehouse.run(*command, "--json")
        assert (done.code, done.document["valid"], done.document["trusted"]) == (1, True, False)
        plain = warehouse.run(*command)
        assert plain.code == 1
        assert f"Signed with the key {public_key}, for which nobody vouches" in plain.out
        taken = warehouse.json(*command, "--untrusted")
        assert (taken["valid"], taken["trusted"]) == (True, False)
        assert warehouse.json(*command, "--public-key", public_key)["trusted"] is True
    alone = warehouse.run(*check[:3], "--json")
    assert (alone.code, alone.document["trusted"], alone.document["checkpoint"]) == (1, False, None)
    assert "Nobody vouches for this head" in warehouse.run(*check[:3]).out

    prove = ("audit", "prove", "5", "--checkpoint", kept, "--out", tmp_path / "other")
    refused(warehouse.run(*prove, "--json"), 1, "for which nobody vouches", "--untrusted")
    assert not (tmp_path / "other").exists()
    warehouse.json(*prove, "--untrusted")
    assert (tmp_path / "other").read_bytes() == proof.read_bytes()

    with warehouse.database.connect(autocommit=True) as connection:
        connection.execute(CUT_OFF)
    cut = says_no(warehouse.run(*verify, "--json"), "cut off here")
    assert cut["trusted"] is False
    assert "nobody vouches" in warehouse.run(*verify).out


def test_what_a_proof_says_after_the_checkpoint_is_not_covered_by_it(warehouse: Warehouse, tmp_path: Path) -> None:
    kept, proof = tmp_path / "kept", tmp_path / "proof"
    warehouse.json("audit", "checkpoint", kept)
    grown = changed(a_good_extract(), orders=adding(an_order(6, "created", placed="2017-05-04 10:00:00")))
    warehouse.json("ingest", write(tmp_path / "later", grown), "--no-project")
    warehouse.json("audit", "prove", "5", "--out", proof)
    told = warehouse.json("audit", "check-proof", proof, "--checkpoint", kept)
    assert told["commits_after_checkpoint"] > 0
    assert told["head"]["position"] > told["checkpoint"]["position"]
    plain = warehouse.run("audit", "check-proof", proof, "--checkpoint", kept).out
    assert "the checkpoint says nothing of that" in plain


def test_a_signing_key_that_others_can_read_signs_nothing_and_vouches_for_nothing(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    kept = tmp_path / "kept"
    warehouse.json("audit", "checkpoint", kept)
    (tmp_path / "home" / "signing_key.pem").chmod(0o640)
    for command in (("checkpoint", tmp_path / "more"), ("verify", "--checkpoint", kept)):
        refused(warehouse.run("audit", *command, "--json"), 2, "has the mode 0640", "chmod 600")
    assert not (tmp_path / "more").exists()


def test_a_checkpoint_that_is_damaged_or_none_is_told_plainly(warehouse: Warehouse, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    told = warehouse.json("audit", "checkpoint", kept)
    whole = kept.read_bytes()
    kept.write_bytes(whole.replace(told["chain"].encode(), told["chain"][::-1].encode()))
    says_no(warehouse.run("audit", "verify", "--checkpoint", kept, "--json"), "its signature does not fit")
    kept.write_bytes(whole[:-9])
    says_no(warehouse.run("audit", "verify", "--checkpoint", kept, "--json"), "was changed")
    kept.write_bytes(b"position,chain\n")
    refused(warehouse.run("audit", "verify", "--checkpoint", kept, "--json"), 2, "is not a checkpoint")
    refused(warehouse.run("audit", "verify", "--since-checkpoint", "--json"), 2, "--checkpoint FILE")
    refused(warehouse.run("audit", "checkpoint", tmp_path, "--json"), 2, "is not a file")


def test_any_event_is_proved_and_checked_without_a_database(warehouse: Warehouse, tmp_path: Path) -> None:
    kept, proof = tmp_path / "kept", tmp_path / "proof"
    told = warehouse.json("audit", "checkpoint", kept)
    for position in (1, told["position"] // 2, told["position"]):
        for options in ((), ("--checkpoint", kept)):
            done = warehouse.run("audit", "prove", str(position), *options, "--out", proof, "--force")
            assert done.code == 0, done
            with patch(
                "replayhouse.infra.postgres.connection.Database.connect", side_effect=AssertionError("no database")
            ):
                shown = warehouse.json("audit", "check-proof", proof, "--untrusted")
                signed = warehouse.json(
                    "audit", "check-proof", proof, "--checkpoint", kept, "--public-key", told["public_key"]
                )
            assert shown["head"] == {"position": told["position"], "chain": told["chain"]}
            assert (signed["position"], signed["checkpoint"]["position"]) == (position, told["position"])
    [(topic, source, state)] = warehouse.rows(
        "SELECT topic, source, convert_from(state, 'UTF8') FROM event_store.log WHERE notification_id = %s", position
    )
    assert (shown["topic"], shown["source"], shown["state"]) == (topic, source, state)
    on_output = warehouse.run("audit", "prove", str(position), "--checkpoint", kept).out
    assert on_output.encode() == proof.read_bytes()

    proof.write_bytes(proof.read_bytes().replace(b'"originator_version": ', b'"originator_version": 1'))
    says_no(warehouse.run("audit", "check-proof", proof, "--json"), "does not lead to the root of its commit")
    assert warehouse.run("audit", "check-proof", proof).code == 1
    proof.write_bytes(b"{}")
    refused(warehouse.run("audit", "check-proof", proof, "--json"), 2, "is not a proof")
    last = f"run from 1 to {told['position']}"
    for wrong in ("0", str(told["position"] + 1)):
        refused(warehouse.run("audit", "prove", wrong, "--out", tmp_path / "none", "--json"), 2, last)


def test_a_log_that_does_not_hold_proves_nothing(warehouse: Warehouse) -> None:
    with warehouse.database.connect(autocommit=True) as connection:
        connection.execute("ALTER TABLE event_store.sales_events DISABLE TRIGGER append_only")
        [[position]] = connection.execute("SELECT min(notification_id) FROM event_store.sales_events").fetchall()
        connection.execute("UPDATE event_store.sales_events SET state = '{}' WHERE notification_id = %s", [position])
    done = warehouse.run("audit", "prove", str(position))
    assert (done.code, done.out) == (1, "")
    assert "does not lead to the root of its commit" in done.err


def test_tables_that_are_gone_are_told_plainly(warehouse: Warehouse, tmp_path: Path) -> None:
    warehouse.json("audit", "checkpoint", tmp_path / "kept")
    with warehouse.database.connect(autocommit=True) as connection:
        connection.execute("DROP TABLE event_store.head; ALTER TABLE event_store.store RENAME TO other")
    says_no(warehouse.run("audit", "verify", "--json"), "event_store.head is missing")
    says_no(
        warehouse.run("audit", "verify", "--checkpoint", tmp_path / "kept", "--json"), "event_store.store is no table"
    )
    for command in (("audit", "checkpoint", tmp_path / "more"), ("status",), ("db", "backup", tmp_path / "saved")):
        refused(warehouse.run(*command, "--json"), 2, "not as its migrations made them", "audit verify")


def test_an_empty_log_has_a_checkpoint_and_nothing_to_prove(database: Database, tmp_path: Path) -> None:
    warehouse = Warehouse(database, tmp_path / "home")
    warehouse.json("audit", "keygen")
    assert warehouse.json("audit", "checkpoint", tmp_path / "kept")["position"] == 0
    assert warehouse.json("audit", "verify", "--checkpoint", tmp_path / "kept")["valid"] is True
    done = warehouse.run("audit", "prove", "1")
    assert (done.code, "The log is empty" in done.err) == (2, True)
