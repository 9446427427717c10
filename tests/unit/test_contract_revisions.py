"""What was published stays: a contract goes on by one more revision, or the change is refused with what to do."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

import pytest

from replayhouse.domain.contexts import CONTEXTS
from replayhouse.domain.kernel.events import DomainEvent, personal
from replayhouse.domain.kernel.meaning import Means
from replayhouse.infra.contracts import __main__ as program
from replayhouse.infra.contracts import files
from replayhouse.infra.contracts.headers import headers_schema
from replayhouse.infra.contracts.revisions import BrokenContract, Revisions, contracts_in_force
from replayhouse.infra.contracts.schemas import Schema, current_schemas
from replayhouse.infra.event_store.serialization.registry import Registry, Upcaster

NAME = "fulfillment.ParcelWeighed.v1"
Grams = Annotated[int, Means("its weight", "gram", 430)]


def weighed() -> type[DomainEvent]:
    @dataclass(frozen=True, slots=True)
    class ParcelWeighed(DomainEvent):
        """A parcel was weighed."""

        grams: Grams

    return ParcelWeighed


def weighed_where() -> type[DomainEvent]:
    """A field more, which events from before lack."""

    @dataclass(frozen=True, slots=True)
    class ParcelWeighed(DomainEvent):
        """A parcel was weighed."""

        grams: Grams
        where: Annotated[str | None, Means("the depot", example="north")] = None

    return ParcelWeighed


def weighed_by() -> type[DomainEvent]:
    """A field more, which events from before should have had."""

    @dataclass(frozen=True, slots=True)
    class ParcelWeighed(DomainEvent):
        """A parcel was weighed."""

        grams: Grams
        by: Annotated[str | None, Means("who weighed it")] = personal()

    return ParcelWeighed


def weighed_by_version_2() -> type[DomainEvent]:
    @dataclass(frozen=True, slots=True)
    class ParcelWeighed(DomainEvent):
        """A parcel was weighed."""

        version: ClassVar[int] = 2

        grams: Grams
        by: Annotated[str | None, Means("who weighed it")] = personal()

    return ParcelWeighed


def registry_of(event_type: type[DomainEvent]) -> Registry:
    upcasters: dict[tuple[str, int], Upcaster] = {
        ("fulfillment.ParcelWeighed", 1): lambda state: {**state, "by": None},
    }
    return Registry({"fulfillment": [event_type]}, upcasters)


def in_force(folder: Path, event_type: type[DomainEvent]) -> Mapping[str, Schema]:
    registry = registry_of(event_type)
    return contracts_in_force(current_schemas(registry), Revisions(folder), registry)


def published(folder: Path, event_type: type[DomainEvent]) -> list[str]:
    """Publishes what the class makes; the files added."""
    revisions = Revisions(folder)
    added = [revisions.publish(name, schema) for name, schema in current_schemas(registry_of(event_type)).items()]
    return [path.relative_to(folder).as_posix() for path in added if path]


def test_a_contract_is_published_once_and_again_only_when_it_changed(tmp_path: Path) -> None:
    assert published(tmp_path, weighed()) == ["revisions/fulfillment/ParcelWeighed.v1.r1.json"]
    assert published(tmp_path, weighed()) == []
    first = (tmp_path / "revisions/fulfillment/ParcelWeighed.v1.r1.json").read_text("utf-8")

    assert set(in_force(tmp_path, weighed_where())) == {NAME}
    assert published(tmp_path, weighed_where()) == ["revisions/fulfillment/ParcelWeighed.v1.r2.json"]
    assert (tmp_path / "revisions/fulfillment/ParcelWeighed.v1.r1.json").read_text("utf-8") == first
    assert [len(revision["properties"]) for revision in Revisions(tmp_path).of(NAME)] == [1, 2]


def test_a_broken_contract_names_the_field_and_what_to_do(tmp_path: Path) -> None:
    published(tmp_path, weighed())
    with pytest.raises(BrokenContract) as refused:
        in_force(tmp_path, weighed_by())
    told = str(refused.value)
    assert f"{NAME} cannot stand beside what was published of it" in told
    assert "by (since revision 1): a field that is always there on one side may be missing on the other" in told
    assert "version: ClassVar[int] = 2" in told
    assert '("fulfillment.ParcelWeighed", 1) in infra/event_store/serialization/registry.py' in told
    assert "python -m tests.golden" in told
    assert "make contracts" in told


def test_a_revision_is_held_against_all_before_it_not_only_the_last(tmp_path: Path) -> None:
    published(tmp_path, weighed())
    published(tmp_path, weighed_where())
    with pytest.raises(BrokenContract, match=r"where \(since revision 2\): the field is gone"):
        in_force(tmp_path, weighed())

    # As somebody might who goes in two steps, each of them harmless: a field leaves, and comes back otherwise.
    revisions = Revisions(tmp_path)
    without = {**revisions.of(NAME)[0], "description": "again"}
    revisions.publish(NAME, without)
    with pytest.raises(BrokenContract, match=r"where \(since revision 2\)"):
        in_force(tmp_path, weighed())


def test_a_new_version_is_a_contract_of_its_own_and_the_old_one_stays(tmp_path: Path) -> None:
    published(tmp_path, weighed())
    contracts = in_force(tmp_path, weighed_by_version_2())
    assert list(contracts) == ["fulfillment.ParcelWeighed.v2", NAME]
    assert contracts[NAME] == current_schemas(registry_of(weighed()))[NAME]
    assert published(tmp_path, weighed_by_version_2()) == ["revisions/fulfillment/ParcelWeighed.v2.r1.json"]


def test_an_older_version_that_was_never_published_is_told(tmp_path: Path) -> None:
    with pytest.raises(BrokenContract, match=rf"{NAME} was recorded once and has no published revision"):
        in_force(tmp_path, weighed_by_version_2())


def test_an_event_that_goes_is_told(tmp_path: Path) -> None:
    published(tmp_path, weighed())
    registry = Registry({"fulfillment": []})
    with pytest.raises(BrokenContract, match=f"{NAME} was published, and nothing makes it any more"):
        contracts_in_force({}, Revisions(tmp_path), registry)


def test_a_revision_that_is_missing_is_told(tmp_path: Path) -> None:
    published(tmp_path, weighed())
    published(tmp_path, weighed_where())
    (tmp_path / "revisions/fulfillment/ParcelWeighed.v1.r1.json").unlink()
    with pytest.raises(BrokenContract, match=f"Of {NAME} a published revision is missing"):
        Revisions(tmp_path)


def test_headers_have_no_next_version(tmp_path: Path) -> None:
    headers: dict[str, Any] = {"type": "object", "properties": {"ce_id": {"type": "string"}}, "required": ["ce_id"]}
    registry = Registry({})
    Revisions(tmp_path).publish("headers", headers)
    with pytest.raises(BrokenContract, match="add another header that need not be there"):
        contracts_in_force({"headers": {**headers, "required": []}}, Revisions(tmp_path), registry)


def headers_of(contexts: Sequence[str]) -> Any:
    """The headers where there are these contexts."""
    return json.loads(json.dumps(headers_schema()).replace("|".join(CONTEXTS), "|".join(contexts)))


def test_a_context_more_is_a_revision_of_the_headers(tmp_path: Path) -> None:
    """Its messages stand in a topic of its own, which nobody reads who knows the others only."""
    Revisions(tmp_path).publish("headers", headers_of(CONTEXTS[:-1]))
    now = headers_schema()
    assert contracts_in_force({"headers": now}, Revisions(tmp_path), Registry({})) == {"headers": now}
    assert Revisions(tmp_path).publish("headers", now) == tmp_path / "revisions/headers.r2.json"

    fewer = {**now, "required": now["required"][1:]}
    with pytest.raises(BrokenContract, match="may be missing on the other"):
        contracts_in_force({"headers": fewer}, Revisions(tmp_path), Registry({}))


def test_a_context_less_breaks_the_headers(tmp_path: Path) -> None:
    Revisions(tmp_path).publish("headers", headers_of([*CONTEXTS, "loyalty"]))
    with pytest.raises(BrokenContract, match=r"ce_source .*`pattern` differs"):
        contracts_in_force({"headers": headers_schema()}, Revisions(tmp_path), Registry({}))


# --- the command --------------------------------------------------------------------------------------------------


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository without any generated file, whose registry knows one event."""
    monkeypatch.setattr(program, "ROOT", tmp_path)
    monkeypatch.setattr("sys.argv", ["contracts"])
    use(monkeypatch, weighed())
    return tmp_path


