"""Counts what a file of events holds, in the single pass that all checks are made from.

In: `Block`s of lines, the settings that decide their meaning. Out: a `Tally`, of about 30 bytes per
event and 150 per id; the lines themselves are not kept.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import compress
from operator import itemgetter
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from flink_app.data.recorded import Block
from flink_app.data.validate.ids import Found, Ids
from udfs.events.decode import Decoded, Decoder
from udfs.events.item_changes import ItemChange
from udfs.events.items import ItemReader
from udfs.events.kinds import EVENT, EXPERIMENT, INTERACTION, ITEM, PEOPLE, SEARCH, by_kind
from udfs.events.own_form import own_form
from udfs.events.raw_columns import Rejected, shown
from udfs.events.settings import DecodeSettings
from udfs.events.times import iso_text

Ints = NDArray[np.int64]


class Repeats:
    """Finds what occurs more than once, by 64-bit hashes and the numbers of their lines."""

    def __init__(self) -> None:
        self._hashes: list[Ints] = []
        self._places: list[NDArray[np.uint32]] = []

    def add(self, hashes: Ints, places: Ints) -> None:
        """Add n hashes and the numbers of their lines among all lines."""
        self._hashes.append(hashes)
        self._places.append(places.astype(np.uint32))

    def result(self) -> tuple[int, int]:
        """The number of repetitions, and the line of the first one; -1 if there is none."""
        if not self._hashes:
            return 0, -1
        hashes, places = np.concatenate(self._hashes), np.concatenate(self._places)
        order = np.argsort(hashes, kind="stable")
        repeated = hashes[order][1:] == hashes[order][:-1]
        found = places[order][1:][repeated]
        return len(found), int(found.min()) if len(found) else -1


class Tally:
    """What was found in the lines so far.

    Attributes:
        lines, ignored, events: their numbers; ignored are blank lines, headers and what is neither
            an interaction nor about an item. A line may hold several events, or elements that are
            unusable.
        about: what is said about items, by how many lines or elements. described: of which items.
        fields, attributes: how many lines of a source of items alone have each.
        heard: what is said of users, what they search for, and experiments, by kind.
        dead: unusable lines or elements by reason.
        users, items: the ids, with the number of events of each.
        types: events by type. weight_sums: the sum of their weights, by type too.
        untimed: events without a time. first, last: of the times of the others, ms since 1970.
        ahead: events in the future. back: those earlier than their user's previous event.
        named: events with an id. positive: events with a weight above 0.
        low, high: of the ratings. rated, clipped: ratings, and those outside the linear rule.
    """

    def __init__(self, settings: DecodeSettings, now_ms: int) -> None:
        # All events are kept, so that the line of each is known; the limit per minute depends on
        # when events arrive.
        changed = msgspec.structs.replace(settings, zero_weight="learn", user_per_minute=0)
        self._decoders = {
            INTERACTION.name: Decoder(changed),
            EVENT.name: Decoder(own_form(changed)),
        }
        self._rule, self._now = settings.rating, now_ms
        self._types = {word.lower(): kind for word, kind in settings.preset.types.items()}
        self._default = settings.preset.default_type or settings.default_type
        self._reader, self._kind = ItemReader(changed), settings.preset.kind
        self.lines = self.ignored = self.events = self.positive = self.about = 0
        self.described: set[str] = set()
        self.fields, self.attributes = Counter[str](), Counter[str]()
        self.heard: Counter[str] = Counter()
        self._others = {kind.name: kind.reader(changed) for kind in (PEOPLE, SEARCH, EXPERIMENT)}
        self.untimed = self.named = self.rated = self.clipped = 0
        self.low, self.high = np.inf, -np.inf
        self.first, self.last = np.iinfo(np.int64).max, np.iinfo(np.int64).min
        self.dead: dict[str, Found] = {}
        self.ahead, self.back = Found(), Found()
        self.users, self.items = Ids("user"), Ids("item")
        self.types: Counter[str] = Counter()
        self.weight_sums: Counter[str] = Counter()
        self._last_of_user = np.zeros(0, np.int64)
        self._ids, self._same = Repeats(), Repeats()
        self._pairs: list[Ints] = []
        self._files: list[tuple[int, Path, int]] = []  # lines before, path, number of the next

    def add(self, block: Block) -> None:
        """Add a block of lines."""
        kinds = by_kind(block.lines, self._kind)
        self._files.append((self.lines, block.path, block.first))
        if about := kinds.get(ITEM.name):
            self._describe(block, about)
        for name, reader in self._others.items():
            if places := kinds.get(name):
                found = reader.decode([block.lines[place] for place in places], self._now)
                self._reject(found.rejected, places)
                self.heard[name] += found.received - len(found.rejected)
        for name, decoder in self._decoders.items():
            if name in kinds:
                self._add_events(block, np.asarray(kinds[name], np.int64), decoder)
        self.lines += len(block.lines)

    def add_items(self, block: Block) -> None:
        """Add a block of lines from a source of items alone."""
        self._files.append((self.lines, block.path, block.first))
        for change in self._describe(block, range(len(block.lines))):
            self.fields.update(change.fields.keys())
            self.attributes.update(list(change.fields.get("attributes") or ()))
        self.lines += len(block.lines)

    def _describe(self, block: Block, places: Sequence[int]) -> list[ItemChange]:
        """Count what is said about items on some lines of a block, and return it."""
        lines = [block.lines[place] for place in places]
        found = self._reader.decode(lines, self._now, block.files[: len(lines)])
        self._reject(found.rejected, places)
        self.about += len(found.changes)
        self.ignored += found.ignored
        self.described.update(change.item for change in found.changes)
        return found.changes

    def _reject(self, rejected: Sequence[Rejected], places: Sequence[int] | Ints) -> None:
        for bad in rejected:
            what = bad.detail if bad.element < 0 else f"element {bad.element}: {bad.detail}"
            found = self.dead.setdefault(bad.reason, Found())
            self._note(found, what, int(places[bad.index]))

    def _add_events(self, block: Block, own: Ints, decoder: Decoder) -> None:
        """Add the lines of a block at the places `own`."""
        alone = len(own) == len(block.lines)
        lines = block.lines if alone else [block.lines[place] for place in own.tolist()]
        raw = decoder.read(lines, block.files[: len(lines)])
        found = decoder.check(raw, self._now)
        self._reject(found.rejected, own)
        good = np.ones(len(raw.rows), np.bool_)
        good[list(raw.problems)] = False
        at = own[np.asarray(raw.rows, np.int64)[good]]  # indices of the events' lines
        places = at + self.lines
        types = [self._default if word is None else str(word) for word in compress(raw.types, good)]
        timed = np.array([time is not None for time in compress(raw.times, good)], np.bool_)
        users = self.users.add(found.users, lambda n: self.place(int(places[n])))
        items = self.items.add(found.items, lambda n: self.place(int(places[n])))
        self._weigh(types, found.weights)
        self._rate(decoder.ratings(raw)[good])
        self._order(users, found.ts, timed, at)
        self._repeat(found, types, timed, places)
        positive = found.weights > 0
        self.positive += int(positive.sum())
        self._pairs.append(np.unique(users[positive] << 32 | items[positive]))
        self.events += len(found)
        self.ignored += found.ignored

    @property
    def usable(self) -> int:
        """How many lines or elements say something, or nothing on purpose."""
        return self.events + self.about + self.heard.total() + self.ignored

    @property
    def unusable(self) -> int:
        """How many lines or elements cannot be used."""
        return sum(found.count for found in self.dead.values())

    def place(self, line: int) -> str:
        """The file and line number of the `line`th of all lines, from 0."""
        at = bisect_right(self._files, line, key=itemgetter(0)) - 1
        before, path, first = self._files[at]
        return f"{path}, line {first + line - before:,}"

    def same_ids(self) -> Found:
        """Events with the id of an earlier one."""
        return self._found(*self._ids.result())

    def same_events(self) -> Found:
        """Events of the same user, item, type and time as an earlier one."""
        return self._found(*self._same.result())

    def pairs(self) -> int:
        """The number of different pairs of a user and an item with a positive event."""
        return len(np.unique(np.concatenate(self._pairs))) if self._pairs else 0

    def _found(self, count: int, line: int) -> Found:
        return Found(count, "", self.place(line) if count else "")

    def _note(self, found: Found, example: str, index: int, count: int = 1) -> None:
        if not found.count:
            found.example, found.where = example, self.place(self.lines + index)
        found.count += count

    def _weigh(self, types: Sequence[str], weights: NDArray[np.float32]) -> None:
        names = list(dict.fromkeys(types))
        number = {name: n for n, name in enumerate(names)}
        codes = np.fromiter(map(number.__getitem__, types), np.int64, len(types))
        counts = np.bincount(codes, minlength=len(names))
        sums = np.bincount(codes, weights, minlength=len(names))
        for name, count, weight in zip(names, counts.tolist(), sums.tolist(), strict=True):
            word = name.strip().lower()
            kind = self._types.get(word, word)
            self.types[kind] += count
            self.weight_sums[kind] += weight

    def _rate(self, ratings: NDArray[np.float64]) -> None:
        ratings = ratings[~np.isnan(ratings)]
        if not len(ratings):
            return
        self.rated += len(ratings)
        self.low, self.high = min(self.low, ratings.min()), max(self.high, ratings.max())
        outside = np.abs(ratings - self._rule.neutral) > self._rule.scale
        self.clipped += int(outside.sum())

    def _order(self, users: Ints, times: Ints, timed: NDArray[np.bool_], at: Ints) -> None:
        """Count events in the future, and those earlier than their user's previous event."""
        self.untimed += int((~timed).sum())
        users, times, at = users[timed], times[timed], at[timed]
        if not len(times):
            return
        self.first = min(self.first, int(times.min()))
        self.last = max(self.last, int(times.max()))
        ahead = np.flatnonzero(times > self._now)
        if len(ahead):
            first = ahead[0]
            self._note(self.ahead, f"the time {iso_text(times[first])}", int(at[first]), len(ahead))
        short = len(self.users.names) - len(self._last_of_user)
        if short > 0:
            more = np.full(short + len(self._last_of_user), np.iinfo(np.int64).min)
            self._last_of_user = np.concatenate([self._last_of_user, more])
        order = np.argsort(users, kind="stable")
        who, when = users[order], times[order]
        begins = np.concatenate([[True], who[1:] != who[:-1]])
        before = np.concatenate([[0], when[:-1]])
        before[begins] = self._last_of_user[who[begins]]
        self._last_of_user[who] = when  # of several assignments to a user, the last one wins
        late = when < before
        if late.any():
            first = np.flatnonzero(late)[order[late].argmin()]
            user = shown(self.users.names[who[first]])
            text = f"user {user}: {iso_text(when[first])} after {iso_text(before[first])}"
            self._note(self.back, text, int(at[order[first]]), int(late.sum()))

    def _repeat(
        self, found: Decoded, types: list[str], timed: NDArray[np.bool_], places: Ints
    ) -> None:
        events = zip(found.users, found.items, types, found.ts.tolist(), strict=True)
        whole: Iterator[int] = map(hash, events)
        self._same.add(np.fromiter(whole, np.int64, len(found))[timed], places[timed])
        if any(found.ids):
            named = np.array(list(map(bool, found.ids)), np.bool_)
            self.named += int(named.sum())
            hashes = np.fromiter(map(hash, found.ids), np.int64, len(found))

            self._ids.add(hashes[named], places[named])
