"""The changes that `make mutants` makes: small ones, in what the program does, and in nothing that is only said."""

import ast
from pathlib import Path
from textwrap import dedent

import pytest

from tests.mutants import FOLDERS, files_with_tests
from tests.support import small_changes
from tests.support.small_changes import ROOT, changes_of, functions_changed


def changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> list[str]:
    """What a file of this text can become."""
    monkeypatch.setattr(small_changes, "ROOT", tmp_path)
    (tmp_path / "module.py").write_text(dedent(text), encoding="utf-8")
    return [change.applied() for change in changes_of(".")]


@pytest.mark.parametrize(
    ("text", "becomes"),
    [
        ("a > b", {"a >= b", "a <= b"}),
        ("a <= b", {"a < b", "a > b"}),
        ("a == b", {"a != b"}),
        ("a is None", {"a is not None"}),
        ("a in b", {"a not in b"}),
        ("a and b", {"a or b"}),
        ("not a", {"(a)"}),
        ("a + b", {"a - b"}),
        ("f(True)", {"f(False)"}),
        ("f(7)", {"f(8)", "f(6)"}),
        ("f('é', 'x')", {"f('éx', 'x')", "f('é', 'xx')"}),
        ("a if b else c", {"c if b else a"}),
    ],
)
def test_an_expression_becomes_another_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, becomes: set[str]
) -> None:
    assert set(changed(tmp_path, monkeypatch, f"é = {text}\n")) == {f"é = {other}\n" for other in becomes}


def test_a_result_is_none_and_a_condition_its_contrary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "def f(a):\n    if a:\n        return a\n    return None\n"
    assert changed(tmp_path, monkeypatch, text) == [text.replace("if a", "if not (a)"), text.replace("n a", "n None")]


def test_nothing_that_is_only_said_is_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = '''
        """A module."""
        __all__ = ["f"]
        Kind = Literal["a", "b"]

        def column(name, comment):
            """A docstring."""

        @dataclass(frozen=True)
        class Thing:
            """A class."""

            kind: Annotated[str, Means("what it is")]

        column(x, "a comment")
        g(x, comment="another")

        def f(a: Literal["b"]) -> "Thing":
            assert a != "c"
            raise DomainError("a message")
    '''
    assert changed(tmp_path, monkeypatch, text) == []


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_change_is_a_program_that_differs_from_the_file_by_it(folder: str) -> None:
    changes = changes_of(folder)
    assert len({change.path for change in changes}) > 1
    for change in changes[::25]:
        assert ast.dump(ast.parse(change.applied())) != ast.dump(ast.parse(change.path.read_bytes()))
        assert bool(functions_changed(change)) <= change.is_within_function
        place, removed, added = change.shown().split("\n")[0], *change.shown().split("\n")[1:3]
        assert (ROOT / place.split(":")[0]).is_file()
        assert removed.startswith("    -")
        assert added[4] in "-+"


def test_the_tests_that_matter_are_those_that_import_what_is_changed() -> None:
    files = files_with_tests()
    assert "tests/unit/test_shipment.py" in files
    assert "tests/unit/test_translate_person.py" in files
    assert "tests/unit/test_repository.py" not in files
