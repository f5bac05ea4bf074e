"""The part of a report about experiments: what each variant did, and what is known of the lifts.

In: the fields of `stats` about experiments, see `udfs.experiments.told`. Out: a `Section` for each;
none without experiments.
"""

from __future__ import annotations

from collections.abc import Mapping

from flink_app.console.live import change
from flink_app.lookup.experiments import COUNTED, GOALS, alarm, said
from flink_app.report.drawings import Span, Spans
from flink_app.report.page import Grid, Section
from udfs.experiments.results import VALUE
from udfs.experiments.told import Told, Variant, read


def experiment_sections(fields: Mapping[str, str]) -> list[Section]:
    """A section for each experiment, by name."""
    return [_section(one) for one in read(fields) if one.variants]


def _section(one: Told) -> Section:
    control, *others = one.variants
    known = [each for each in others if one.goal in each.lifts]
    goal = GOALS.get(one.goal, one.goal)
    figure = None
    if known:
        drawn = [Span(each.name, *each.lifts[one.goal], bool(each.since)) for each in known]
        figure = Spans(drawn, f"lift of {goal} against {control.name}", 0.0)
    return Section(
        title=f"Experiment {one.name}",
        alarm=alarm(one),
        text=f"By {goal}, compared with {control.name}.",
        facts=[*said(one)],
        figure=figure,
        grid=Grid(
            ["variant", *COUNTED, VALUE, "lift, 95 % at all times"],
            [_row(each, one.goal) for each in one.variants],
        ),
        width="full",
    )


def _row(variant: Variant, goal: str) -> list[str]:
    cells = [variant.name, *(f"{variant.sums.get(name, 0):,.0f}" for name in COUNTED)]
    cells.append(f"{variant.sums.get(VALUE, 0):,.2f}")
    lift = variant.lifts.get(goal)
    told = f"{change(lift.lift)} ({change(lift.low)} to {change(lift.high)})" if lift else ""
    return [*cells, told]
