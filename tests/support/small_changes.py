"""Small changes that can be made in a file of the program, for `tests/mutants.py`: found, shown, and put to work.

Left out is what changes nothing that a test could ask: docstrings and other texts for people (comments of columns,
sentences of rules, messages of errors), annotations and what they are made of, decorators, assertions, `__all__`.
"""

import ast
import difflib
import gc
import importlib.machinery
import inspect
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]

FOR_PEOPLE = frozenset({"comment", "column_comments", "rule", "sentence"})
"""Parameters, fields and variables that hold texts for people."""

COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Div: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
OF_TYPES = frozenset({"Annotated", "ClassVar", "Literal"})


Place = tuple[str, int]
"""A function: its file, and the line on which it begins."""


class Change(NamedTuple):
    """One change: what of a file's text, in bytes, becomes what."""

    path: Path
    begin: int
    end: int
    text: str
    is_within_function: bool

    def applied(self) -> str:
        """The changed text of the file."""
        whole = self.path.read_bytes()
        return (whole[: self.begin] + self.text.encode() + whole[self.end :]).decode()

    def shown(self) -> str:
        """The file with the first changed line, and the change as a diff."""
        before, after = self.path.read_text().splitlines(), self.applied().splitlines()
        name = self.path.relative_to(ROOT)
        lines = list(difflib.unified_diff(before, after, lineterm="", n=0))[3:]
        line = self.path.read_bytes()[: self.begin].count(b"\n") + 1
        return "\n".join([f"{name}:{line}", *(f"    {text}" for text in lines)])


def changes_of(folder: str) -> list[Change]:
    """All changes that can be made in a folder, in the order of the files and their texts."""
    trees = {path: ast.parse(path.read_bytes()) for path in sorted((ROOT / folder).rglob("*.py"))}
    texts = {name: place for tree in trees.values() for name, place in _parameters_for_people(tree)}
    return [change for path, tree in trees.items() for change in _Changes(path, texts).of(tree)]


def _parameters_for_people(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Functions and classes with the place of the argument that is a text for people."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            names = [argument.arg for argument in node.args.args]
        elif isinstance(node, ast.ClassDef):
            fields = [field.target for field in node.body if isinstance(field, ast.AnnAssign)]
            names = [target.id for target in fields if isinstance(target, ast.Name)]
        else:
            continue
        yield from ((node.name, names.index(name)) for name in FOR_PEOPLE if name in names)


class _Changes:
    """Finds the changes in one file, walking through all of it but what is left out."""

    def __init__(self, path: Path, texts: dict[str, int]) -> None:
        self._path, self._texts = path, texts
        self._starts = [0]
        for line in path.read_bytes().splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))

    def of(self, node: ast.AST, is_within: bool = False) -> Iterator[Change]:
        """The changes in a part of the file, which may lie within a function."""
        for changed, text in _changed_here(node):
            assert changed.end_lineno is not None
            assert changed.end_col_offset is not None
            begin = self._starts[changed.lineno - 1] + changed.col_offset
            end = self._starts[changed.end_lineno - 1] + changed.end_col_offset
            yield Change(self._path, begin, end, text, is_within)
        for field, child in _children(node, self._texts):
            is_body = isinstance(node, ast.FunctionDef | ast.Lambda) and field == "body"
            yield from self.of(child, is_within or is_body)


def _changed_here(node: ast.AST) -> Iterator[tuple[ast.expr, str]]:
    """What of a node itself can become what."""
    if isinstance(node, ast.expr):
        for text in _instead_of(node):
            yield node, f"({text})" if node.end_lineno != node.lineno else text
    elif isinstance(node, ast.Return) and node.value is not None and ast.unparse(node.value) != "None":
        yield node.value, "None"
    elif isinstance(node, ast.If):
        yield node.test, f"not ({ast.unparse(node.test)})"


def _children(node: ast.AST, texts: dict[str, int]) -> Iterator[tuple[str, ast.AST]]:
    """The parts of a node in which changes are made: all but texts for people, types, and what only says what holds."""
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list") or isinstance(node, ast.JoinedStr | ast.Assert):
            continue
        for place, child in enumerate(value if isinstance(value, list) else [value]):
            if isinstance(child, ast.AST) and not _is_left_out(node, name, place, child, texts):
                yield name, child


