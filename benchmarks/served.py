"""A simulated platform whose users are shown the learner's lists, measured against the truth.

In: a `Trial`. Out: `Shown`, a row for each list that a user was shown. The learner is the job's,
`udfs.learning.learner`, with the configuration's settings and with events that pass as lines of
JSON through the job's decoder; Flink and Redis are not involved.
"""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from flink_app.config import load
from flink_app.graph.event_settings import decode_settings
from flink_app.simulator.actions import Actions
from flink_app.simulator.scenarios import open_world
from flink_app.simulator.settings import WorldSettings
from flink_app.simulator.truth import click_probability, expected_clicks
from udfs.events.batch import make_batch
from udfs.events.decode import Decoder
from udfs.events.items import ItemReader
from udfs.events.people import PeopleReader
from udfs.events.settings import DecodeSettings
from udfs.feed.metadata import Described as Told
from udfs.feed.metadata import described
from udfs.learning.learner import Learner
from udfs.models.content.features import content_vector
from udfs.models.segments.names import likes_of, of_profile
from udfs.models.social.source import follows_of
from udfs.state.handles import MemoryRows

LENGTH = 10
"""Items of a shown list."""
RIVALS = ("best", "popular", "random")
"""Lists compared with the served one: the best by the truth, the popular one, random items."""


class _Event(msgspec.Struct, frozen=True, omit_defaults=True):
    """An event as its line has it; one without an item is a search."""

    user: str
    type: str
    item: str = ""
    value: float | None = None
    ts: int = 0
    rec: str = ""


_ITEM = b'{"kind":"item",'
_encode, _decode = msgspec.json.encode, msgspec.json.Decoder(_Event).decode


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """A world, the job's settings, and the length of a trial.

    Attributes:
        settings: "section.option=value", on top of the defaults. muted: event types not sent.
        blocks: in each, an eighth of the users has a session, which begins with a list.
        upset: share of the users whose tastes change abruptly after half the blocks, 0 to 1, in
            addition to the world's own drift.
        batch: number of events that are learned at once, which limits the freshness of lists.
    """

    world: WorldSettings
    settings: tuple[str, ...] = ()
    muted: tuple[str, ...] = ()
    blocks: int = 100
    upset: float = 0.0
    batch: int = 32


class Shown(msgspec.Struct, frozen=True, eq=False):
    """n lists in order of time, with the expected clicks of each and of its rivals.

    Attributes:
        blocks: int64[n], the block of each list. served, rivals: float64[n], float64[n, 3]:
            expected clicks of the served list and of `RIVALS`, see `truth.expected_clicks`.
        wanted, taken, hits: int64[m] twice, bool[m], for each item of the best lists: the block,
            how often anybody had taken it before, and whether the served list has it.
        events: number of events learned, by type.
    """

    blocks: NDArray[np.int64]
    served: NDArray[np.float64]
    rivals: NDArray[np.float64]
    events: dict[str, int]
    wanted: NDArray[np.int64]
    taken: NDArray[np.int64]
    hits: NDArray[np.bool_]


