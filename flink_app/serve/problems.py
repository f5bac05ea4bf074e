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

from flink_app.serve.methods import allowed
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
        shows_example: whether a body that the route takes would help.
    """

    def __init__(
        self,
        status: int,
        slug: str,
        detail: str,
        more: dict[str, Any] | None = None,
        retry_s: int = 0,
        shows_example: bool = False,
    ) -> None:
        super().__init__(detail)
        self.status, self.slug, self.more, self.retry_s = status, slug, more or {}, retry_s
        self.shows_example = shows_example

    def and_says(self, more: str) -> Problem:
        """The same problem, with a further sentence."""
        return Problem(self.status, self.slug, f"{self} {more}", self.more, self.retry_s)

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
        slug, path = _BY_STATUS.get(error.status_code, "bad-request"), request.scope["path"]
        headers, detail = dict(error.headers or {}), str(error.detail)
        if error.status_code == 404:
            detail = _nothing_at(app, request.method, path)
        elif error.status_code == 405:
            headers["Allow"] = allow = ", ".join(allowed(app.routes, path))
            if request.method == "OPTIONS":
                return Response(status_code=204, headers=headers)
            detail = f"{request.method[:20]} is not allowed at {path[:200]}: {allow} are."
        elif error.status_code == 413:
            detail = TOO_LARGE
        response = Problem(error.status_code, slug, detail).response()
        response.headers.update(headers)
        return response

    @app.exception_handler(RequestValidationError)
    async def not_valid(_: Request, error: RequestValidationError) -> Response:
        return invalid(error).response()

    @app.exception_handler(Exception)
    async def unforeseen(_: Request, error: Exception) -> Response:
        return FAILED.response()


def _nothing_at(app: FastAPI, method: str, path: str) -> str:
    """Where there is nothing, perhaps because of a slash too many."""
    meant = "/" + "/".join(part for part in path.split("/") if part)
    if meant != path and meant != "/" and method in allowed(app.routes, meant):
        return f"There is nothing at {path[:200]}: write {meant[:200]}, without further slashes."
    return f"There is nothing at {path[:200]}: see /docs for what there is."


def invalid(error: RequestValidationError) -> Problem:
    """The problem of parameters or a body that are not what a route takes."""
    errors = error.errors()[:5]
    if errors[0]["type"] == "json_invalid":
        why, at = errors[0]["ctx"]["error"], errors[0]["loc"][-1]
        detail = f"The body is not JSON: {why} at character {at}."
        return Problem(400, "not-json", detail, shows_example=True)
    parts = [f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}" for one in errors]
    of_body = any(one["loc"][0] == "body" for one in errors)
    return Problem(422, "invalid-request", "; ".join(parts) + ".", shows_example=of_body)
