"""`log seal` and `log verify`: the log outside of the database."""

from typing import Annotated

import typer

from replayhouse.infra.cli.options import Json, example
from replayhouse.infra.cli.output import print_json, say, seconds_so_far
from replayhouse.infra.cli.proof import answered, tell_verified
from replayhouse.infra.cli.vouching import CheckpointOption, PublicKey, Untrusted
from replayhouse.infra.runtime.telling import count

app = typer.Typer(name="log", help="The log outside of the database.", rich_markup_mode=None)

FolderArgument = Annotated[
    str, typer.Argument(metavar="DIR", help="The folder of the sealed log, or a URL, such as s3://bucket/log.")
]


@app.command(epilog=example("replayhouse log seal sealed", "replayhouse log seal s3://bucket/log --json"))
def seal(folder: FolderArgument, json: Json = False) -> None:
    """Write what is not yet sealed of the log, as Parquet segments.

    A segment holds whole commits and is never changed. Personal fields stay encrypted in it by the keys of their
    persons, which are not written. The same command again writes what came since; killed, it goes on.
    """
    from replayhouse.infra.cli.warehouse import named_warehouse

    with named_warehouse() as warehouse:
        sealed = warehouse.seal_log(folder)
    if json:
        print_json({**sealed.document(), "seconds": seconds_so_far()})
        return
    segments = count(sealed.segments, "segment")
    if sealed.events:
        say(f"{sealed.folder} holds the log in {segments}: {count(sealed.events, 'event')} came now.")
    else:
        say(f"{sealed.folder} holds the whole log already, in {segments}.")
    say(f"Head of the chain: position {sealed.position:,}, {sealed.chain}")


@app.command(
    epilog=example("replayhouse log verify sealed", "replayhouse log verify sealed --checkpoint 2026-03.checkpoint")
)
def verify(
    folder: FolderArgument,
    checkpoint: CheckpointOption = None,
    public_key: PublicKey = None,
    untrusted: Untrusted = False,
    json: Json = False,
) -> None:
    """Recompute the hash chain of a sealed log from its files alone, without the database.

    Where it does not hold, the exit code is 1, and the first such position is named. With a checkpoint the chain must
    be the one that was signed, as for audit verify.
    """
    from replayhouse.infra.cli.warehouse import named_warehouse

    with answered(json), named_warehouse() as warehouse:
        found = warehouse.verify_sealed(folder, checkpoint, public_key)
    tell_verified(found, json=json, untrusted=untrusted)
