"""Compressed request bodies, decompressed no further than the limit.

In: a body and its Content-Encoding. Out: the body without its compression; or a `Problem`.
"""

from __future__ import annotations

import asyncio
import gzip
import io
import zlib

from flink_app.serve.problems import Problem

_TOO_LARGE = (
    "The body is larger than serve.max_body_bytes allows when decompressed: send it in parts."
)


async def decompressed(body: bytes, coding: str, most: int) -> bytes:
    """The body, of at most `most` bytes, whatever its `Content-Encoding`.

    Raises:
        Problem: 415, the coding is another than gzip or deflate; or see `inflated`.
    """
    coding = coding.strip().lower().removeprefix("x-")
    if coding in ("", "identity") or not body:
        return body
    if coding not in ("gzip", "deflate"):
        detail = f"The content encoding is {coding[:60]!r}: send gzip, deflate, or none."
        raise Problem(415, "unsupported-encoding", detail)
    return await asyncio.to_thread(inflated, body, coding, most)


def inflated(body: bytes, coding: str, most: int) -> bytes:
    """The body without its compression, of which no more than `most` bytes are ever made.

    Args:
        coding: "gzip", of one member or several; or "deflate", with zlib's header or without.

    Raises:
        Problem: 413, there is more; 400, it is broken or ends early.

    >>> inflated(gzip.compress(b"ab") + gzip.compress(b"c"), "gzip", 3)
    b'abc'
    """
    try:
        if coding == "gzip":
            with gzip.GzipFile(fileobj=io.BytesIO(body)) as file:
                found = file.read(most + 1)
        else:
            found = _deflated(body, most + 1)
    except (OSError, EOFError, zlib.error) as error:
        detail = f"The body is not what Content-Encoding says, {coding}: {error}."
        raise Problem(400, "not-decompressed", detail) from None
    if len(found) > most:
        raise Problem(413, "body-too-large", _TOO_LARGE)
    return found


def _deflated(body: bytes, most: int) -> bytes:
    """At most `most` bytes. Some clients leave zlib's header out (RFC 9110, 8.4.1.2)."""
    wrapped = body[0] & 15 == 8 and int.from_bytes(body[:2], "big") % 31 == 0
    stream = zlib.decompressobj(zlib.MAX_WBITS if wrapped else -zlib.MAX_WBITS)
    found = stream.decompress(body, most)
    if len(found) < most and not stream.eof:
        raise EOFError("it ends early")
    if stream.unused_data:
        raise EOFError("something follows its end")
    return found
