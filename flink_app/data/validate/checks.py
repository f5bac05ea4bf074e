"""The checks of `millirec validate`: what a `Tally` means for a job, and what to do about it.

In: a `Tally`, the configuration. Out: `Check`s, in the order in which they are shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Literal

import msgspec
import numpy as np

from flink_app.config import Config
from flink_app.console.live import counted
from flink_app.data.validate.advice import ADVICE, EVENT_ADVICE
from flink_app.data.validate.ids import Found, Ids
from flink_app.data.validate.rewritten import rewritten
from flink_app.data.validate.tally import Tally
from udfs.events.raw_columns import shown
from udfs.events.times import iso_text

Status = Literal["PASS", "WARN", "FAIL"]

UNUSABLE = 0.05
"""From this share of lines that are not events, the format is considered unknown."""
SAME = 0.01
"""A share of repeated events above this is more than people who do the same thing twice."""
ALONE = 0.5
"""If a larger share of users, or items, has only one event, there is little to learn from."""
BOT = 0.01, 50
"""One user with more than this share of all events, and this many times the median user's."""
SKEW = 0.5
"""If the most popular 1 % of items have a larger share of the events, lists can hardly differ."""
CLIPPED = 0.2
"""If a larger share of ratings is outside the rule's scale, the scale is a different one."""
FEW_TESTS = 1000
"""With fewer tests, a recall of 0.1 is known to 0.02 at best (two standard errors)."""
UNDESCRIBED = 0.5
"""With a larger share of items that no line describes, the ids may be different ones."""
_HEARD = {
    "people": "about a user",
    "search": "a search",
    "experiment": "about an experiment",
}
REPEATS = 0.5
"""With a larger share of events on items that their user already had, people return to items."""


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One check.

    Attributes:
        found: what was found, a sentence.
        count, share: the lines or events concerned, and their share of all.
        example: one of them. where: its file and line. advice: what to do unless it is a PASS.
    """

    name: str
    status: Status
    found: str
    count: int = 0
    share: float = 0.0
    example: str = ""
    where: str = ""
    advice: str = ""


def checks(
    tally: Tally, config: Config, suggestion: str = "", more: Iterable[Check] = ()
) -> list[Check]:
    """All checks; those of events only if there are events.

    Args:
        suggestion: how more lines could be read, a sentence; "" if it is not known.
        more: checks of how lines are read, made elsewhere.
    """
    found = [*_lines(tally, suggestion), *more]
    if tally.about:
        found += _described(tally)
    if tally.events:
        for check in _OF_EVENTS:
            found += check(tally, config)
    return found


def _described(tally: Tally) -> Iterator[Check]:
    """How many items are described, and how many of those with events are not."""
    text = f"{counted(tally.about, 'line')} about {counted(len(tally.described), 'item')}"
    names = tally.items.names
    missing = [name for name in names if name not in tally.described]
    if names:
        text += f"; {len(missing):,} of {counted(len(names), 'item')} with events not described"
    found = Found(len(missing), shown(missing[0]) if missing else "")
    bad = _share(len(missing), len(names)) > UNDESCRIBED
    yield _judge("described", text, found, len(names), bad)


def _share(count: float, total: int) -> float:
    return round(count / total, 6) if total else 0.0


def _judge(
    name: str,
    text: str,
    found: Found,
    total: int,
    bad: bool | None = None,
    status: Status = "WARN",
    advice: str | None = None,
) -> Check:
    """A check that has `status`, advice and an example if it is bad, else PASS.

    Args:
        text: what was found. found: the number of lines or events out of `total`, and an example.
        bad: by default, whether anything was found. advice: by default, that of the name.
    """
    bad = found.count > 0 if bad is None else bad
    advice = EVENT_ADVICE[name] if advice is None else advice
    return Check(
        name=name,
        status=status if bad else "PASS",
        found=text,
        count=found.count,
        share=_share(found.count, total),
        example=found.example if bad else "",
        where=found.where if bad else "",
        advice=advice if bad else "",
    )


def _lines(tally: Tally, suggestion: str) -> Iterator[Check]:
    unusable = tally.unusable
    heard = tally.heard.total()
    total = tally.events + tally.about + heard + unusable
    unit = "line" if total <= tally.lines else "event"
    text = f"{unusable:,} of {counted(total, unit)} cannot be used"
    advice = "see the reasons below; the job would put them into its dead letters"
    if not total:
        text, advice = "there are no lines", "name a file that holds events"
    elif not unusable:
        kinds = ["an event", *["about an item"] * bool(tally.about)]
        kinds += [_HEARD[name] for name in sorted(+tally.heard)]
        text = " or ".join(filter(None, (", ".join(kinds[:-1]), kinds[-1])))
        text = f"every line is {text}"
    elif suggestion:
        advice = suggestion
    fail = not (tally.events or tally.about or heard) or _share(unusable, total) >= UNUSABLE
    status: Status = "FAIL" if fail else "WARN"
    yield _judge("lines", text, Found(unusable), total, bool(unusable) or fail, status, advice)
    for reason, found in sorted(tally.dead.items(), key=lambda pair: -pair[1].count):
        status = "FAIL" if _share(found.count, total) >= UNUSABLE else "WARN"
        text, advice = counted(found.count, "line"), ADVICE[reason]
        yield _judge(reason, text, found, total, status=status, advice=advice)


def _times(tally: Tally, config: Config) -> Iterator[Check]:
    timed = tally.events - tally.untimed
    span = f"{iso_text(tally.first)} to {iso_text(tally.last)}" if timed else "none"
    text = f"every event has one, {span}"
    if tally.untimed:
        text = f"{counted(tally.untimed, 'event')} without a time; the others: {span}"
    yield _judge("times", text, Found(tally.untimed), tally.events)
    if not timed:
        return
    text = f"{counted(tally.ahead.count, 'event')} ahead of the clock"
    yield _judge("future", text, tally.ahead, tally.events)
    text = f"{counted(tally.back.count, 'event')} earlier than the same user's previous event"
    yield _judge("order", text, tally.back, tally.events)


def _repetitions(tally: Tally, config: Config) -> Iterator[Check]:
    ids, same = tally.same_ids(), tally.same_events()
    text = "no event has one: an event that is sent twice is learned twice"
    if tally.named:
        text = f"{counted(ids.count, 'event')} with the id of an earlier one"
    yield _judge("ids", text, ids, tally.events)
    text = f"{counted(same.count, 'event')} of the same user, item, type and time as an earlier one"
    repeated = _share(same.count, tally.events) > SAME
    yield _judge("duplicates", text, same, tally.events, repeated)


def _ids(tally: Tally, config: Config) -> Iterator[Check]:
    for ids in (tally.users, tally.items):
        kind, total = ids.kind, len(ids.names)
        odd, alike, missing = ids.odd, ids.alike(), ids.placeholders
        text = f"{odd.count:,} of {total:,} with leading or trailing blanks or invisible characters"
        yield _judge(f"{kind} ids", text, odd, total)
        text = f"{counted(alike.count, kind)} whose id differs from another one only in case"
        yield _judge(f"{kind} case", text, alike, total)
        text = f"{missing.count:,} ids such as null or unknown"
        yield _judge(f"{kind} stand-ins", text, missing, total)
        text, found, advice = rewritten(ids, (tally.users, tally.items))
        yield _judge(f"{kind} numbers", text, found, total, advice=advice)


def _types(tally: Tally, config: Config) -> Iterator[Check]:
    text = ", ".join(
        f"{shown(word)[1:-1]} {count:,} (weight {tally.weight_sums[word] / count:.3g})"
        for word, count in tally.types.most_common(8)
    )
    if len(tally.types) > 8:
        text += f" and {len(tally.types) - 8} more"
    weightless = Found(tally.events - tally.positive)
    yield _judge("types", text, weightless, tally.events, not tally.positive, "FAIL")
    if not tally.rated:
        return
    rule = config.events
    clipped = tally.clipped if rule.rating_rule == "linear" else 0
    text = f"{tally.low:g} to {tally.high:g}"
    if rule.rating_rule == "linear":
        low, high = rule.rating_neutral - rule.rating_scale, rule.rating_neutral + rule.rating_scale
        text += f"; {clipped:,} of {tally.rated:,} outside {low:g} to {high:g}"
    yield _judge(
        "ratings", text, Found(clipped), tally.rated, _share(clipped, tally.rated) > CLIPPED
    )


def _activity(tally: Tally, config: Config) -> Iterator[Check]:
    for ids in (tally.users, tally.items):
        alone, total = int((ids.counts == 1).sum()), len(ids.names)
        text = (
            f"{counted(total, ids.kind)}, median {np.median(ids.counts):,.0f} events each, "
            f"{alone:,} with one"
        )
        yield _judge(f"{ids.kind}s", text, Found(alone), total, _share(alone, total) > ALONE)
    yield _busiest(tally.users, tally.events)
    order = np.sort(tally.items.counts)[::-1]
    top = int(order[: max(1, round(len(order) / 100))].sum())
    share = _share(top, tally.events)
    text = f"the most popular 1 % of items have {share:.1%} of the events"
    skewed = share > SKEW and len(order) >= 100
    yield _judge("popularity", text, Found(top), tally.events, skewed)


def _busiest(users: Ids, events: int) -> Check:
    user = int(users.counts.argmax())
    count, median = int(users.counts[user]), float(np.median(users.counts))
    share, times = BOT
    bad = _share(count, events) > share and count > times * median
    text = f"{counted(count, 'event')}, {_share(count, events):.2%} of all"
    return _judge("busiest user", text, Found(count, shown(users.names[user])), events, bad)


def _tests(tally: Tally, config: Config) -> Iterator[Check]:
    pairs = tally.pairs()
    repeats = tally.positive - pairs
    text = f"{counted(repeats, 'event')} on items that their user already had"
    often = _share(repeats, tally.positive) > REPEATS
    yield _judge("repeats", text, Found(repeats), tally.events, often)
    tests = max(0, pairs - len(tally.users.names))
    text = f"about {tests:,} events would test a list"
    yield _judge("tests", text, Found(tests), tally.events, tests < FEW_TESTS)


_OF_EVENTS: tuple[Callable[[Tally, Config], Iterator[Check]], ...] = (
    _times,
    _repetitions,
    _ids,
    _types,
    _activity,
    _tests,
)
