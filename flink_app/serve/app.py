"""Assembles the server: services, routes and middleware.

In: a `Config`. Out: an ASGI application, for `server.run` or any other ASGI server.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from flink_app import __version__
from flink_app.config import Config
from flink_app.serve import (
    event_routes,
    gorse_item_routes,
    gorse_routes,
    item_routes,
    list_routes,
    page_routes,
    problems,
    rank_routes,
    user_routes,
    why_routes,
)
from flink_app.serve.bodies import JSON
from flink_app.serve.evaluation import Evaluation
from flink_app.serve.guard import Guard
from flink_app.serve.methods import Head
from flink_app.serve.metrics import Observed
from flink_app.serve.origins import require_origins
from flink_app.serve.services import Services
from flink_app.serve.shortcut import Shortcut

_ABOUT = "Lists that follow a user's last click. Errors are RFC 9457 problem details."


class Application:
    """The server as an ASGI application: middleware around the routes.

    It wraps FastAPI instead of being registered with it: FastAPI runs its own middleware behind
    layers that take as long as the request itself.
    """

    def __init__(self, config: Config) -> None:
        """Assemble the parts.

        Raises:
            ConfigError, SourceError: redis.url, serve.cors or [source] cannot be used.
            ServiceError: the folder for events cannot be created.
        """
        serve = config.serve
        require_origins(serve.cors)
        self.services = services = Services(config)
        inner: ASGIApp = Guard(Shortcut(_routes(services), services), serve)
        if serve.cors:
            inner = CORSMiddleware(
                inner,
                allow_origins=serve.cors,
                allow_methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
                allow_headers=["content-type", "content-encoding", "x-api-key", "authorization"],
            )
        self._app = Observed(Head(inner), services.metrics)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI request."""
        await self._app(scope, receive, send)


def _routes(services: Services) -> FastAPI:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await services.start()
        yield
        await services.stop()

    app = FastAPIOffline(
        title="millirec",
        version=__version__,
        description=_ABOUT,
        lifespan=lifespan,
        redirect_slashes=False,
        redoc_url=None,
        static_url="/docs/files",
    )
    problems.install(app)
    for module in (
        *(list_routes, rank_routes, event_routes, item_routes),
        *(gorse_routes, gorse_item_routes, user_routes, why_routes),
    ):
        app.include_router(module.routes(services))
    _add_operation(app, services)
    if look := services.config.serve.page:
        page_routes.install(app, look)
    return app


def _add_operation(app: FastAPI, services: Services) -> None:
    evaluation = Evaluation(services.config.serve.evaluation)

    @app.get("/health/live", tags=["operation"], summary="Whether the server is running")
    async def live() -> Response:
        return Response(b'{"status":"ok"}', media_type=JSON)

    @app.get(
        "/health/ready",
        tags=["operation"],
        summary="Whether Redis answers and events can be written",
    )
    async def ready() -> Response:
        parts = {
            "redis": "away" if services.reader.away else "ok",
            "events": "failing" if services.failing else "ok",
        }
        if isinstance(services.inbox.sink, str):
            parts["events"] = "off"
        bad = {"away", "failing"} & set(parts.values())
        body = msgspec.json.encode({"status": "unready" if bad else "ok", **parts})
        return Response(body, 503 if bad else 200, media_type=JSON)

    @app.get("/metrics", tags=["operation"], summary="Counters for Prometheus")
    async def metrics() -> Response:
        text = await asyncio.to_thread(services.metrics.text)
        return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")

    @app.get("/evaluation", tags=["operation"], summary="What the last evaluation has found")
    async def evaluated() -> Response:
        return Response(await asyncio.to_thread(evaluation.body), media_type=JSON)
