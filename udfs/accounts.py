"""The accounts of a job: what came in, what was done with it, and how fresh the lists were.

In: `Account` messages of `parse`, the user learner and the item learner. Out: totals, exact across
failures because the `stats` operator keeps them in Flink's state, and the fields of the Redis hash
`stats`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import msgspec

from udfs import attributed
from udfs.durations import add, quantile
from udfs.errors import ServiceError
from udfs.experiments.words import Words, merged
from udfs.options.sources import ALWAYS_TESTED

VERSION = 1
LISTS = ("served", ALWAYS_TESTED)
"""The lists whose quality is always measured: those that users get, and the popular one."""
NEVER_TAKEN, SELDOM_TAKEN, RARE = "never_taken", "seldom_taken", 5
"""The served list, tested on items that nobody had taken, and on those with fewer than RARE events;
only once some item is described: no other can be in a list before it is taken."""
NTH = "nth"
"""How the names of the lists begin that an evaluation tests on the n-th events of users."""
NOT_WRITTEN = "dead letters that cannot be written are only counted"
"""How the warning of the operator `letters` begins."""

RATINGS = "ratings"
"""The group of measures for predicted ratings, besides those for lists."""


_SUMS = (
    "lines",
    "received",
    "ignored",
    "learned",
    "duplicates",
    "lists",
    "users",
    "batches",
    "waited",
    "freshness_ms",
    "described",
    "refused",
    "opted_out",
)
_BY_NAME = (
    *("dead", "freshness", "feed", "stages", "quality"),
    *("encoder", "crowd", "models", "attribution", "experiments", "exposure"),
)


class Account(msgspec.Struct, omit_defaults=True):
    """Counts of one batch or of a whole job, which can be added.

    Attributes:
        received: events read, one a line unless a line holds several; an empty or foreign line is
            one too. ignored: blank lines, headers, what is no interaction. dead: unusable lines or
            elements by reason.
        learned, duplicates: events. lists: lists written. users: users seen for the first time.
        freshness: events by bin of `udfs.durations.EDGES`, from event to its list in Redis.
        items: living items by item shard; absolute, the newest counts.
        feed: bytes of the item feed: `changes` and `snapshots` written, `read` by all replicas.
        stages: µs spent in each stage of the user learner.
        batches: pieces of micro-batches learned, one for each user shard. waited: ms, the sum of
            the times from the opening of their windows until learning began.
        quality: sums of measures (see `udfs.learning.quality`). freshness_ms: of `freshness`.
        described: changes of items' metadata that were taken.
        refused, opted_out: events of users who were forgotten later, or want no part in learning.
        lines: lines, or messages, as Flink's source handed them over; 0 in totals of older jobs.
        encoder: vectors by `made:text`, `made:image` and `made:cached`; what got none by
            `failed:<reason>`; how many more are `waiting` than before; µs by `spent:<kind>_us`.
        crowd: events `held` back from learning; users that began to count as `bots`, or a `crowd`.
        models: what has happened with models that a team has brought, see `OwnFile.take`.
        attribution: what became of lists, see `udfs.attributed`.
        experiments: what users did in experiments, see `udfs.experiments.results`. decided: since
            when something is known of them, ms since 1970; of totals only. started: what lines say
            of them, see `udfs.experiments.words`.
        exposure: what lists have shown of the items that rules are about, see
            `udfs.ranking.steps.exposure.Exposure.counted`.
    """

    version: int = VERSION
    received: int = 0
    ignored: int = 0
    dead: dict[str, int] = {}
    learned: int = 0
    duplicates: int = 0
    lists: int = 0
    users: int = 0
    freshness: dict[int, int] = {}
    items: dict[int, int] = {}
    feed: dict[str, int] = {}
    stages: dict[str, int] = {}
    batches: int = 0
    waited: int = 0
    quality: dict[str, float] = {}
    lines: int = 0
    freshness_ms: int = 0
    described: int = 0
    encoder: dict[str, int] = {}
    refused: int = 0
    opted_out: int = 0
    crowd: dict[str, int] = {}
    models: dict[str, int] = {}
    attribution: dict[str, float] = {}
    experiments: dict[str, float] = {}
    decided: dict[str, int] = {}
    exposure: dict[str, float] = {}
    started: Words = {}

    def add(self, other: Account) -> None:
        """Add another account to this one."""
        for name in _SUMS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in _BY_NAME:
            mine, theirs = getattr(self, name), getattr(other, name)
            setattr(self, name, {k: mine.get(k, 0) + theirs.get(k, 0) for k in mine | theirs})
        self.items = self.items | other.items
        self.decided = other.decided | self.decided
        self.started = merged(self.started, other.started)

    def spend(self, stage: str, us: int) -> None:
        """Add microseconds to a stage."""
        self.stages[stage] = self.stages.get(stage, 0) + us

    def note(self, sums: Mapping[str, float]) -> None:
        """Add to the sums of quality."""
        _increase(self.quality, sums)

    def expose(self, sums: Mapping[str, float]) -> None:
        """Add to the sums of exposure."""
        _increase(self.exposure, sums)

    def refreshed(self, ages_ms: Sequence[int]) -> None:
        """Count events whose lists have just been written, so long after each of them.

        >>> account = Account()
        >>> account.refreshed([0, 10, 10])
        >>> account.freshness, account.freshness_ms
        ({0: 1, 25: 2}, 20)
        """
        self.freshness_ms += sum(ages_ms)
        add(self.freshness, ages_ms)

    @property
    def rejected(self) -> int:
        """Dead letters."""
        return sum(self.dead.values())

    @property
    def balanced(self) -> bool:
        """Whether all that was read is accounted for: learned, duplicate, dead, ignored, not to be
        learned, or said of items and users."""
        taken = self.learned + self.duplicates + self.described + self.refused + self.opted_out
        return self.received == taken + self.rejected + self.ignored


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Account).decode


def pack_account(account: Account) -> bytes:
    """An account as MessagePack, for an edge of the graph and for state."""
    return _encode(account)


def unpack_account(data: bytes) -> Account:
    """The account that `pack_account` wrote.

    Raises:
        ServiceError: it has another version, as the totals in an old state may.
    """
    account = _decode(data)
    if account.version != VERSION:
        raise ServiceError(
            f"the totals have form {account.version}, this millirec reads form {VERSION}: restore "
            "with the release that wrote them, or start without the old state."
        )
    return account


def _increase(into: dict[str, float], by: Mapping[str, float]) -> None:
    for name, value in by.items():
        into[name] = into.get(name, 0.0) + value


def means(totals: Mapping[str, float], number: str = "tests") -> dict[str, float]:
    """The means of summed measures, by `<list>:<measure>`; lists without tests are left out.

    For `squared_error` it is the root of the mean, as `rmse`.

    >>> means({"served:tests": 4.0, "served:recall@1": 1.0, "unknown_users": 2.0})
    {'served:tests': 4.0, 'served:recall@1': 0.25, 'unknown_users': 2.0}
    >>> means({"ratings:tests": 4.0, "ratings:squared_error": 9.0})
    {'ratings:tests': 4.0, 'ratings:rmse': 1.5}
    """
    found = {}
    for name, total in totals.items():
        group, colon, measure = name.partition(":")
        per = totals[f"{group}:{number}"] if colon and measure != number else 1.0
        if per and measure == "squared_error":
            found[f"{group}:rmse"] = math.sqrt(total / per)
        elif per:
            found[name] = total / per
    return found


def fields(
    total: Account,
    recent: Account,
    recent_s: int,
    minute: Account,
    now_ms: int,
    shown: Mapping[str, int],
) -> dict[str, str]:
    """The fields of the Redis hash `stats`: totals, rates, and quantiles of the last minute.

    Args:
        total: since the job began. recent: of the last `recent_s` seconds. minute: of the last 60.
        shown: how many items were in the first 10 of a tested list, by list.
    """
    items = sum(total.items.values())
    values: dict[str, object] = {
        "at": now_ms,
        "lines": total.lines,
        "received": total.received,
        "learned": total.learned,
        "duplicates": total.duplicates,
        "dead": total.rejected,
        "ignored": total.ignored,
        "described": total.described,
        "refused": total.refused,
        "opted_out": total.opted_out,
        "lists": total.lists,
        "users": total.users,
        "items": items,
        "batches": total.batches,
        "waited_ms": total.waited,
        "events_per_s": round((recent.learned + recent.duplicates) / recent_s),
        "lists_per_s": round(recent.lists / recent_s),
    }
    for name, freshness in (("", minute.freshness), ("total_", total.freshness)):
        for share in (50, 99):
            key = f"{name}freshness_p{share}_ms"
            values[key] = round(quantile(freshness, share / 100), 1)
    values |= {f"dead:{reason}": count for reason, count in sorted(total.dead.items())}
    for name, some in (("", minute), ("total_", total)):
        # Enough digits that a mean times its number of tests gives a whole number again.
        found = [("quality", means(some.quality)), ("exposure", means(some.exposure, "lists"))]
        values |= {f"{name}{of}:{k}": f"{v:.12g}" for of, sums in found for k, v in sums.items()}
    if items:
        values |= {
            f"total_quality:{name}:coverage@10": f"{min(count / items, 1.0):.6g}"
            for name, count in shown.items()
        }
    values |= {f"feed:{kind}_bytes": count for kind, count in sorted(total.feed.items())}
    values |= {f"stage:{stage}_us": spent for stage, spent in sorted(total.stages.items())}
    values |= {f"crowd:{what}": count for what, count in sorted(total.crowd.items())}
    values |= {f"encoder:{what}": count for what, count in sorted(total.encoder.items())}
    values |= {f"model:{what}": count for what, count in sorted(total.models.items())}
    for what, lists in sorted(minute.models.items()):
        name, _, kind = what.partition(":")
        if kind == "lists" and lists:
            values[f"model:{name}:us_per_list"] = round(minute.models[f"{name}:us"] / lists, 1)
    return {name: str(value) for name, value in values.items()} | attributed.fields(
        total.attribution
    )
