"""`token`: with what programs and people ask `serve --auth token`."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from replayhouse.infra.cli.options import Json, example
from replayhouse.infra.cli.output import print_json, say, shown, table
from replayhouse.infra.runtime.identity import Role

app = typer.Typer(name="token", help="Tokens with which the served warehouse is asked.", rich_markup_mode=None)

RoleArgument = Annotated[Role, typer.Argument(metavar="ROLE", help=f"What it may open: {', '.join(Role)}.")]
Name = Annotated[str, typer.Option("--name", metavar="TEXT", help="Whose it is, as the access log names them.")]
Days = Annotated[int, typer.Option("--days", metavar="N", min=1, help="So many days it is good.")]
Number = Annotated[int, typer.Argument(metavar="ID", help="Its number, as token list shows it.")]


@app.command(epilog=example('replayhouse token create analyst --name "sales board" --days 30'))
def create(role: RoleArgument, name: Name, days: Days = 90, json: Json = False) -> None:
    """Make a token, and show it this once: only its hash is kept.

    Programs send it as `Authorization: Bearer TOKEN`, people log in with it in the browser.
    """
    from replayhouse.infra.cli.warehouse import named_warehouse

    with named_warehouse() as warehouse:
        made = warehouse.create_token(role, name, days)
    if json:
        print_json(made.document())
        return
    kept = made.kept
    say(f"Token {kept.token} for {kept.name}, as {kept.role}, is good until {shown(kept.expires_at)} UTC:")
    say()
    say(f"    {made.secret}")
    say()
    say("It is not shown again.")


@app.command("list", epilog=example("replayhouse token list"))
def list_tokens(json: Json = False) -> None:
    """List all tokens that were ever made: whose they are, and whether they are good."""
    from replayhouse.infra.cli.warehouse import named_warehouse

    with named_warehouse() as warehouse:
        found = warehouse.tokens()
    if json:
        print_json(found.document())
        return
    if not found.tokens:
        say("There are no tokens: replayhouse token create makes one.")
        return
    now = datetime.now(UTC)
    table(
        ("token", "name", "role", "made at", "made by", "expires at", "state"),
        [(it.token, it.name, it.role, it.made_at, it.made_by, it.expires_at, it.state(now)) for it in found.tokens],
    )


@app.command(epilog=example("replayhouse token revoke 3"))
def revoke(number: Number, json: Json = False) -> None:
    """Revoke a token: from the next request on, whoever has it is let in no more."""
    from replayhouse.infra.cli.warehouse import named_warehouse

    with named_warehouse() as warehouse:
        revoked = warehouse.revoke_token(number)
    if json:
        print_json(revoked.document())
        return
    assert revoked.revoked_at is not None  # it is revoked
    say(f"Token {revoked.token} of {revoked.name} is revoked since {shown(revoked.revoked_at)} UTC.")
