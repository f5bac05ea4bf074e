"""`millirec experiment report`: what each variant of an experiment did, and what is known by now.

In: the fields of the Redis hash `stats` about experiments. Out: tables with sentences, or JSON.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from flink_app.config import Loaded
from flink_app.connections.redis_access import find_redis
from flink_app.console.failures import FAILED, FINISHED
from flink_app.console.terminal import printable
from udfs.events.times import iso_text
from udfs.experiments.results import CLICKS, CONVERSIONS, LISTS, PREFIX, USERS, VALUE, VIEWS
from udfs.experiments.sequential import LEAST
from udfs.experiments.standing import Standing
from udfs.experiments.standing import read as read_standing
from udfs.experiments.told import Told, Variant, read
from udfs.options.sources import words
from udfs.stores.redis_refusals import told
from udfs.stores.redis_stats import STATS

COUNTED = USERS, LISTS, VIEWS, CLICKS, CONVERSIONS
"""What is told of each variant, besides the value."""
GOALS = {
    "clicks_per_view": "clicks per view",
    CLICKS: "clicks per user",
    CONVERSIONS: "conversions per user",
    VALUE: "value per user",
}
"""Goals in words."""


def fields_of(loaded: Loaded) -> dict[str, str]:
    """The fields of `stats` about experiments, without their prefix.

    Raises:
        ServiceError: Redis does not answer.
    """
    client, address = find_redis(loaded)
    with told(address):
        found: Any = client.hgetall(f"{loaded.config.redis.prefix}{STATS}")
    pairs = ((name.decode(), value.decode()) for name, value in found.items())
    return {k.removeprefix(PREFIX): value for k, value in pairs if k.startswith(PREFIX)}


def report(loaded: Loaded, name: str, as_json: bool) -> int:
    """Print what is known of an experiment, or of all; the exit code.

    Raises:
        ServiceError: Redis does not answer.
    """
    fields = fields_of(loaded)
    standing = {one.experiment.name: one for one in read_standing(fields)}
    found = {one.name: whole(one, standing.get(one.name)) for one in read(fields)}
    # Those that began first before the others; at last what only an older job has told of.
    names = [each for each in dict.fromkeys([*standing, *found]) if name in ("", each)]
    if not names:
        print(printable(absent(name, [*found])), file=sys.stderr)
        return FAILED
    if as_json:
        rows = [as_row(found[each], standing.get(each)) for each in names]
        print(msgspec.json.encode(rows).decode())
        return FINISHED
    console = Console(highlight=False)
    for place, each in enumerate(names):
        if place:
            console.print()
        console.print(shown(found[each], standing.get(each)))
    return FINISHED


def whole(one: Told, standing: Standing | None) -> Told:
    """The same with all variants in their order, those without users included."""
    if standing is None:
        return one
    known = {each.name: each for each in one.variants}
    names = [variant.name for variant in standing.experiment.variants]
    variants = [known.get(name) or Variant(name, {}, {}, 0) for name in names]
    return one._replace(goal=standing.experiment.goal, variants=variants)


def absent(name: str, known: Sequence[str]) -> str:
    """The message where there is no such experiment.

    >>> absent("new", ["diverse"])
    'there is no experiment new: the job tells of diverse.'
    """
    if name and known:
        return f"there is no experiment {name}: the job tells of {words(known, last='and')}."
    return (
        "the job tells of no experiment: start one with millirec experiment start, or see "
        "docs/experiments.md. The first numbers are there half a second after its start."
    )


def as_row(one: Told, standing: Standing | None) -> dict[str, Any]:
    """An experiment for JSON; times are ms since 1970, 0: not."""
    row: dict[str, Any] = {"name": one.name, "goal": one.goal}
    if standing:
        row |= {"share": standing.experiment.share, "started": standing.began}
        row |= {"ended": standing.ended, "waits": standing.waits}
    variants = [
        {
            "name": each.name,
            **{name: value for name, value in each.sums.items() if "*" not in name},
            "lifts": {goal: lift._asdict() for goal, lift in each.lifts.items()},
            "since": each.since,
        }
        for each in one.variants
    ]
    mismatch = {"mismatch_p": one.mismatch_p, "mismatch_since": one.mismatch_since}
    return row | mismatch | {"variants": variants}


def shown(one: Told, standing: Standing | None) -> RenderableType:
    """An experiment for people."""
    parts: list[RenderableType] = [Text(printable(_head(one, standing)), style="bold")]
    if standing and standing.waits:
        return Group(*parts, Text(printable(f"It waits: {standing.waits}")))
    if one.variants:
        parts.append(_table(one))
        parts += [Text(printable(sentence)) for sentence in sentences(one)]
    return Group(*parts)


def _head(one: Told, standing: Standing | None) -> str:
    goal = GOALS.get(one.goal, one.goal)
    if standing is None:
        return f"{one.name}: by {goal}"
    since = f"since {minute(standing.began)}" if standing.began else "from the configuration"
    until = f", ended {minute(standing.ended)}" if standing.ended else ""
    share = f"{standing.experiment.share * 100:.4g} %"
    both = ", with both variants in each list" if standing.experiment.interleave else ""
    return f"{one.name}: {share} of all users{both}, by {goal}, {since}{until}"


def _table(one: Told) -> Table:
    """A column for each variant: there are few, and an ordinary terminal has room for them."""
    made = Table(box=box.SIMPLE_HEAD)
    made.add_column("")
    for each in one.variants:
        made.add_column(Text(printable(each.name)), justify="right")
    for name in COUNTED:
        made.add_row(name, *(f"{each.sums.get(name, 0):,.0f}" for each in one.variants))
    made.add_row(VALUE, *(f"{each.sums.get(VALUE, 0):,.2f}" for each in one.variants))
    goal = GOALS.get(one.goal, one.goal)
    made.add_row(goal, *(_rate(each, one.goal) for each in one.variants), end_section=True)
    lifts = [each.lifts.get(one.goal) for each in one.variants]
    for place, name in enumerate(("lift", "at least", "at most") if any(lifts) else ()):
        made.add_row(name, *("" if lift is None else f"{lift[place]:+.1%}" for lift in lifts))
    if any(each.since for each in one.variants):
        since = (minute(each.since) if each.since else "" for each in one.variants)
        made.add_row("decided since", *since)
    return made


def _rate(variant: Variant, goal: str) -> str:
    """What the goal compares, of one variant; "" without anybody."""
    what, _, per = goal.partition("_per_")
    of = variant.sums.get(VIEWS if per else USERS, 0.0)
    return f"{variant.sums.get(what, 0.0) / of:.4g}" if of else ""


def sentences(one: Told) -> Iterator[str]:
    """What is wrong with an experiment, and what is known of it."""
    if wrong := alarm(one):
        yield wrong
    yield from said(one)


def alarm(one: Told) -> str:
    """What is wrong with the numbers of users; "": nothing."""
    if not one.mismatch_since:
        return ""
    numbers = words([f"{_users(v)} in {v.name}" for v in one.variants], last="and")
    return (
        f"Do not trust these numbers: {numbers} do not fit the weights of the variants since "
        f"{minute(one.mismatch_since)} (p = {one.mismatch_p:.1g}). Something is broken, such as a "
        "page that does not show one of them."
    )


def said(one: Told) -> Iterator[str]:
    """What is known of each variant but the first, which the others are compared with."""
    control, *others = one.variants
    goal = GOALS.get(one.goal, one.goal)
    for each in others:
        yield f"{each.name}: {_known(each, control, one.goal, goal)}"


def _known(variant: Variant, control: Variant, name: str, goal: str) -> str:
    lift = variant.lifts.get(name)
    if lift is None:
        both = (control, variant)
        if few := [v for v in both if v.sums.get(USERS, 0) < LEAST]:
            numbers = words([f"{_users(v)} of {LEAST} users in {v.name}" for v in few], last="and")
            return f"not known yet, {numbers}."
        return f"not known yet: the variants need what is as certain as {LEAST} clicks."
    ends = f"{lift.low:+.1%} to {lift.high:+.1%}"
    if not variant.since:
        return f"not decided yet, {ends} {goal} compared with {control.name}."
    better = "better" if lift.lift > 0 else "worse"
    return (
        f"{better} than {control.name}, {lift.lift:+.1%} {goal} ({ends}), decided since "
        f"{minute(variant.since)}."
    )


def _users(variant: Variant) -> str:
    return f"{variant.sums.get(USERS, 0):,.0f}"


def minute(ms: int) -> str:
    """A time in ms since 1970, to the minute.

    >>> minute(1_700_000_000_000)
    '2023-11-14 22:13 UTC'
    """
    return f"{iso_text(ms)[:16].replace('T', ' ')} UTC"
