"""`revisions`: what stands beside the live read models."""

from typing import Annotated

import typer

from infra.cli.options import Json, example
from infra.cli.output import print_json, say, seconds_so_far

app = typer.Typer(name="revisions", help="What stands beside the live read models.", rich_markup_mode=None)


@app.callback()
def _revisions() -> None:
    """Keeps the name of the one command on the line."""


@app.command(epilog=example("replayhouse revisions drop march"))
def drop(
    prefix: Annotated[str, typer.Argument(metavar="PREFIX", help="What rebuild --into was given.")], json: Json = False
) -> None:
    """Remove the schemas of a prefix.

    Refused while views of others stand on its tables.
    """
    from infra.cli.warehouse import open_warehouse
    from infra.postgres.read_models import prefixes

    with (
        open_warehouse() as warehouse,
        warehouse.database.connect("replayhouse revisions drop", autocommit=True) as connection,
    ):
        prefixes.drop(connection, prefix)
    if json:
        print_json({"dropped": prefix, "seconds": seconds_so_far()})
        return
    say(f"The schemas under '{prefix}' are removed.")
