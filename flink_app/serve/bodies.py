"""Request bodies, as clients send them: decompressed, in UTF-8, of a type that pages of other sites
cannot send; or refused with a sentence that shows what to send.

In: requests to routes that take a body. Out: the same requests with JSON in UTF-8, without a
byte-order mark, to the route's own handler.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Message

from flink_app.config.serve_options import Serve
from flink_app.serve.compression import decompressed
from flink_app.serve.origins import let_in
from flink_app.serve.problems import Problem, invalid

JSON = "application/json"
LINES = ("application/x-ndjson", "application/jsonl", "application/jsonlines")
SIMPLE = ("text/plain", "")
"""The types of `navigator.sendBeacon`, for strings and for bytes. A page may send them anywhere
without asking (https://fetch.spec.whatwg.org/#cors-safelisted-request-header)."""

_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
_CHARSET = re.compile(r';\s*charset\s*=\s*"?([^\s;"]*)', re.IGNORECASE)
_BLANK = b" \t\r\n"
_Handler = Callable[[Request], Coroutine[Any, Any, Response]]


def posted(serve: Serve, example: str, lines: bool = False) -> type[APIRoute]:
    """The class of routes whose bodies are read here.

    Args:
        example: a body that the route takes. lines: whether it takes lines of JSON, too.
    """

    class Posted(APIRoute):
        def get_route_handler(self) -> _Handler:
            handle = super().get_route_handler()
            if self.methods and "GET" in self.methods:
                return handle

            async def handler(request: Request) -> Response:
                try:
                    return await handle(await _read(request, serve, lines))
                except RequestValidationError as error:
                    problem = invalid(error)
                except HTTPException as error:  # of the framework's decoder
                    if error.status_code != 400:
                        raise
                    detail = f"The body cannot be read as JSON: {error.__cause__}."
                    problem = Problem(400, "not-json", detail, shows_example=True)
                except Problem as refused:
                    problem = refused
                if problem.shows_example:
                    raise problem.and_says(_shown(request, example))
                raise problem

            return handler

    return Posted


async def _read(request: Request, serve: Serve, lines: bool) -> Request:
    """The request with a body that the handler can read.

    Raises:
        Problem: it is empty, of a wrong type, or cannot be read. HTTPException: it is too large.
    """
    headers = request.headers
    body = await decompressed(
        await request.body(), headers.get("content-encoding", ""), serve.max_body_bytes
    )
    if not body.strip(_BLANK + codecs.BOM_UTF8 + b"\0"):
        raise Problem(422, "no-body", "The body is empty.", shows_example=True)
    given = headers.get("content-type", "")
    kind = given.partition(";")[0].strip().lower()
    if kind in SIMPLE and headers.get("origin"):
        let_in(headers, request.url.scheme, serve.cors)
        kind = JSON
    _check_type(kind, lines)
    _check_charset(given)
    return _with(request, _in_utf8(body), kind if kind in LINES else JSON)


def _with(request: Request, body: bytes, kind: str) -> Request:
    changed = (b"content-type", b"content-encoding", b"content-length", b"transfer-encoding")
    headers = [one for one in request.scope["headers"] if one[0] not in changed]
    headers += [(b"content-type", kind.encode()), (b"content-length", b"%d" % len(body))]

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return Request({**request.scope, "headers": headers}, receive)


def _check_type(kind: str, lines: bool) -> None:
    if kind == JSON or re.fullmatch(r"application/\S+\+json", kind) or (lines and kind in LINES):
        return
    wanted = f"{JSON}, or for lines of JSON {LINES[0]}" if lines else JSON
    if kind in _FORMS:
        what = f"The content type {kind} is that of forms, and of curl unless told otherwise"
    elif kind == "text/plain":
        what = "The content type text/plain is taken from pages only, with their Origin"
    else:
        what = f"The content type is {kind[:60]!r}" if kind else "There is no Content-Type"
    raise Problem(415, "unsupported-type", f"{what}: send {wanted}.", shows_example=True)


def _check_charset(content_type: str) -> None:
    named = _CHARSET.search(content_type)
    if named is None or not named[1]:
        return
    try:
        known = codecs.lookup(named[1]).name in ("utf-8", "ascii", "utf-8-sig")
    except LookupError:
        known = False
    if not known:
        detail = f"The body's charset is {named[1][:40]!r}: send UTF-8, which is what JSON is in."
        raise Problem(415, "unsupported-type", detail)


def _in_utf8(body: bytes) -> bytes:
    """The body without a byte-order mark.

    >>> _in_utf8(b'\\xef\\xbb\\xbf{}')
    b'{}'
    >>> _in_utf8('{"user":"Zoë"}'.encode("latin-1"))
    Traceback (most recent call last):
    flink_app.serve.problems.Problem: The body is not UTF-8 from byte 11 on, 0xeb: send UTF-8.
    """
    body = body.lstrip(_BLANK)
    if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in body[:4]:
        raise Problem(400, "not-utf8", "The body is in UTF-16 or UTF-32: send UTF-8.")
    try:
        body.decode()
    except UnicodeDecodeError as error:
        where = f"from byte {error.start} on, 0x{body[error.start]:02x}"
        raise Problem(400, "not-utf8", f"The body is not UTF-8 {where}: send UTF-8.") from None
    return body.removeprefix(codecs.BOM_UTF8)


def _shown(request: Request, example: str) -> str:
    """A command that does what the request was meant to."""
    method = f"-X {request.method} " if request.method in ("PUT", "PATCH") else ""
    where = f"{request.url.scheme}://{request.url.netloc[:200]}{request.url.path}"
    return f"For example: curl {method}{where} -H 'Content-Type: {JSON}' -d '{example}'"
