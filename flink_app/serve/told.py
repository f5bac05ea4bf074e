"""Lines about items and about people in a request: judged as the job would judge them, and
completed.

In: lines of JSON from a body, or fields and an id. Out: `Judged`: the lines to write, each with its
kind and a time, so that writing it again, or later, changes nothing; and why others are rejected.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from flink_app.serve.events import Judged, fill, line_of, members_of
from flink_app.serve.problems import Problem
from udfs.events.item_changes import ItemChange
from udfs.events.items import ItemReader
from udfs.events.kinds import ITEM
from udfs.events.people import KINDS, PeopleReader, PersonChange
from udfs.events.raw_columns import Rejected

_encode = msgspec.json.Encoder().encode
_ITEMS = (_encode(ITEM.name),)
_PEOPLE = tuple(map(_encode, KINDS))


class _OtherKind(ValueError):
    pass


class Clock:
    """The clock in ms, but never the same twice: the newest word counts, and an item may be taken
    away and put back within one millisecond."""

    def __init__(self) -> None:
        self._last_ms = 0

    def __call__(self) -> int:
        """Now."""
        self._last_ms = max(time.time_ns() // 1_000_000, self._last_ms + 1)
        return self._last_ms


class Told:
    """Judges lines about items or about people, whichever the job's own reader reads."""

    def __init__(self, reader: ItemReader | PeopleReader, clock: Clock) -> None:
        self._reader, self._clock = reader, clock
        self._kinds = _ITEMS if isinstance(reader, ItemReader) else _PEOPLE

    def judge(self, lines: Sequence[bytes], item: str | None = None) -> Judged:
        """Accept or reject each of `lines`.

        Args:
            lines: from `events.split`. item: what they are about, whatever they say.

        Raises:
            Problem: they are not UTF-8, or nested too deeply.
        """
        now = self._clock()
        whole: list[str] = []
        places: list[int] = []
        rejected: list[Rejected] = []
        for place, line in enumerate(lines):
            try:
                whole.append(self._completed(line, now, item).decode())
                places.append(place)
            except RecursionError:
                detail = "The body nests arrays or objects too deeply."
                raise Problem(400, "not-json", detail) from None
            except UnicodeDecodeError:
                raise Problem(400, "not-utf8", "The body is not UTF-8.") from None
            except _OtherKind as error:
                rejected.append(Rejected("not_an_item", str(error), place))
            except (msgspec.MsgspecError, ValueError) as error:
                detail = f"the line is not one object of strict JSON: {error}"
                rejected.append(Rejected("not_an_object", detail, place))
        found = self._reader.decode(whole, now)
        rejected += [replace(one, index=places[one.index]) for one in found.rejected]
        bad = {one.index for one in found.rejected}
        accepted = [line.encode() for at, line in enumerate(whole) if at not in bad]
        rejected.sort(key=lambda one: one.index)
        return Judged(accepted, list(map(_about, found.changes)), rejected, found.ignored)

    def _completed(self, line: bytes, now_ms: int, item: str | None) -> bytes:
        members = {"kind": msgspec.Raw(self._kinds[0])} | members_of(line)
        if bytes(members["kind"]) not in self._kinds:
            raise _OtherKind(f"the line is of another kind: leave it out, or write {ITEM.name}")
        if item is not None:
            members["item"] = msgspec.Raw(_encode(item))
        fill(members, ("ts",), lambda: b"%d" % now_ms)
        return line_of(members)


def _about(change: ItemChange | PersonChange) -> str:
    return change.item if isinstance(change, ItemChange) else change.user


def parted(lines: Sequence[bytes]) -> tuple[list[int], list[int], list[int]]:
    """The positions of the lines that are events, of those about items, and of those about people.

    >>> parted([b'{"user":"ann","item":"a"}', b'{"kind":"item"}', b'{"kind":"forget"}'])
    ([0], [1], [2])
    """
    events, items, people = list[int](), list[int](), list[int]()
    for at, line in enumerate(lines):
        kind = _kind(line) if b'"kind"' in line else b""
        (items if kind in _ITEMS else people if kind in _PEOPLE else events).append(at)
    return events, items, people


def _kind(line: bytes) -> bytes:
    try:
        return bytes(members_of(line).get("kind", b""))
    except (msgspec.MsgspecError, RecursionError):
        return b""


def together(parts: Sequence[tuple[Judged, Sequence[int]]]) -> Judged:
    """What was judged of the lines of a request in parts, each with the positions of its lines."""
    whole = Judged([], [], [])
    ignored = 0
    for judged, places in parts:
        whole.lines.extend(judged.lines)
        whole.users.extend(judged.users)
        ignored += judged.ignored
        whole.rejected.extend(replace(one, index=places[one.index]) for one in judged.rejected)
    whole.rejected.sort(key=lambda one: (one.index, one.element))
    return replace(whole, ignored=ignored)


def line(item: str, fields: Mapping[str, Any]) -> bytes:
    """A line about an item, from fields as `udfs.events.item_changes` names them."""
    return _encode({"kind": ITEM.name, "item": item, **fields})
