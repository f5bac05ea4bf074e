"""The part of a report about experiments: what each variant did, and what is known of the lifts.

In: the fields of `stats` about experiments, see `udfs.experiments.told`. Out: a `Section` for each;
none without experiments.
"""

from __future__ import annotations

from collections.abc import Mapping

from flink_app.console.live import change
from flink_app.report.figures import Span, spans
from flink_app.report.page import Grid, Section
from udfs.events.times import iso_text
from udfs.experiments.results import CLICKS, CONVERSIONS, LISTS, USERS, VALUE, VIEWS
from udfs.experiments.sequential import LEAST
from udfs.experiments.told import Told, Variant, read

_COUNTED = USERS, LISTS, VIEWS, CLICKS, CONVERSIONS
_GOALS = {
    "clicks_per_view": "clicks per view",
    CLICKS: "clicks of each user",
    CONVERSIONS: "conversions of each user",
    VALUE: "value of each user",
}


def experiment_sections(fields: Mapping[str, str]) -> list[Section]:
    """A section for each experiment, by name."""
    return [_section(one) for one in read(fields) if one.variants]


def _section(one: Told) -> Section:
    control, *others = one.variants
    known = [each for each in others if one.goal in each.lifts]
    goal = _GOALS.get(one.goal, one.goal)
    text = f"Goal: {goal}, compared with {control.name}. " + " ".join(
        said(each, one.goal, control.name) for each in others
    )
    figure = ""
    if known:
        drawn = [Span(each.name, *each.lifts[one.goal], bool(each.since)) for each in known]
        figure = spans(drawn, f"lift of {goal} against {control.name}", 0.0)
    return Section(
        title=f"Experiment {one.name}",
        alarm=alarm(one),
        text=text,
        figure=figure,
        grid=Grid(
            ["variant", *_COUNTED, VALUE, "lift, 95 % at all times"],
            [_row(each, one.goal) for each in one.variants],
        ),
        width="full",
    )


def said(variant: Variant, goal: str, control: str) -> str:
    """What is known of a variant, as a sentence.

    >>> from udfs.experiments.sequential import Lift
    >>> said(Variant("new", {}, {"clicks": Lift(0.05, 0.012, 0.09)}, 60_000), "clicks", "now")
    'new is better than now, decided since 1970-01-01 00:01 UTC: +5\\xa0% (+1.2\\xa0% to +9\\xa0%).'
    >>> said(Variant("new", {}, {"clicks": Lift(0.05, -0.01, 0.11)}, 0), "clicks", "now")
    'Not known yet whether new is better: +5\\xa0% (−1\\xa0% to +11\\xa0%).'
    """
    lift = variant.lifts.get(goal)
    if lift is None:
        return (
            f"Nothing is known yet of {variant.name}: each variant needs {LEAST} users and what "
            f"is as certain as {LEAST} clicks."
        )
    found = f"{change(lift.lift)} ({change(lift.low)} to {change(lift.high)})."
    if not variant.since:
        return f"Not known yet whether {variant.name} is better: {found}"
    better = "better" if lift.lift > 0 else "worse"
    return (
        f"{variant.name} is {better} than {control}, decided since {minute(variant.since)}: {found}"
    )


def alarm(one: Told) -> str:
    """What is wrong with the numbers of users, "" if nothing is."""
    if not one.mismatch_since:
        return ""
    numbers = ", ".join(f"{each.sums.get(USERS, 0):,.0f} in {each.name}" for each in one.variants)
    return (
        f"Do not decide by this: the numbers of users ({numbers}) do not fit the weights of the "
        f"variants since {minute(one.mismatch_since)}, by chance with p = {one.mismatch_p:.2g}. "
        "One variant is shown or counted wrongly."
    )


def minute(ms: int) -> str:
    """A time in ms since 1970, to the minute.

    >>> minute(1_700_000_000_000)
    '2023-11-14 22:13 UTC'
    """
    return f"{iso_text(ms)[:16].replace('T', ' ')} UTC"


def _row(variant: Variant, goal: str) -> list[str]:
    cells = [variant.name, *(f"{variant.sums.get(name, 0):,.0f}" for name in _COUNTED)]
    cells.append(f"{variant.sums.get(VALUE, 0):,.2f}")
    lift = variant.lifts.get(goal)
    told = f"{change(lift.lift)} ({change(lift.low)} to {change(lift.high)})" if lift else ""
    return [*cells, told]
