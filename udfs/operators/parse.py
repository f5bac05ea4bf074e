"""The operator `parse`: raw lines of a micro-batch into events by user shard.

In: rows `(lane, JSON array of lines, opened ms)` that Flink SQL made, each line with its position
before the first line feed; a line may be a value of Avro or Protobuf, which becomes one of JSON
first. Out: `(user shard key, packed EventBatch)`; on side outputs, dead letters as JSON, accounts,
and the rows of other kinds of lines for their operators.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from operator import methodcaller
from typing import Any, Literal

import msgspec
from pyflink.datastream import OutputTag, ProcessFunction, RuntimeContext

from udfs.accounts import Account
from udfs.errors import ConfigError
from udfs.events.item_lines import MARK, with_marked
from udfs.events.kinds import EVENT, INTERACTION, ITEM, KINDS, USER_LEARNER, by_kind
from udfs.events.pseudonyms import Pseudonyms
from udfs.events.raw_columns import Rejected
from udfs.events.settings import DecodeSettings
from udfs.formats.values import Values
from udfs.operators.code_check import CodeChecked
from udfs.operators.flink import DEAD_LETTERS, PIECE, STATS, now_ms, piece, report

LINE_MOST = 100_000
"""The maximum characters of a line in its dead letter: escaped, at six bytes each at most, they
still fit into a Kafka record of a megabyte, Kafka's default, so the job does not fail on a dead
letter that it cannot send."""
_LEFT_OUT = (
    "the line, and what is wrong with it, are left out because they may name a user and "
    "privacy.pseudonyms is true: read the line at its source"
)
_lines = msgspec.json.Decoder(list[str]).decode
_json = msgspec.json.Encoder().encode


def output_to(operator: str) -> OutputTag:
    """The side output of `piece`s for an operator that is not the user learner."""
    return OutputTag(operator, PIECE)


class Parse(CodeChecked, ProcessFunction):  # type: ignore[misc]
    """See the module; `udfs.events.kinds` decides how lines are read and where they go.

    Args:
        settings: decide the meaning of a line.
        keys: the Flink key of each shard of the operators that get lines, by operator.
        source: the name before a position, such as "kafka:events"; "" if positions are paths.
        positions: whether each line has its position before it.
        names: the true path behind a file or folder that the job reads by another.
        letters: whether dead letters are sent. A job in which none are written must not: Flink
            knows no side output that nothing is connected to.
        items: whether lines of a source of items alone are among them, and if that reads files.
        pseudonyms: what replaces the ids of users; None: they stay as they are.

    Raises:
        ConfigError: a kind of lines goes to an operator that has no keys.
    """

    def __init__(
        self,
        settings: DecodeSettings,
        keys: Mapping[str, list[int]],
        source: str,
        positions: bool,
        names: Mapping[str, str] = {},
        letters: bool = True,
        items: Literal["", "files", "other"] = "",
        pseudonyms: Pseudonyms | None = None,
    ) -> None:
        for kind in KINDS.values():
            for route in kind.routes:
                if route.operator not in keys:
                    raise ConfigError(
                        f"lines of kind {kind.name!r} go to the operator {route.operator!r}, which "
                        "gets none in this job: give parse its keys and connect its side output"
                    )
        self._settings, self._keys = settings, keys
        self._source, self._positions, self._names = source, positions, names
        self._letters, self._items, self._pseudonyms = letters, items, pseudonyms

    def open(self, context: RuntimeContext) -> None:
        """Build the readers and register the counters."""
        values = self._settings.values
        self._values = Values(values) if values.events or values.items else None
        self._readers = {name: kind.reader(self._settings) for name, kind in KINDS.items()}
        if self._settings.preset.format == "json":  # where they are lines like all others
            self._readers[EVENT.name] = self._readers[INTERACTION.name]
        self._group = context.get_metrics_group()
        self._received = self._group.counter("received")
        self._reasons: dict[str, Any] = {}

    def process_element(self, value: Any, context: ProcessFunction.Context) -> Iterator[Any]:
        """Read one micro-batch, kind by kind."""
        opened = int(value[2])
        tagged = _lines(value[1])
        positions: Sequence[str] = ()
        lines: Sequence[str] = tagged
        if self._positions:
            positions, lines = _cut(tagged)
        account = Account(lines=len(lines))
        if self._values is not None:
            positions, lines = yield from self._read_values(self._values, positions, lines, account)
        now = now_ms()
        kinds = by_kind(lines, self._settings.preset.kind)
        if self._items:
            kinds = with_marked(kinds, positions, ITEM.name)
        for name, places in kinds.items():
            kind = KINDS[name]
            own = _at(lines, places)
            found = self._readers[name].decode(own, now, self._files(positions, places))
            if self._pseudonyms is not None and kind.renamed is not None:
                found = kind.renamed(found, self._pseudonyms.all)
            for route in kind.routes:
                keys = self._keys[route.operator]
                for shard, data in route.parts(found, len(keys), opened):
                    part = piece(keys[shard], data)
                    to_users = route.operator == USER_LEARNER
                    yield part if to_users else (output_to(route.operator), part)
            if kind.told is not None:
                kind.told(found, account)
            account.received += found.received
            account.ignored += found.ignored
            for bad in found.rejected:
                account.dead[bad.reason] = account.dead.get(bad.reason, 0) + 1
                if not self._letters:
                    continue
                place = places[bad.index]
                position, line = positions[place] if positions else "", lines[place]
                yield DEAD_LETTERS, self._letter(bad, position, line, now)
        self._received.inc(account.received)
        for reason, count in account.dead.items():
            self._count(reason, count)
        yield STATS, report(account)

    def _read_values(
        self, values: Values, positions: Sequence[str], lines: Sequence[str], account: Account
    ) -> Generator[Any, None, tuple[Sequence[str], Sequence[str]]]:
        """The positions and lines of the values that become lines; the others are counted, and
        their dead letters sent."""
        items = (n for n, one in enumerate(positions) if one.startswith(MARK))
        found, bad = values.lines(lines, {*items} if self._items else ())
        if not bad:
            return positions, found
        account.received += len(bad)
        for place, (reason, detail, value) in bad.items():
            account.dead[reason] = account.dead.get(reason, 0) + 1
            if self._letters:
                position = positions[place] if positions else ""
                letter = self._letter(Rejected(reason, detail, place), position, value, now_ms())
                yield DEAD_LETTERS, letter
        good = [place for place in range(len(found)) if place not in bad]
        return _at(positions, good), _at(found, good)

    def _files(self, positions: Sequence[str], places: Sequence[int]) -> Sequence[str]:
        """The file of each of some lines; () if none of them is of a file."""
        given = _at(positions, places)
        if not self._items:
            return () if self._source else given
        files = list(map(self._file, given))
        return files if any(files) else ()

    def _file(self, position: str) -> str:
        if position.startswith(MARK):
            return position.removeprefix(MARK) if self._items == "files" else ""
        return "" if self._source else position

    def _letter(self, bad: Rejected, position: str, line: str, now: int) -> str:
        marked = position.startswith(MARK)
        position = _true_path(position.removeprefix(MARK), self._names)
        source = ":".join(part for part in ("" if marked else self._source, position) if part)
        letter: dict[str, str | int] = {"reason": bad.reason, "detail": bad.detail}
        if self._pseudonyms is not None:
            letter["detail"], line = _LEFT_OUT, ""
        letter |= {"source": source, "line": line, "at": now}
        if bad.element >= 0:
            letter["element"] = bad.element
        if len(line) > LINE_MOST:
            letter |= {"line": line[:LINE_MOST], "length": len(line)}
        try:
            return _json(letter).decode()
        except UnicodeEncodeError:  # half of a surrogate pair cannot be encoded
            text = line[:LINE_MOST].encode("utf-8", "backslashreplace").decode()
            letter["line"] = text[:LINE_MOST]
            return _json(letter).decode()

    def _count(self, reason: str, count: int) -> None:
        if reason not in self._reasons:
            self._reasons[reason] = self._group.add_group("reason", reason).counter("dead_letters")
        self._reasons[reason].inc(count)


def _true_path(path: str, names: Mapping[str, str]) -> str:
    """The path behind that of a file or of a folder above it.

    >>> _true_path("/in/1/a", {"/in/1": "/data/_new"}), _true_path("/in/10", {"/in/1": "/x"})
    ('/data/_new/a', '/in/10')
    """
    if path in names:
        return names[path]
    for name, true in names.items():
        if path.startswith(f"{name}/"):
            return true + path.removeprefix(name)
    return path


def _cut(tagged: Sequence[str]) -> tuple[list[str], list[str]]:
    """The positions before the first line feeds, and the lines behind them.

    >>> _cut(["a\\nx", "a\\ny\\nz"]), _cut(["1:2\\nx", "1:3\\ny"])
    ((['a', 'a'], ['x', 'y\\nz']), (['1:2', '1:3'], ['x', 'y']))
    """
    position, feed, _ = tagged[0].partition("\n") if tagged else ("", "", "")
    if feed and all(map(methodcaller("startswith", position + feed), tagged)):  # all of one file
        behind = slice(len(position) + 1, None)
        return [position] * len(tagged), [line[behind] for line in tagged]
    pairs = [line.split("\n", 1) for line in tagged]
    return [pair[0] for pair in pairs], [pair[-1] for pair in pairs]


def _at(values: Sequence[str], places: Sequence[int]) -> Sequence[str]:
    """The values at some places, ascending; () of ()."""
    return values if len(places) >= len(values) else [values[place] for place in places]
