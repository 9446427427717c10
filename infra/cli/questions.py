"""`questions`, `ask`: the business questions, answered with table, chart and a sentence."""

import json as json_module
import shutil
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from replayhouse.infra.cli import streams
from replayhouse.infra.cli.options import Force, Json, example
from replayhouse.infra.cli.output import print_json, say, say_prose, seconds_so_far, shown, table, warn
from replayhouse.infra.cli.time_travel import SourceOption
from replayhouse.infra.runtime.errors import UsageError
from replayhouse.infra.runtime.telling import count

if TYPE_CHECKING:
    from replayhouse.infra.answers.answer import Answer
    from replayhouse.infra.application.answer_history import History
    from replayhouse.infra.application.api.warehouse import Warehouse
    from replayhouse.infra.application.ask import Figure

Search = Annotated[
    list[str] | None, typer.Argument(metavar="SEARCH", help="Words that stand in title, group or definition.")
]
Number = Annotated[str, typer.Argument(metavar="N", help="Number of the question, or all.")]
Given = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="Set a parameter of the question; may be repeated."),
]
At = Annotated[
    str | None,
    typer.Option(
        "--at",
        metavar="MOMENT",
        help="As of a moment: a position of the log, a recorded time with its offset, a prefix, a revision (r2).",
    ),
]
OccurredBefore = Annotated[
    str | None,
    typer.Option("--occurred-before", metavar="TIME", help="Only what had happened by then, local to Brazil."),
]
Csv = Annotated[Path | None, typer.Option("--csv", metavar="FILE", dir_okay=False, help="Write the answer as CSV.")]
Rows = Annotated[
    tuple[str, str] | None,
    typer.Option(
        "--rows",
        metavar="KEY COLUMN",
        help="The rows behind a figure: KEY is the first column's value, or a JSON list where the key has several; a "
        "seller, product or customer may stand in it by the key that it has in its source.",
    ),
]
IsHistory = Annotated[bool, typer.Option("--history", help="What was answered before, load by load.")]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command(epilog=example("replayhouse questions", "replayhouse questions late delivery"))(questions)
    app.command(
        epilog=example(
            "replayhouse ask 22",
            "replayhouse ask 27 --set min_orders=50 --set limit=5",
            "replayhouse ask 22 --at 2026-03-01T12:00-03:00",
            "replayhouse ask 22 --source shop",
            "replayhouse ask 22 --rows 2017-11 late",
            "replayhouse ask all --json",
        )
    )(ask)


def questions(search: Search = None, json: Json = False) -> None:
    """List the business questions, all or those in which the words stand."""
    from replayhouse.infra.cli.warehouse import named_warehouse

    with named_warehouse() as warehouse:
        found = warehouse.questions(" ".join(search or ()))
    if json:
        print_json([one.document() for one in found])
        return
    group = ""
    for one in found:
        if one.question.group != group:
            group = one.question.group
            if one is not found[0]:
                say()
            say(group)
        say(f"  {one.question.number:3}  {one.question.title}")
    if not found:
        say(f"No question has the words {' '.join(search or ())}. replayhouse questions lists all.")


def ask(
    number: Number,
    given: Given = None,
    at: At = None,
    occurred_before: OccurredBefore = None,
    source: SourceOption = None,
    csv: Csv = None,
    rows: Rows = None,
    history: IsHistory = False,
    force: Force = False,
    json: Json = False,
) -> None:
    """Answer a business question, now or as of a moment; ask all answers every one.

    An answer that is kept from before is found again; another is computed from the marts and kept. With --rows it
    lists the rows behind a figure, whose parts add up to it.
    """
    from replayhouse.infra.cli.warehouse import named_warehouse

    parameters = _parameters(given or ())
    with named_warehouse() as warehouse:
        if number == "all":
            if parameters or csv or rows or history:
                raise UsageError(
                    "ask all takes --at, --occurred-before, --source and --json: the rest is for one question."
                )
            _ask_all(warehouse, at, occurred_before, source, wants_json=json)
            return
        asked = _read_number(number)
        if history:
            if at or occurred_before or source or csv:
                raise UsageError("--history tells of the live answers of record: with it go --set, --rows, --json.")
            figure = None if rows is None else (warehouse.figure_key(asked, _read_key(rows[0])), rows[1])
            _tell_history(warehouse.answer_history(asked, parameters), figure, wants_json=json)
            return
        if rows is not None:
            key = warehouse.figure_key(asked, _read_key(rows[0]), source)
            found = warehouse.rows_behind(
                asked, key, rows[1], parameters, at=at, occurred_before=occurred_before, source=source
            )
            _show_figure(found, is_live=at in (None, "live") and not occurred_before, wants_json=json)
            return
        answer = warehouse.ask(asked, parameters, at=at, occurred_before=occurred_before, source=source)
    if csv is not None:
        answer.write_csv(csv, force=force)
    if json:
        of_source = {} if source is None else {"source": source}
        print_json({**answer.document(), **of_source, "seconds": seconds_so_far()})
        return
    show(answer, source)
    if csv is not None:
        say(f"The answer stands in {csv}.")


