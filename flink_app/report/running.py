"""The report on a job that runs, or has run: its own statistics in Redis, and users' lists.

In: `Totals`, read once or repeatedly, and a `Sample`. Out: a `Page`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from flink_app.console.live import counted, duration
from flink_app.console.totals import Totals
from flink_app.evaluate.said import points
from flink_app.lookup.sample import Sample
from flink_app.report.drawings import Line, Lines
from flink_app.report.experiments import experiment_sections
from flink_app.report.outcomes import outcome_sections
from flink_app.report.page import Grid, Page, Section, Tile
from flink_app.report.parts import percent, quality_grid, share_sections, share_tiles
from udfs.accounts import LISTS, RATINGS
from udfs.attributed import quantile
from udfs.events.times import iso_text

Value = Callable[[Totals], float | None]

_LEAST_TESTS = 100  # in the last minute, and before, to compare the two
_MINUTES = 300.0  # from this number of seconds, time is shown in minutes


def running_page(
    looks: Sequence[Totals],
    sample: Sample | None,
    titles: Mapping[str, str],
    address: str,
    made: str,
) -> Page:
    """The report.

    Args:
        looks: at least one, in order of time. titles: of items, by id. address: of Redis.
        made: the page's last line, which says when it was made.
    """
    last = looks[-1]
    sections = [*_over_time(looks), *_drift(last)]
    if groups := _by_list(last.total_quality):
        sections.append(quality_grid(groups))
    sections += experiment_sections(last.experiment)
    sections += outcome_sections(last.attribution)
    if sample is not None:
        sections += share_sections(sample, titles)
    sections += [_freshness(last), _lines(last)]
    return Page(
        title="millirec: a running job",
        subtitle=f"{counted(last.learned, 'event')} learned of {counted(last.users, 'user')} on "
        f"{counted(last.items, 'item')}; {counted(last.lists, 'list')} written to {address}; as of "
        f"{iso_text(last.at)}",
        tiles=_tiles(last, sample),
        sections=sections,
        made=made,
    )


def _tiles(last: Totals, sample: Sample | None) -> list[Tile]:
    quality = last.total_quality
    tiles = []
    if quality.get("served:tests"):
        tiles.append(
            Tile(
                "recall@10",
                percent(quality.get("served:recall@10", 0.0)),
                f"popular items: {percent(quality.get('popular:recall@10', 0.0))}",
            )
        )
    if quality.get(f"{RATINGS}:tests"):
        rated = int(quality[f"{RATINGS}:tests"])
        tiles.append(Tile("RMSE", f"{quality[f'{RATINGS}:rmse']:.3f}", counted(rated, "rating")))
    tiles.append(
        Tile(
            "from event to list",
            duration(last.total_freshness_p50_ms),
            f"p50; p99 {duration(last.total_freshness_p99_ms)}",
        )
    )
    tiles += share_tiles(sample) if sample else []
    share = percent(last.rejected / last.received) if last.received else "-"
    tiles.append(Tile("dead letters", f"{last.rejected:,}", f"{share} of all lines"))
    return tiles


def _by_list(quality: Mapping[str, float]) -> list[tuple[str, dict[str, float]]]:
    """The measures of each tested list."""
    groups: dict[str, dict[str, float]] = {}
    for key, value in quality.items():
        name, colon, measure = key.partition(":")
        if colon and name != RATINGS:
            groups.setdefault(name, {})[measure] = value
    order = [*LISTS, *(name for name in groups if name not in LISTS)]
    return [(name, groups[name]) for name in order if groups.get(name, {}).get("tests")]


def _over_time(looks: Sequence[Totals]) -> list[Section]:
    """Quality, freshness and speed over time, if there are at least three looks."""
    if len({look.at for look in looks}) < 3:
        return []
    seconds = [(look.at - looks[0].at) / 1000 for look in looks]
    long = seconds[-1] >= _MINUTES
    x = [value / 60 for value in seconds] if long else seconds
    axis = f"{'minutes' if long else 'seconds'} since the first look"

    def line(label: str, value: Value, colour: int, dash: str = "-") -> Line:
        found = [(at, value(look)) for at, look in zip(x, looks, strict=True)]
        points = [(at, y) for at, y in found if y is not None]
        last = points[-1][1] if points else 0.0
        note = f"{last:,.0f} at the end" if last >= 100 else f"{last:.3g} at the end"
        return Line(label, [at for at, _ in points], [y for _, y in points], colour, dash, note)

    def section(title: str, text: str, drawn: list[Line], y: str) -> Section:
        figure = (
            Lines(drawn, axis, y, share=y == "recall@10") if any(one.x for one in drawn) else None
        )
        return Section(title=title, text=text, figure=figure, legend=drawn)

    recall = [
        line(LISTS[0], lambda look: look.quality.get(f"{LISTS[0]}:recall@10"), 0),
        line(LISTS[1], lambda look: look.quality.get(f"{LISTS[1]}:recall@10"), 6, "--"),
    ]
    fresh = [
        line("p50", lambda look: look.freshness_p50_ms or None, 0),
        line("p99", lambda look: look.freshness_p99_ms or None, 1),
    ]
    speed = [
        line("events/s", lambda look: float(look.events_per_s), 0),
        line("lists/s", lambda look: float(look.lists_per_s), 2),
    ]
    over_recall = (
        "recall@10 over the minute before each look, of users' lists and of popular items."
    )
    over_fresh = "From an event to its list in Redis, milliseconds, over the last minute."
    over_speed = "Events learned and lists written, over the last five seconds."
    sections = (
        section("Quality over time", over_recall, recall, "recall@10"),
        section("Freshness over time", over_fresh, fresh, "milliseconds"),
        section("Speed", over_speed, speed, "per second"),
    )
    return [section for section in sections if section.figure]


def _drift(last: Totals) -> list[Section]:
    """Whether the last minute differs from all before; nothing of few tests."""
    (of, hits), (n, all_hits) = (
        (float(one.get("served:tests", 0.0)), one.get("served:recall@10", 0.0))
        for one in (last.quality, last.total_quality)
    )
    before = n - of
    if min(of, before) < _LEAST_TESTS:
        return []
    rest = min(max((all_hits * n - hits * of) / before, 0.0), 1.0)
    spread = quantile() * math.sqrt(hits * (1 - hits) / of + rest * (1 - rest) / before)
    by = hits - rest
    found = f"{points(by)} ({points(by - spread)} to {points(by + spread)})"
    how = "higher than" if by > spread else "lower than" if by < -spread else "no different from"
    return [
        Section(
            title="Drift",
            facts=[f"Recall@10 of the last minute is {how} before: {found}."],
            text=f"{counted(int(of), 'test')} of the last minute, {counted(int(before), 'test')} "
            "before. A fall that lasts raises an alert; --watch draws quality over time.",
        )
    ]


def _freshness(last: Totals) -> Section:
    minute = last.freshness_p50_ms, last.freshness_p99_ms
    total = last.total_freshness_p50_ms, last.total_freshness_p99_ms
    rows = [
        ["last minute", *map(duration, minute)],
        ["since the job started", *map(duration, total)],
    ]
    return Section(
        title="Freshness",
        text="From an event to its list in Redis. It is measured from the event's own time if that "
        "is within the last minute; for historical events, from when they were read.",
        grid=Grid(["", "p50", "p99"], rows),
    )


def _lines(last: Totals) -> Section:
    counts = {
        "learned": last.learned,
        "duplicates": last.duplicates,
        "ignored: blank, headers, weight 0": last.ignored,
    }
    counts |= {f"dead letters: {reason}": count for reason, count in sorted(last.dead.items())}
    if last.missing:
        counts["in progress"] = last.missing
    total = max(last.received, 1)
    rows = [[name, f"{count:,}", percent(count / total)] for name, count in counts.items()]
    return Section(
        title="Lines read",
        text=f"What happened to {counted(last.received, 'line')}.",
        grid=Grid(["", "lines", "share"], rows),
    )
