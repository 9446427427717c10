"""Groups of commands that do something without one: they list what they are about."""

import typer
from typer.core import TyperGroup


def listing_by_default(name: str) -> type[TyperGroup]:
    """A group whose command of that name is run where none is given: `revisions sales` is `revisions list sales`."""

    class ListByDefault(TyperGroup):
        """Adds the name of the command."""

        def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]  # typer's own context
            """The words, with a command before them."""
            if not args or (args[0] not in self.commands and args[0] != "--help"):
                args = [name, *args]
            return super().parse_args(ctx, args)

    return ListByDefault
