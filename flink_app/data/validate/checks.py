"""The checks of `millirec validate`: what a `Tally` means for a job, and what to do about it.

In: a `Tally`, the configuration. Out: `Check`s, in the order in which they are shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

import msgspec
import numpy as np

from flink_app.config import Config
from flink_app.console.live import counted
from flink_app.data.validate.advice import ADVICE
from flink_app.data.validate.ids import Found, Ids
from flink_app.data.validate.tally import Tally
from udfs.events.raw_columns import shown
from udfs.events.times import iso_text

Status = Literal["PASS", "WARN", "FAIL"]

UNUSABLE = 0.05
"""Of so many lines that are no events, the format is not understood."""
SAME = 0.01
"""So many events that are there twice are more than people who do a thing twice."""
ALONE = 0.5
"""With so many users, or items, of one event there is little to learn from."""
BOT = 0.01, 50
"""One user with such a share of all events, and so many times those of the median user."""
SKEW = 0.5
"""Where the most popular 1 % of items have so many of the events, lists can hardly differ."""
CLIPPED = 0.2
"""So many ratings beyond the rule's scale mean that the scale is another."""
FEW_TESTS = 1000
"""Of fewer tests, a recall of 0.1 is known to 0.02 at best (two standard errors)."""
REPEATS = 0.5
"""With so many events on items that their user had before, people come back to items."""


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One check.

    Attributes:
        found: what was found, a sentence. count, share: of what it is about, lines or events.
        example: one of them. where: its file and line. advice: what to do, where it is no PASS.
    """

    name: str
    status: Status
    found: str
    count: int = 0
    share: float = 0.0
    example: str = ""
    where: str = ""
    advice: str = ""


def checks(tally: Tally, config: Config, suggestion: str = "") -> list[Check]:
    """All checks; those of events only where there are events.

    Args:
        suggestion: the options by which more lines could be read, "" where there are none.
    """
    found = [*_lines(tally, suggestion)]
    if tally.events:
        for check in _OF_EVENTS:
            found += check(tally, config)
    return found


def _share(count: float, total: int) -> float:
    return round(count / total, 6) if total else 0.0


def _check(
    name: str, bad: bool, found: str, count: int, total: int, advice: str, of: Found | None = None,
    status: Status = "WARN",
) -> Check:  # fmt: skip
    """A check that is `status` if it is bad, and then has advice and an example."""
    of = of or Found()
    return Check(
        name=name,
        status=status if bad else "PASS",
        found=found,
        count=count,
        share=_share(count, total),
        example=of.example if bad else "",
        where=of.where if bad else "",
        advice=advice if bad else "",
    )


def _lines(tally: Tally, suggestion: str) -> Iterator[Check]:
    unusable = tally.lines - tally.events - tally.ignored
    of = tally.lines - tally.ignored
    fail = not tally.events or _share(unusable, of) >= UNUSABLE
    text = f"{unusable:,} of {counted(of, 'line')} cannot be used" if of else "there are no lines"
    advice = "see the reasons below; the job would put them into its dead letters"
    if suggestion:
        advice = f"most of the lines can be read with {suggestion}"
    yield _check(
        "lines", bool(unusable) or fail, text if unusable or not of else "every line is an event",
        unusable, of, advice if of else "name a file that holds events",
        status="FAIL" if fail else "WARN",
    )  # fmt: skip
    for reason, found in sorted(tally.dead.items(), key=lambda pair: -pair[1].count):
        share = _share(found.count, of)
        yield _check(
            reason, True, f"{counted(found.count, 'line')}", found.count, of,
            ADVICE[reason], found, "FAIL" if share >= UNUSABLE else "WARN",
        )  # fmt: skip


def _times(tally: Tally, config: Config) -> Iterator[Check]:
    timed = tally.events - tally.untimed
    span = f"{iso_text(tally.first)} to {iso_text(tally.last)}" if timed else "none"
    yield _check(
        "times", tally.untimed > 0,
        f"{counted(tally.untimed, 'event')} without a time; the others: {span}"
        if tally.untimed else f"every event has one, {span}",
        tally.untimed, tally.events,
        "they count as of when they are read; `millirec evaluate` and `replay` need times: name "
        "the field by --set source.fields.ts=…",
    )  # fmt: skip
    if not timed:
        return
    yield _check(
        "future", tally.ahead.count > 0,
        f"{counted(tally.ahead.count, 'event')} ahead of the clock", tally.ahead.count,
        tally.events,
        "see to the clocks and time zones of what writes them: a time without a zone is read as "
        "UTC; events more than a day ahead are rejected",
        tally.ahead,
    )  # fmt: skip
    yield _check(
        "order", tally.back.count > 0,
        f"{counted(tally.back.count, 'event')} earlier than their user's event before",
        tally.back.count, tally.events,
        "the job learns a user's events as they come: sort the file by time; `millirec evaluate` "
        "and `millirec replay` do so themselves",
        tally.back,
    )  # fmt: skip


def _twice(tally: Tally, config: Config) -> Iterator[Check]:
    ids = tally.same_ids()
    yield _check(
        "ids", ids.count > 0,
        f"{counted(ids.count, 'event')} with the id of an earlier one" if tally.named
        else "no event has one: what is sent twice is learned twice",
        ids.count, tally.events,
        "the job drops those that come within events.deduplicate_s; if they are no repetitions, "
        "the field is no id: --set source.fields.id=",
        ids,
    )  # fmt: skip
    same = tally.same_events()
    yield _check(
        "duplicates", _share(same.count, tally.events) > SAME,
        f"{counted(same.count, 'event')} of the same user, item, type and time as an earlier one",
        same.count, tally.events,
        "if something sends events twice, give each an id, by which the job drops the second; "
        "coarse times, of an hour or a day, are harmless",
        same,
    )  # fmt: skip


def _ids(tally: Tally, config: Config) -> Iterator[Check]:
    for ids in (tally.users, tally.items):
        kind = ids.kind
        total = len(ids.names)
        odd, alike, missing = ids.odd, ids.alike(), ids.placeholders
        yield _check(
            f"{kind} ids", odd.count > 0,
            f"{odd.count:,} of {total:,} with blanks around them or characters that nobody sees",
            odd.count, total,
            "they are other ids than those without: clean them where events are made", odd,
        )  # fmt: skip
        yield _check(
            f"{kind} case", alike.count > 0,
            f"{counted(alike.count, kind)} whose id differs from another one's in case only",
            alike.count, total,
            f"ids are compared exactly: if these are the same {kind}, write them alike", alike,
        )  # fmt: skip
        yield _check(
            f"{kind} stand-ins", missing.count > 0,
            f"{missing.count:,} ids such as null or unknown", missing.count, total,
            f"all events with a missing {kind} would be learned as those of one: leave them out",
            missing,
        )  # fmt: skip


def _types(tally: Tally, config: Config) -> Iterator[Check]:
    named = ", ".join(
        f"{shown(word)[1:-1]} {count:,} (weight {tally.weighed[word] / count:.3g})"
        for word, count in tally.types.most_common(8)
    )
    more = f" and {len(tally.types) - 8} more" if len(tally.types) > 8 else ""
    yield _check(
        "types", not tally.positive, f"{named}{more}", tally.events - tally.positive, tally.events,
        "no event has a weight above 0, so that there is nothing to recommend: give the types "
        "weights, --set events.weights.TYPE=1, or set events.rating_neutral to the scale's middle",
        status="FAIL",
    )  # fmt: skip
    if not tally.rated:
        return
    rule = config.events
    linear = rule.rating_rule == "linear"
    low, high = rule.rating_neutral - rule.rating_scale, rule.rating_neutral + rule.rating_scale
    beyond = f"; {tally.clipped:,} of {tally.rated:,} beyond {low:g} to {high:g}"
    yield _check(
        "ratings", linear and _share(tally.clipped, tally.rated) > CLIPPED,
        f"{tally.low:g} to {tally.high:g}" + (beyond if linear else ""),
        tally.clipped if linear else 0, tally.rated,
        "those beyond all weigh the same: set events.rating_neutral to the scale's middle and "
        "events.rating_scale to half of its width",
    )  # fmt: skip


def _activity(tally: Tally, config: Config) -> Iterator[Check]:
    for ids in (tally.users, tally.items):
        alone = int((ids.counts == 1).sum())
        total, kind = len(ids.names), ids.kind
        yield _check(
            f"{kind}s", _share(alone, total) > ALONE,
            f"{counted(total, kind)}, median {np.median(ids.counts):,.0f} events each, {alone:,} "
            "with one",
            alone, total,
            "they are shown what is popular: see that ids last beyond a visit"
            if kind == "user"
            else "little can be learned of them: recommend what varieties have in common, such as "
            "a product instead of its sizes",
        )  # fmt: skip
    yield _bot(tally.users, tally.events)
    order = np.sort(tally.items.counts)[::-1]
    top = max(1, round(len(order) / 100))
    share = _share(int(order[:top].sum()), tally.events)
    yield _check(
        "popularity", share > SKEW and len(order) >= 100,
        f"the most popular 1 % of items have {share:.1%} of the events", int(order[:top].sum()),
        tally.events,
        "see that these are items that people choose, no vouchers, bags or home pages; compare "
        "lists with popular ones by `millirec evaluate`",
    )  # fmt: skip


def _bot(users: Ids, events: int) -> Check:
    busiest = int(users.counts.argmax())
    count, median = int(users.counts[busiest]), float(np.median(users.counts))
    share, times = BOT
    bad = _share(count, events) > share and count > times * median
    return _check(
        "busiest user", bad, f"{counted(count, 'event')}, {_share(count, events):.2%} of all",
        count, events,
        "a bot, or many people under one id: leave them out, or limit what one user may send, "
        "events.user_per_minute",
        Found(count, shown(users.names[busiest])),
    )  # fmt: skip


def _tests(tally: Tally, config: Config) -> Iterator[Check]:
    pairs = tally.pairs()
    repeats = tally.positive - pairs
    yield _check(
        "repeats", _share(repeats, tally.positive) > REPEATS,
        f"{counted(repeats, 'event')} on items that their user had before", repeats, tally.events,
        "people come back to items here: --set lists.exclude_consumed=false shows them again, "
        "`millirec evaluate --repeat` measures that",
    )  # fmt: skip
    tests = max(0, pairs - len(tally.users.names))
    yield _check(
        "tests", tests < FEW_TESTS, f"about {tests:,} events would test a list", tests,
        tally.events,
        "differences of quality will mostly be chance: record more, or measure with several "
        "--seeds",
    )  # fmt: skip


_OF_EVENTS: tuple[Callable[[Tally, Config], Iterator[Check]], ...] = (
    _times, _twice, _ids, _types, _activity, _tests,
)  # fmt: skip
