"""Messages of several lines of CSV, as a Kafka message may be: cut, and read as lines.

In: messages, and what reads lines. Out: `RawColumns` whose rows name their messages and, as
elements, their lines.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from udfs.events.raw_columns import RawColumns


def has_several(message: str) -> bool:
    """Whether a message has a line end within it.

    >>> has_several("a,b\\r\\n"), has_several("a,b\\nc,d")
    (False, True)
    """
    return "\n" in message.strip("\r\n")


def read_messages(
    read: Callable[[Sequence[str]], RawColumns], messages: Sequence[str], quote: str
) -> RawColumns:
    """The columns of all lines of `messages`, by what reads lines."""
    lines: list[str] = []
    message_of: list[int] = []
    elements: list[int] = []
    for index, message in enumerate(messages):
        parts = _lines(message, quote)
        lines += parts
        message_of += [index] * len(parts)
        elements += range(len(parts)) if len(parts) > 1 else [-1]
    raw = read(lines)
    raw.elements = [elements[line] for line in raw.rows]
    raw.rows = [message_of[line] for line in raw.rows]
    raw.rejected = [
        replace(bad, index=message_of[bad.index], element=elements[bad.index])
        for bad in raw.rejected
    ]
    return raw


def _lines(message: str, quote: str) -> list[str]:
    """The lines of a message, which end where no quote is open; blank ones inside are left out."""
    lines: list[str] = []
    for part in message.strip("\r\n").split("\n"):
        if lines and quote and lines[-1].count(quote) % 2:
            lines[-1] += "\n" + part
        else:
            lines.append(part)
    return [line for line in lines if line.strip()] or [""]
