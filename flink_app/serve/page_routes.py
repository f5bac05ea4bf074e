"""The live page and the interactive reference: files of millirec, nothing from other hosts.

In: requests for `/`, `/page/…` and `/docs`; which look the page has. Out: files, with a policy that
lets pages load nothing from elsewhere.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
from fastapi import FastAPI
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from udfs.options.sources import SOURCES

FOLDER = Path(__file__).parent / "page"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # with no-referrer the page's beacons say Origin: null
    "Cache-Control": "no-cache",
}


class _Files(StaticFiles):
    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers.update(_HEADERS)
        return response


def reasons() -> str:
    """What the page says of each candidate source, as a module.

    >>> reasons()[:62]
    'export const WORDS = new Map([["item-cf","goes with what you w'
    """
    shown = [(name, source.shown) for name, source in SOURCES.items()]
    return f"export const WORDS = new Map({msgspec.json.encode(shown).decode()});\n"


def install(app: FastAPI, look: str) -> None:
    """Add the page.

    look: the name of a script and of a style sheet in `FOLDER`, which the page takes as its own.
    """

    @app.get("/page/words.js", include_in_schema=False)
    async def words() -> Response:
        return Response(reasons(), media_type="text/javascript", headers=_HEADERS)

    @app.get("/page/look.js", include_in_schema=False)
    async def script() -> Response:
        text = f"export * from './{look}.js';\n"
        return Response(text, media_type="text/javascript", headers=_HEADERS)

    @app.get("/page/look.css", include_in_schema=False)
    async def style() -> Response:
        return FileResponse(FOLDER / f"{look}.css", headers=_HEADERS)

    app.mount("/page", _Files(directory=FOLDER), name="page")

    @app.get("/", include_in_schema=False)
    async def page() -> Response:
        return FileResponse(FOLDER / "index.html", headers=_HEADERS)
