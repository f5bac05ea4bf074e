"""Events in a request body: split, judged as the job would judge them, and completed.

In: a body (`bytes`) and its content type. Out: `Judged`: the lines to write, and why the others are
rejected, with the reasons of `udfs.events.decode`.
"""

from __future__ import annotations

import itertools
import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from flink_app.config import Config
from flink_app.graph.event_settings import decode_settings
from flink_app.serve.bodies import LINES
from flink_app.serve.problems import Problem
from udfs.events.decode import Decoder, Rejected
from udfs.events.kinds import EXPERIMENT, by_kind
from udfs.events.own_form import KIND, own_form
from udfs.events.places import alternatives
from udfs.events.searches import SearchReader, is_search

_NOTHING = (b"null", b'""')
_BOM = b"\xef\xbb\xbf"
_NO_EVENT = "the line starts or ends an experiment, which only `millirec experiment` does"
_NULL = msgspec.Raw(b"null")
_KIND = msgspec.Raw(msgspec.json.encode(KIND))
_encode = msgspec.json.Encoder().encode
_several = msgspec.json.Decoder(list[msgspec.Raw]).decode
_one = msgspec.json.Decoder(msgspec.Raw).decode
_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode  # the last of equal keys wins


class Judged(msgspec.Struct, frozen=True):
    """The events of a request.

    Attributes:
        lines: the accepted lines of JSON, usually an event each, with an id and a time. users: the
            user of each line, or of the first event on it.
        rejected: events that are not accepted, with the position of their line in the request; a
            line of several events is accepted if one of them is.
        ignored: how many lines are no interactions.
    """

    lines: list[bytes]
    users: list[str]
    rejected: list[Rejected]
    ignored: int = 0


class Judge:
    """Judges events as the job of `config` does."""

    def __init__(self, config: Config) -> None:
        own = decode_settings(config)
        settings = own_form(own)
        # Events of weight 0 are accepted here: the job itself ignores them if it is told to.
        self._searches = SearchReader(settings)
        self._decoder = Decoder(msgspec.structs.replace(settings, zero_weight="learn"))
        self.fields: Mapping[str, str] = settings.preset.fields
        words = {kind: word for word, kind in settings.preset.types.items()}
        self.view = words.get("view", "view")
        """The word for a view."""
        self._id, self._ts = (_keys(self.fields.get(field, ".")) for field in ("id", "ts"))
        self._kind = _KIND if own.preset.format == "csv" else None
        self._named = own.preset.kind
        self._run, self._number = secrets.token_hex(6), itertools.count(1)

    def judge(self, lines: Sequence[bytes], now_ms: int) -> Judged:
        """Accept or reject each of `lines`.

        Args:
            lines: from `split`. now_ms: the current time, given to events without one.

        Raises:
            Problem: they are not UTF-8, or nested too deeply.
        """
        try:
            texts = [line.decode() for line in lines]
        except UnicodeDecodeError:
            raise Problem(400, "not-utf8", "The body is not UTF-8.") from None
        searched = [place for place, text in enumerate(texts) if is_search(text)]
        user_of, rejected = self._searched(texts, searched, now_ms) if searched else ({}, [])
        others: Sequence[int] = range(len(texts))
        if searched:
            others = [place for place in others if place not in searched]
        raw = self._decoder.read([texts[place] for place in others] if searched else texts)
        decoded = self._decoder.check(raw, now_ms)
        accepted = (row for place, row in enumerate(raw.rows) if place not in raw.problems)
        for row, user in zip(accepted, decoded.users, strict=True):
            user_of.setdefault(others[row], user)
        rejected += [replace(one, index=others[one.index]) for one in decoded.rejected]
        ignored = set(range(len(lines))) - {*user_of, *(one.index for one in rejected)}
        unread = [n for n in ignored if _begin(texts[n]) != "{"]
        if any(not _begin(texts[index]) for index in unread):
            raise Problem(400, "not-json", "The body has an empty line.")
        rejected += [Rejected("not_an_object", "the line is not an object", n) for n in unread]
        judged, now = Judged([], [], rejected, len(ignored) - len(unread)), str(now_ms).encode()
        for index, user in sorted(user_of.items()):
            try:
                kind = None if index in searched else self._kind
                line = self._whole(lines[index], now, kind)
                if EXPERIMENT.name in by_kind([line.decode()], self._named):
                    judged.rejected.append(Rejected("not_an_event", _NO_EVENT, index))
                    continue
                judged.lines.append(line)
                judged.users.append(user)
            except RecursionError:
                detail = "The body nests arrays or objects too deeply."
                raise Problem(400, "not-json", detail) from None
            except (msgspec.MsgspecError, ValueError) as error:
                detail = f"the line is not one object of strict JSON: {error}"
                reason = "not_json" if _begin(texts[index]) == "{" else "not_an_object"
                judged.rejected.append(Rejected(reason, detail, index))
        judged.rejected.sort(key=lambda one: (one.index, one.element))
        return judged

    def _searched(
        self, texts: Sequence[str], places: Sequence[int], now_ms: int
    ) -> tuple[dict[int, str], list[Rejected]]:
        """The users of the searches at some places by place, and those that are rejected."""
        found = self._searches.decode([texts[place] for place in places], now_ms)
        rejected = [replace(one, index=places[one.index]) for one in found.rejected]
        bad = {one.index for one in rejected}
        good = (place for place in places if place not in bad)
        users = (search.user for search in found.searches)
        return dict(zip(good, users, strict=True)), rejected

    def _whole(self, line: bytes, now: bytes, kind: msgspec.Raw | None) -> bytes:
        """The line with an id, a time and its kind, if that must be named, so that writing it
        again, or later, changes nothing.

        It has each key once. If the client sent a key twice, the last value counts, as it does for
        the job.
        """
        members = members_of(line)
        fill(members, self._id, self._fresh_id)
        fill(members, self._ts, lambda: now)
        if kind is not None:
            members["kind"] = kind
        return line_of(members)

    def _fresh_id(self) -> bytes:
        return f'"http-{self._run}-{next(self._number):x}"'.encode()

    def event(self, values: Mapping[str, Any]) -> bytes:
        """A line of JSON in the form that the job reads, from millirec's own fields.

        Args:
            values: by name, as in `udfs.events.presets.FIELDS`; None is left out.
        """
        whole: dict[str, Any] = {}
        for field, places in self.fields.items():
            if values.get(field) is not None:
                # Rather a place of the line itself than one in a list of it.
                path = min(alternatives(places), key=lambda place: "[]" in place)
                *above, last = path.split(".")
                branch = whole
                for key in above:
                    name, listed, _ = key.partition("[]")
                    branch = (
                        branch.setdefault(name, [{}])[0] if listed else branch.setdefault(name, {})
                    )
                branch[last] = values[field]
        return _encode(whole)


