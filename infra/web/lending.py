"""Parameters of views that come from the program: the warehouse that is lent to a request."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, Request

from replayhouse.infra.application.api.warehouse import Warehouse
from replayhouse.infra.web.warehouses import Warehouses


def lend(request: Request) -> Iterator[Warehouse]:
    """Lends a warehouse to a view."""
    warehouses: Warehouses = request.app.state.warehouses
    with warehouses.lend() as warehouse:
        yield warehouse


Lent = Annotated[Warehouse, Depends(lend, scope="function")]
"""A parameter of a view: a warehouse while it is at work. Whoever reads the answer slowly holds none."""
