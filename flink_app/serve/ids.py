"""Ids in paths, queries and bodies: any characters, a bounded length, and never more than data.

In: strings from the framework. Out: the same strings, fit for Redis keys; or a `Problem`.
"""

from __future__ import annotations

from collections.abc import Iterable

from starlette.convertors import Convertor, register_url_convertor

from flink_app.serve.problems import Problem


class _Id(Convertor[str]):
    """The rest of a path, slashes and line feeds included."""

    regex = r"[\s\S]+"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("id", _Id())


def checked(ids: Iterable[str], what: str, longest: int) -> None:
    """Check that a key can be made of each id.

    Args:
        longest: limit in bytes of UTF-8, `events.max_id_bytes`.

    Raises:
        Problem: one is empty, too long, or not valid Unicode.

    >>> checked(["a/b", "Zoë"], "user", 512)
    >>> checked(["a", ""], "user", 512)
    Traceback (most recent call last):
    flink_app.serve.problems.Problem: the user '' is empty.
    """
    for one in ids:
        try:
            size = len(one.encode())
        except UnicodeEncodeError:
            raise Problem(422, "bad-id", f"the {what} contains half of a surrogate pair.") from None
        if not size:
            raise Problem(422, "bad-id", f"the {what} '' is empty.")
        if size > longest:
            limit = f"more than events.max_id_bytes: {longest}"
            raise Problem(422, "bad-id", f"the {what} {one[:40]!r}… has {size:,} bytes, {limit}.")