def _begin(text: str) -> str:
    """The first character of a line that is not a blank or a byte order mark; "" if there is
    none."""
    return text.strip().strip("\ufeff").strip()[:1]


def _keys(places: str) -> list[str]:
    """The keys of an object that hold a field; none if it may be deeper inside."""
    found = alternatives(places)
    return [] if any("." in place or "[" in place for place in found) else found


def members_of(line: bytes) -> dict[str, msgspec.Raw]:
    """The members of a JSON object, undecoded; the last of equal keys wins.

    Raises:
        msgspec.MsgspecError: it is none.
    """
    return _members(line)


def fill(members: dict[str, msgspec.Raw], keys: Sequence[str], value: Callable[[], bytes]) -> None:
    """Give a field a value if none of the keys that may hold it, if there are any, has one."""
    if keys and all(bytes(members.get(key, _NULL)) in _NOTHING for key in keys):
        members[keys[0]] = msgspec.Raw(value())


def line_of(members: Mapping[str, msgspec.Raw]) -> bytes:
    """The object as one line, in which each key stands once, also in objects inside."""
    whole = {
        name: _tree(bytes(value)) if b"{" in bytes(value) else value
        for name, value in members.items()
    }
    line = _encode(whole)
    # Arrays may still have line breaks between their elements.
    return msgspec.json.format(line, indent=-1) if b"\n" in line or b"\r" in line else line


def _tree(value: bytes) -> Any:
    """The decoded value, with numbers kept as written; the last of equal keys wins."""
    return json.loads(value, parse_int=_number, parse_float=_number)


def _number(digits: str) -> msgspec.Raw:
    return msgspec.Raw(digits.encode())


def split(body: bytes, content_type: str, most: int, what: str = "events") -> list[bytes]:
    """The events in a body: a JSON object, an array of them, or lines of JSON.

    Args:
        content_type: as `bodies` leaves it: one of `LINES`, else the body is JSON. what: the
            objects are.

    Raises:
        Problem: the body is not JSON, has no events, or has more than `most`.

    >>> split(b'[{"a": 1}, {"b": 2}]', "application/json", 10)
    [b'{"a": 1}', b'{"b": 2}']
    """
    if content_type in LINES:
        parts = [line.strip().lstrip(_BOM).strip() for line in body.split(b"\n")]
        events = [part for part in parts if part]
    else:
        events = _events(body)
    if not events:
        raise Problem(422, f"no-{what}", f"The body contains no {what}.", shows_example=True)
    if len(events) > most:
        detail = f"The body contains {len(events):,} {what}, more than serve.max_batch: {most:,}."
        raise Problem(413, "batch-too-large", detail)
    return events


def _events(body: bytes) -> list[bytes]:
    try:
        found = _several(body) if body.lstrip()[:1] == b"[" else [_one(body)]
        return [bytes(raw) for raw in found]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        detail = f"The body is not JSON: {error}."
        raise Problem(400, "not-json", detail, shows_example=True) from None
