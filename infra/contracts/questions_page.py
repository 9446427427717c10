"""The page of the hundred questions, as Markdown: the terms, and by group what each question says of itself."""

from collections.abc import Iterator
from itertools import groupby

from replayhouse.projections.questions import Question, questions
from replayhouse.projections.questions.glossary import GLOSSARY

_INTRODUCTION = """# The hundred questions

What each question asks, how its answer is defined, and what its columns hold. Made by `make contracts` from
`projections/questions/`: a file for each question, its SQL in it. `replayhouse ask 22` answers question 22 (see
[the command line](command-line.md)); R and a number is one of the [rules](rules-and-tests.md). Tests compute the
answers a second time, from the CSV files, and compare every value."""


def questions_page() -> str:
    """The whole page."""
    lines = (_INTRODUCTION, "", GLOSSARY.read_text(encoding="utf-8").rstrip("\n"), *_groups())
    return "".join(f"{line}\n" for line in lines)


def _groups() -> Iterator[str]:
    for group, some in groupby(questions(), key=lambda question: question.group):
        yield ""
        yield f"## {group}"
        for question in some:
            yield from _question(question)


def _question(question: Question) -> Iterator[str]:
    yield ""
    yield f"### {question.number}. {question.title}"
    yield ""
    yield question.definition
    if question.caveat:
        yield ""
        yield f"*{question.caveat}*"
    yield ""
    yield "| column | type |"
    yield "|---|---|"
    yield from (f"| `{column.name}` | {column.type} |" for column in question.columns)
    yield ""
    if question.parameters:
        told = ", ".join(f"`{one.name}` = {one.default} (at least {one.minimum})" for one in question.parameters)
        yield f"- Parameters: {told}"
    yield f"- Chart: {question.chart['kind']}"
    yield f"- Terms: {'; '.join(question.terms)}"