def _is_left_out(node: ast.AST, field: str, place: int, child: ast.AST, texts: dict[str, int]) -> bool:
    if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
        return True  # a docstring
    if isinstance(child, ast.Assign) and isinstance(child.targets[0], ast.Name):
        return child.targets[0].id in FOR_PEOPLE | {"__all__"}
    if isinstance(child, ast.keyword):
        return child.arg in FOR_PEOPLE
    if isinstance(child, ast.Subscript) and isinstance(child.value, ast.Name):
        return child.value.id in OF_TYPES
    if isinstance(child, ast.Constant | ast.JoinedStr):
        if isinstance(node, ast.Call) and field == "args":
            called = node.func
            return (
                isinstance(called, ast.Name) and (texts.get(called.id) == place or called.id.endswith("Error"))
            ) or (isinstance(called, ast.Name) and called.id == "TypeVar")
        text = child.value if isinstance(child, ast.Constant) else None
        return isinstance(text, str) and " " in text and text.endswith(".")  # a sentence
    return False


def _instead_of(node: ast.expr) -> Iterator[str]:
    """What may stand in the place of an expression."""
    if isinstance(node, ast.Constant):
        yield from _other_constants(node.value)
    elif isinstance(node, ast.JoinedStr):
        yield "''"
    elif isinstance(node, ast.Compare):
        for place, known in enumerate(node.ops):
            for other in COMPARISONS[type(known)]:
                ops = [*node.ops[:place], other(), *node.ops[place + 1 :]]
                yield ast.unparse(ast.Compare(node.left, ops, node.comparators))
    elif isinstance(node, ast.BoolOp):
        yield ast.unparse(ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values))
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub):
        yield f"({ast.unparse(node.operand)})"
    elif isinstance(node, ast.BinOp) and type(node.op) in ARITHMETIC:
        yield ast.unparse(ast.BinOp(node.left, ARITHMETIC[type(node.op)](), node.right))
    elif isinstance(node, ast.IfExp):
        yield ast.unparse(ast.IfExp(node.test, node.orelse, node.body))


def _other_constants(value: object) -> tuple[str, ...]:
    if isinstance(value, bool):
        return (repr(not value),)
    if isinstance(value, int | float):
        return (repr(value + 1), repr(value - 1))
    if isinstance(value, str):
        return (repr(value + "x"),)
    return ()


def import_changed(change: Change) -> None:
    """From here on the file of the change is imported as changed, under whatever name."""
    loader: Any = importlib.machinery.SourceFileLoader
    known, text = loader.get_code, change.applied()

    def get_code(self: importlib.machinery.SourceFileLoader, fullname: str) -> types.CodeType | None:
        if Path(self.path).resolve() == change.path:
            return compile(text, self.path, "exec", dont_inherit=True)
        found: types.CodeType | None = known(self, fullname)
        return found

    loader.get_code = get_code


def change_functions(change: Change) -> None:
    """Functions that are imported already do what the changed file says.

    That is much quicker, but what they did while they were imported stays.
    """
    changed = _codes_changed(change)
    for known in [found for found in gc.get_objects() if isinstance(found, types.FunctionType)]:
        for code, other in changed:
            if known.__code__ == code and Path(code.co_filename).resolve() == change.path:
                known.__code__ = other
                break


def functions_changed(change: Change) -> set[Place]:
    """The functions within which a change lies; none if it is made while the file is imported."""
    return {(str(change.path), code.co_firstlineno) for code, _ in _codes_changed(change)}


def _codes_changed(change: Change) -> list[tuple[types.CodeType, types.CodeType]]:
    if not change.is_within_function:
        return []
    path = str(change.path)
    before = _functions_in(compile(change.path.read_bytes(), path, "exec", dont_inherit=True))
    after = _functions_in(compile(change.applied(), path, "exec", dont_inherit=True))
    return [pair for pair in zip(before, after, strict=True) if pair[0] != pair[1]]


def _functions_in(code: types.CodeType) -> Iterator[types.CodeType]:
    """The functions of a module and of its classes, with all that they have within."""
    for inner in code.co_consts:
        if isinstance(inner, types.CodeType):
            if inner.co_flags & inspect.CO_OPTIMIZED:
                yield inner
            else:  # a class
                yield from _functions_in(inner)
