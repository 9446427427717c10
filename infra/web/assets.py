"""Files that pages load: styles, scripts, the typeface; each under an address that changes with its content."""

import gzip
from functools import cache
from hashlib import sha256
from pathlib import Path

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

FOLDER = Path(__file__).parent / "static"
_TEXTS = (".css", ".js", ".svg", ".txt")
_FOR_A_YEAR = "public, max-age=31536000, immutable"


@cache
def address(name: str) -> str:
    """Where a page finds a file."""
    digest = sha256((FOLDER / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={digest}"


@cache
def packed(name: str) -> bytes:
    """A file as it is sent: as it was compressed with much time, or else compressed once, not for each who asks."""
    beforehand = FOLDER / "packed" / f"{name}.gz"
    return beforehand.read_bytes() if beforehand.exists() else gzip.compress((FOLDER / name).read_bytes(), 9, mtime=0)


class Assets(StaticFiles):
    """Serves the files: whoever has one under its address need not ask again."""

    def __init__(self) -> None:
        super().__init__(directory=FOLDER)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file at a path."""
        response = await super().get_response(path, scope)
        if response.status_code == 200 and scope["query_string"]:
            response.headers["cache-control"] = _FOR_A_YEAR
        takes = "gzip" in Headers(scope=scope).get("accept-encoding", "")
        if response.status_code != 200 or scope["method"] != "GET" or not takes or not path.endswith(_TEXTS):
            return response
        kept = {
            name: response.headers[name]
            for name in ("content-type", "last-modified", "cache-control")
            if name in response.headers
        }
        return Response(packed(path), headers={**kept, "content-encoding": "gzip", "vary": "Accept-Encoding"})
