"""The application: pages, API, files and health, put together."""

from importlib.metadata import version

from fastapi import Depends, FastAPI
from starlette.middleware.gzip import GZipMiddleware

from replayhouse.infra.telemetry import metrics_process
from replayhouse.infra.web import faults, health, metrics
from replayhouse.infra.web.again import Again
from replayhouse.infra.web.api import routers as api_routers
from replayhouse.infra.web.asked import refuse_twice
from replayhouse.infra.web.assets import Assets
from replayhouse.infra.web.auth.tokens import Tokens
from replayhouse.infra.web.auth.ways import Loopback, Way
from replayhouse.infra.web.gate import Gate
from replayhouse.infra.web.guard import Guard
from replayhouse.infra.web.jobs import Jobs
from replayhouse.infra.web.meter import Meter
from replayhouse.infra.web.pages import login
from replayhouse.infra.web.pages import routers as page_routers
from replayhouse.infra.web.tracing import spans_of_requests
from replayhouse.infra.web.warehouses import Warehouses

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")
_COMPRESSED_FROM = 1_000  # bytes
_DESCRIPTION = "Reads a warehouse: answers and the rows behind them, moments, the log and its proofs."


def create_app(warehouses: Warehouses, hosts: tuple[str, ...] = LOOPBACK_NAMES, way: Way | None = None) -> FastAPI:
    """The application on a warehouse, asked under these names of hosts; none given, under any.

    `way` finds out who asks; without one it is whoever started the server.
    """
    app = FastAPI(
        title="replayhouse",
        version=version("replayhouse"),
        description=_DESCRIPTION,
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        dependencies=[Depends(refuse_twice)],
        telemetry=spans_of_requests(),
    )
    app.state.warehouses = warehouses
    app.state.jobs = Jobs(warehouses.settings)
    app.state.telling_prometheus = metrics.Telling(warehouses.measuring())
    for router in (*api_routers(), health.router, metrics.router):
        app.include_router(router)
    for router in page_routers():
        app.include_router(router, include_in_schema=False)
    if isinstance(way, Tokens):
        app.state.way = way
        app.include_router(login.router, include_in_schema=False)
    app.mount("/static", Assets(), name="static")
    faults.register(app)
    app.add_middleware(Again)
    app.add_middleware(Gate, way=way or Loopback(warehouses.settings.actor))
    app.add_middleware(GZipMiddleware, minimum_size=_COMPRESSED_FROM, compresslevel=6)
    app.add_middleware(faults.Unexpected)
    app.add_middleware(Meter)
    app.add_middleware(Guard, hosts=hosts)
    metrics_process.count_from_here()
    return app