def _ask_all(
    warehouse: "Warehouse", at: str | None, occurred_before: str | None, source: str | None, *, wants_json: bool
) -> None:
    """Answers all; where some fail, the others are answered all the same, and the exit code is that of wrong input."""
    from replayhouse.infra.answers.asking import FaultyQuestion

    documents, failed = [], 0
    for one in warehouse.ask_all(at=at, occurred_before=occurred_before, source=source):
        if isinstance(one, FaultyQuestion):
            warn(str(one))
            failed += 1
        elif wants_json:
            documents.append({**one.document(), "seconds": seconds_so_far()})
        else:
            say(f"{one.question.number:3}  {one.question.title}")
            say(f"     {one.finding}")
    if wants_json:
        print_json(documents)
    if failed:
        raise typer.Exit(UsageError.exit_code)


def show(answer: "Answer", source: str | None = None) -> None:
    """An answer for people, of a source alone if of one: title, finding, chart, table, and what it rests on."""
    from replayhouse.infra.cli.charts import draw

    asked = answer.question
    say_prose(f"{asked.number}. {asked.title}", "bold")
    say_prose(answer.finding)
    if streams.is_terminal():
        width = shutil.get_terminal_size().columns
        is_unicode = streams.is_unicode(sys.stdout)
        for line in ["", *draw(asked.chart, answer.columns, answer.rows, width, is_unicode=is_unicode)]:
            say(line)
    say()
    table(answer.columns, answer.rows, tell=_told)
    say()
    say_prose(" ".join(_rests_on(answer, source)), "dim")


def _rests_on(answer: "Answer", source: str | None) -> Iterator[str]:
    before = answer.origin.occurred_before
    limit = f", of what the loads of {source} brought" if source is not None else ""
    limit += f", of what had happened by {shown(before)}" if before else ""
    yield f"As of position {answer.position:,} of the log{limit}."
    if answer.origin.parameters:
        yield f"With {', '.join(f'{name}={value}' for name, value in answer.origin.parameters.items())}."
    if answer.question.caveat:
        yield answer.question.caveat


def _told(value: object) -> str:
    """A value of an answer as a person reads it."""
    return f"{value:,}" if isinstance(value, Decimal) else shown(value)


def _show_figure(found: "Figure", *, is_live: bool, wants_json: bool) -> None:
    if wants_json:
        print_json(found.document())
        return
    of, told = "/".join(found.key), _told(found.value)
    if found.made_of:
        parts = ", ".join(f"{name} ({_told(value)})" for name, value in found.made_of.items())
        beyond = found.question.beyond.get(found.column)
        say(f"{found.column} of {of} is {told}. It is made of {parts}: ask for the rows of those.")
        if beyond is not None:
            say(f"It takes in {beyond} as well, whose sums stand behind rows of their own.")
        return
    if not found.rows:
        say(f"{found.column} of {of} is {told}: there are no rows behind it.")
        return
    table(("table", "key", "part"), found.rows, tell=_told)
    say()
    total, makes = sum(row.part for row in found.rows), "makes" if len(found.rows) == 1 else "make"
    say(f"{found.column} of {of} is {told}: {count(len(found.rows), 'row')} {makes} {_told(total)}.")
    first = found.rows[0]
    if is_live and "." in first.table:  # cities and categories are counted, and have no rows of their own
        say(f"To the CSV lines: replayhouse audit lineage {first.table} {first.key.replace('/', ' ')}")


def _tell_history(found: "History", rows: tuple[list[str], str] | None, *, wants_json: bool) -> None:
    figure = None if rows is None else (tuple(rows[0]), rows[1])
    if wants_json:
        print_json(found.document_of(*figure) if figure else found.document())
        return
    told = found.figures(*figure) if figure else found.findings()
    table(("position", "load", "answered at", figure[1] if figure else "finding"), told, tell=_told)
    if found.lacking:
        say()
        say(
            f"Of {count(len(found.lacking), 'load')} no answer is kept. To make those as of the end of one: "
            f"replayhouse ask {found.question.number} --at {found.lacking[-1].position}"
        )


def _parameters(given: "list[str] | tuple[str, ...]") -> dict[str, str]:
    found: dict[str, str] = {}
    for one in given:
        name, equals, value = one.partition("=")
        if not equals:
            raise UsageError(f"'{one}' sets nothing: write --set NAME=VALUE, as in --set min_orders=20.")
        if name in found:
            raise UsageError(f"{name} is set twice: to {found[name]} and to {value}.")
        found[name] = value
    return found


def _read_number(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 9:
        raise UsageError(
            f"'{text}' is no number of a question: replayhouse questions lists them; all answers every one."
        )
    return int(text)


def _read_key(text: str) -> list[str]:
    """The values of a key: a JSON list, or one value as it is."""
    if text.startswith("["):
        try:
            told = json_module.loads(text)
        except ValueError:
            told = None
        if not isinstance(told, list) or not all(type(one) in (str, int) for one in told):
            raise UsageError(f"'{text}' is no key: write a value, or a JSON list of them, as in [\"SP\", 1].")
        return [str(one) for one in told]
    return [text]