def use(monkeypatch: pytest.MonkeyPatch, event_type: type[DomainEvent]) -> None:
    registry = registry_of(event_type)
    monkeypatch.setattr(files, "current_schemas", lambda: current_schemas(registry))
    monkeypatch.setattr(
        files, "contracts_in_force", lambda made, revisions: contracts_in_force(made, revisions, registry)
    )


def checked(monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr("sys.argv", ["contracts", "--check"])
    return program.main()


def test_the_check_fails_until_the_files_are_made_and_writes_none(
    repository: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(repository.rglob("*"))
    assert checked(monkeypatch) == 1
    assert sorted(repository.rglob("*")) == before
    told = capsys.readouterr()
    assert "out of date: contracts/fulfillment/ParcelWeighed.v1.json" in told.out
    assert "out of date: docs/consuming-reference.md" in told.out
    assert "make contracts" in told.err

    monkeypatch.setattr("sys.argv", ["contracts"])
    assert program.main() == 0
    assert checked(monkeypatch) == 0
    schema = json.loads((repository / "contracts/fulfillment/ParcelWeighed.v1.json").read_text("utf-8"))
    assert schema["properties"]["grams"]["x-unit"] == "gram"
    reference = (repository / "docs/consuming-reference.md").read_text("utf-8")
    assert "| `grams` | integer | gram | its weight |" in reference


def test_what_was_changed_by_hand_or_is_made_by_nobody_is_out_of_date(
    repository: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    program.main()
    contract = repository / "contracts/fulfillment/ParcelWeighed.v1.json"
    contract.write_text("{}\n", "utf-8")
    stray = repository / "contracts/fulfillment/ParcelLost.v1.json"
    stray.write_text("{}\n", "utf-8")
    assert checked(monkeypatch) == 1
    told = capsys.readouterr().out
    assert "out of date: contracts/fulfillment/ParcelWeighed.v1.json" in told
    assert "out of date: contracts/fulfillment/ParcelLost.v1.json" in told

    monkeypatch.setattr("sys.argv", ["contracts"])
    assert program.main() == 0
    assert not stray.exists()
    assert checked(monkeypatch) == 0


def test_a_broken_contract_ends_the_command_before_anything_is_written(
    repository: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    program.main()
    before = {path: path.read_bytes() for path in repository.rglob("*") if path.is_file()}
    use(monkeypatch, weighed_by())
    assert checked(monkeypatch) == 1
    assert "by (since revision 1)" in capsys.readouterr().err
    monkeypatch.setattr("sys.argv", ["contracts"])
    assert program.main() == 1
    assert "by (since revision 1)" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in repository.rglob("*") if path.is_file()} == before

    use(monkeypatch, weighed_where())
    assert checked(monkeypatch) == 1, "a further revision has to be published"
    monkeypatch.setattr("sys.argv", ["contracts"])
    assert program.main() == 0
    assert checked(monkeypatch) == 0
