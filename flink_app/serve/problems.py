"""Errors as RFC 9457 defines them: every status from 400 on is an `application/problem+json`.

In: `Problem`s that handlers raise, and the framework's own exceptions. Out: responses, each with
`type`, `title`, `status`, `detail`.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import msgspec
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from udfs.errors import MillirecError

TYPE = "urn:millirec:problem:"
"""Before the slug of each type."""

TOO_LARGE = "The body is larger than serve.max_body_bytes allows: send it in parts."
_BY_STATUS = {404: "not-found", 405: "method-not-allowed", 413: "body-too-large"}


class Problem(MillirecError):
    """What is wrong with a request, or why it cannot be answered now.

    Args:
        status: the HTTP status. slug: the end of `type`, stable. detail: a sentence for people.
        more: further members. retry_s: after how many seconds to try again; 0: not said.
    """

    def __init__(
        self,
        status: int,
        slug: str,
        detail: str,
        more: dict[str, Any] | None = None,
        retry_s: int = 0,
    ) -> None:
        super().__init__(detail)
        self.status, self.slug, self.more, self.retry_s = status, slug, more or {}, retry_s

    def response(self) -> Response:
        """The problem as a response."""
        body = {
            "type": TYPE + self.slug,
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": str(self),
            **self.more,
        }
        headers = {"Cache-Control": "no-store"}
        if self.retry_s:
            headers["Retry-After"] = str(self.retry_s)
        if self.status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        return Response(
            msgspec.json.encode(body), self.status, headers, media_type="application/problem+json"
        )


FAILED = Problem(500, "failed", "The server failed to handle this request; its log says why.")
"""The answer where the fault is the server's."""


def install(app: FastAPI) -> None:
    """Turn every exception of `app` into a problem."""

    @app.exception_handler(Problem)
    async def own(_: Request, problem: Problem) -> Response:
        return problem.response()

    @app.exception_handler(HTTPException)
    async def framework(request: Request, error: HTTPException) -> Response:
        slug = _BY_STATUS.get(error.status_code, "bad-request")
        details = {
            404: f"There is nothing at {request.url.path[:200]}: see /docs for what there is.",
            405: f"{request.method} is not allowed here: see /docs for what is.",
            413: TOO_LARGE,
        }
        detail = details.get(error.status_code, str(error.detail))
        response = Problem(error.status_code, slug, detail).response()
        response.headers.update(error.headers or {})
        return response

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> Response:
        parts = [
            f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}"
            for one in error.errors()[:5]
        ]
        return Problem(422, "invalid-request", "; ".join(parts)).response()

    @app.exception_handler(Exception)
    async def unforeseen(_: Request, error: Exception) -> Response:
        return FAILED.response()
