"""`revisions` and `revert`: what stands beside the live read models, and the way back to it."""

from typing import TYPE_CHECKING, Annotated

import typer

from replayhouse.domain.contexts import Context
from replayhouse.infra.cli.by_default import listing_by_default
from replayhouse.infra.cli.options import Contexts, Json, example
from replayhouse.infra.cli.output import print_json, say, seconds_so_far, table
from replayhouse.infra.runtime.telling import count

if TYPE_CHECKING:
    from replayhouse.infra.read_models.rebuild.revisions import ListedRevision

LIST = "list"

app = typer.Typer(
    name="revisions",
    cls=listing_by_default(LIST),
    help="Revisions of the read models, and what stands under prefixes. Without a command, lists them.",
    epilog=example("replayhouse revisions", "replayhouse revisions sales --json", "replayhouse revisions drop march"),
    rich_markup_mode=None,
)

To = Annotated[
    int | None,
    typer.Option("--to", metavar="N", min=1, help="The revision; by default the one that was live before this one."),
]


def register(program: typer.Typer) -> None:
    """Adds the command that goes back."""
    program.command(epilog=example("replayhouse revert sales", "replayhouse revert sales --to 3"))(revert)


@app.command(LIST, epilog=example("replayhouse revisions list", "replayhouse revisions sales --json"))
def list_all(contexts: Contexts = None, json: Json = False) -> None:
    """List the revisions of the read models, and what stands under prefixes.

    Kept ones can be swapped in again (replayhouse revert) and compared (replayhouse audit compare). A digest is that of
    all tables together, as of the position at which the revision became the live one.
    """
    from replayhouse.infra.cli.warehouse import named_warehouse

    with named_warehouse() as warehouse:
        found = warehouse.revisions(contexts)
    if json:
        print_json(found.document())
        return
    table(
        ("context", "revision", "status", "position", "events", "live since (UTC)", "reason", "digest"),
        [
            (r.context, r.revision, r.status, r.position, r.events, r.live_at, r.reason, _digest_of(r))
            for r in found.revisions
        ],
    )
    if found.prefixes:
        say()
        table(
            ("prefix", "position", "as of (UTC)", "occurred before", "source", "contexts", "made (UTC)", "digest"),
            [
                (
                    p.prefix,
                    p.position,
                    p.as_of,
                    p.occurred_before,
                    p.source,
                    " ".join(p.contexts),
                    p.made_at,
                    p.digest[:16],
                )
                for p in found.prefixes
            ],
        )


def _digest_of(revision: "ListedRevision") -> str:
    """Of what its tables show now: events may have come since it was taken, and then nobody has taken it."""
    is_of_now = revision.digest is not None and revision.digest_position == revision.position
    return revision.digest[:16] if is_of_now and revision.digest else "-"


@app.command(epilog=example("replayhouse revisions drop march"))
def drop(
    prefix: Annotated[str, typer.Argument(metavar="PREFIX", help="What rebuild --into was given.")], json: Json = False
) -> None:
    """Remove the schemas of a prefix.

    Refused while views of others stand on its tables.
    """
    from replayhouse.infra.cli.warehouse import named_warehouse

    with named_warehouse() as warehouse:
        dropped = warehouse.drop(prefix)
    if json:
        print_json({**dropped.document(), "seconds": seconds_so_far()})
        return
    say(f"The schemas under '{prefix}' are removed.")


def revert(
    context: Annotated[Context, typer.Argument(metavar="CONTEXT", help="Whose read model.")],
    to: To = None,
    json: Json = False,
) -> None:
    """Swap an earlier revision of a read model in again.

    It is brought up to date with the log; the one that was live is kept. Readers see the one or the other.
    """
    from replayhouse.infra.cli.warehouse import named_warehouse

    with named_warehouse() as warehouse:
        done = warehouse.revert(context, to)
    if json:
        print_json({**done.document(), "seconds": seconds_so_far()})
        return
    say(
        f"Revision {done.revision} of {done.context} is live again, in the place of {done.former.revision}, which is "
        f"kept. It stood at position {done.stood_at:,} and was brought up to {done.position:,}: "
        f"{count(done.events, 'event')}."
    )
    if done.parked:
        say(f"{count(done.parked, 'stream')} of it could not be folded: replayhouse status says why.")