class Stage:
    """A world and a learner, and the lists and events between them."""

    def __init__(self, trial: Trial) -> None:
        self.trial, self.world = trial, open_world(trial.world)
        seed = trial.world.seed
        given = (f"lists.length={LENGTH}", "job.item_shards=1", f"model.seed={seed}")
        config = load(None, [*given, *trial.settings], {}).config
        self.learner = Learner(config.settings)
        self._decoder = Decoder(decode_settings(config))
        self._rows, self._history = MemoryRows(), MemoryRows()
        self._learned, self._now = 0, float(trial.world.start_ms)
        self._random, self._draws = np.random.default_rng(seed).spawn(2)
        self._seen = np.zeros((self.world.users, self.world.items), np.bool_)
        self._sessions: set[int] = set()
        self._events: dict[str, int] = {}
        self._taken = np.zeros(self.world.items, np.int64)
        self._catalogue = Described(decode_settings(config))
        self._people = Said(decode_settings(config), self.learner)
        self._rows_shown: list[tuple[int, float, list[float]]] = []
        self._wanted: list[tuple[int, int, bool]] = []

    def run(self) -> Shown:
        """Run all blocks."""
        trial = self.trial
        for block in range(trial.blocks):
            if block == trial.blocks // 2 and trial.upset:
                self.world.unsettle(trial.upset)
            self._play(block)
        blocks, served, rivals = map(np.array, zip(*self._rows_shown, strict=True))
        wanted = map(np.array, zip(*self._wanted, strict=True))
        return Shown(blocks, served, rivals, self._events, *wanted)

    def _play(self, block: int) -> None:
        """Run one block: before the first action of a session, its user sees a list."""
        actions = self.world.advance()
        self._grow()
        self._tell(self.world.news(int(self._now)), int(self._now))
        people, place = np.unique(actions.users, return_inverse=True)
        truth = self.world.affinities(people)
        liking = truth[place, np.minimum(actions.items, truth.shape[1] - 1)]
        disliked = self.world.objections(self._random, actions, liking)
        for begin in range(0, len(actions), self.trial.batch):
            rows = slice(begin, begin + self.trial.batch)
            sessions, first = np.unique(actions.sessions[rows], return_index=True)
            fresh = [number not in self._sessions for number in sessions.tolist()]
            guests = place[rows][first[fresh]]
            self._sessions.update(sessions.tolist())
            events = self._show(block, people[guests], truth[guests]) if len(guests) else []
            for event, dislike in zip(
                self._told(actions.take(rows)), disliked[rows].tolist(), strict=True
            ):
                events.append(event)
                if dislike:
                    events.append(_Event(event.user, "dislike", event.item))
            self._learn(events)

    def _tell(self, lines: list[bytes], now_ms: int) -> None:
        """Let the learner know what there is to know of items and users, and which are over."""
        items = [line for line in lines if line.startswith(_ITEM)]
        self._people.take([line for line in lines if not line.startswith(_ITEM)], now_ms)
        if entries := self._catalogue.take(items, now_ms):
            self.learner.describe(entries, now_ms)
        elif now_ms >= self.learner.catalogue.metadata.changes_at:
            self.learner.show_items(now_ms)

    def _told(self, actions: Actions) -> list[_Event]:
        """The world's own events, without their times."""
        lines = self.world.lines(actions, [0] * len(actions), 0, "")
        return [_decode(line) for line in lines]

    def _grow(self) -> None:
        """Extend the arrays for new users and items."""
        users, items = self._seen.shape
        more = ((0, self.world.users - users), (0, self.world.items - items))
        self._seen, self._taken = np.pad(self._seen, more), np.pad(self._taken, more[1])

    def _show(
        self, block: int, users: NDArray[np.int64], truth: NDArray[np.float32]
    ) -> list[_Event]:
        """Show each user (int64[n]; truth: float32[n, items]) a list; returns their reactions."""
        served, popular = self._lists(users), self._lists(users, "popular")
        events: list[_Event] = []
        for row, user in enumerate(users.tolist()):
            chances = click_probability(truth[row])
            unseen = np.flatnonzero(~self._seen[user] & self.world.available)
            best = unseen[np.argsort(-chances[unseen], kind="stable")[:LENGTH]]
            drawn = self._draws.choice(unseen, min(LENGTH, len(unseen)), replace=False)
            rivals = [float(expected_clicks(chances[r])) for r in (best, popular[row], drawn)]
            shown = served[row]
            hits, taken = np.isin(best, shown).tolist(), self._taken[best].tolist()
            self._wanted += [(block, *one) for one in zip(taken, hits, strict=True)]
            self._rows_shown.append((block, float(expected_clicks(chances[shown])), rivals))
            for one in self.world.answer(self._random, user, shown, truth[row, shown]):
                item = int(shown[one.position])
                self.world.heed(user, item, one)
                events.append(_Event(f"u{user}", one.kind, f"i{item}", one.value))
        return events

    def _lists(self, users: NDArray[np.int64], model: str = "") -> list[NDArray[np.int64]]:
        """The numbers of the items of each user's list, as served, or as a model would rank them,
        best first."""
        names = [f"u{user}" for user in users.tolist()]
        learner = self.learner
        found = learner.users.locate(names, self._rows, self._history, learner.catalogue)
        slots = np.array([found[name] for name in names], np.int32)
        self._people.tell(found)
        lists = [np.empty(0, np.int64)] * len(names)
        models, now, all_rows = learner.models, int(self._now), np.arange(len(names))
        for _, at, made in models.rank(slots, now, model) if model else models.tell(slots, now):
            for row, items in zip(all_rows[at].tolist(), made.items[:, :LENGTH], strict=True):
                ids = learner.catalogue.names(items[items >= 0].tolist())
                lists[row] = np.array([int(name[1:]) for name in ids], np.int64)
        return lists

    def _learn(self, events: list[_Event]) -> None:
        """Send events to the learner, except those of muted types."""
        for event in events:
            if event.type != "impression" and event.item:
                item = int(event.item[1:])
                self._seen[int(event.user[1:]), item] = True
                self._taken[item] += event.type != "dislike"
        sent = [event for event in events if event.type not in self.trial.muted]
        if not sent:
            return
        times = self._now + np.cumsum(self.world.gaps(len(sent)))
        self._now = float(times[-1])
        lines = []
        for event, ts in zip(sent, times.astype(int).tolist(), strict=True):
            self._events[event.type] = self._events.get(event.type, 0) + 1
            lines.append(_encode(msgspec.structs.replace(event, ts=ts)).decode())
        d = self._decoder.decode(lines, int(self._now))
        batch = make_batch(d.users, d.items, d.weights, d.flags, d.ts, d.ids, int(self._now))
        self.learner.learn(batch, self._rows, self._history, self._learned, int(self._now))
        self.learner.messages(int(self._now))
        self._learned += len(batch)


class Described:
    """What the learner is told of the items, as the job would tell it."""

    def __init__(self, settings: DecodeSettings) -> None:
        self._reader = ItemReader(settings)
        self._fields: dict[str, dict[str, Any]] = {}

    def take(self, lines: list[bytes], now_ms: int) -> list[Told]:
        """What is known after these lines of the items that they are of."""
        found = self._reader.decode([line.decode() for line in lines], now_ms)
        entries = []
        for change in found.changes:
            fields = self._fields.setdefault(change.item, {})
            fields.update(change.fields)
            content = content_vector(fields).tobytes()
            entries.append(described(change.item, change.ts, fields, content))
        return entries


class Said:
    """What users have said of themselves, as the job would tell it when it loads a user."""

    def __init__(self, settings: DecodeSettings, learner: Learner) -> None:
        self._reader, self._models = PeopleReader(settings), learner.models
        self._fields: dict[str, dict[str, Any]] = {}

    def take(self, lines: list[bytes], now_ms: int) -> None:
        """Note what these lines say."""
        for change in self._reader.decode([line.decode() for line in lines], now_ms).changes:
            self._fields.setdefault(change.user, {}).update(change.fields)

    def tell(self, slots: dict[str, int]) -> None:
        """Tell it of these users, by their cache slots."""
        for name, slot in slots.items():
            if (fields := self._fields.get(name)) is None:
                continue
            self._models.social.follows.put(slot, follows_of(fields))
            self._models.segments.describe_user(slot, of_profile(fields), likes_of(fields))


def run(trial: Trial) -> Shown:
    """Run a trial from the beginning."""
    return Stage(trial).run()
