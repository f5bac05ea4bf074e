"""The part of a report that says what lists did: how often items were clicked and bought.

In: the sums of `udfs.attributed`, as they stand in `stats`. Out: `Section`s; none without any view.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from flink_app.report.page import Grid, Section
from flink_app.report.parts import percent
from udfs.attributed import (
    CLICKS,
    CONVERSIONS,
    EXAMINED,
    OTHER,
    UNKNOWN,
    VALUE,
    VIEWS,
    Table,
    quantile,
    tables,
    wilson,
)

_TITLES = {
    "position": "What lists did, by place",
    "model": "What lists did, by model",
    "placed": "Explored and ranked items",
    "category": "What lists did, by category",
    "provider": "What lists did, by provider",
    "segment": "What lists did, by segment",
    "hour": "What lists did, by hour",
}
_HOURS = "The hour, UTC, in which the list was made."
_SEGMENTS = (
    "Whether a segment's click-through differs from that of all lists, by intervals that hold "
    "together in 95 % of cases; with few views it is not known. Views of one user are counted as "
    "if they did not depend on each other, so a small segment can differ by one user's doing."
)
_MOST = 20  # rows of a group
_LEAST = 100  # views of a segment of which anything is said


def outcome_sections(sums: Mapping[str, float]) -> list[Section]:
    """A table for each group of which there are views."""
    found, groups = list[Section](), tables(sums)
    for group, title in _TITLES.items():
        if rows := groups[group]:
            more = {"hour": _HOURS, "segment": _SEGMENTS}
            text = _text(sums) if not found else more.get(group, "")
            wide = group in ("position", "segment")
            grid = _grid(group, rows)
            if group == "segment":
                grid = _against_all(grid, rows, groups["position"])
            section = Section(title=title, text=text, grid=grid)
            found.append(replace(section, width="full") if wide else section)
    return found


def _text(sums: Mapping[str, float]) -> str:
    lists, items = (f"{sums.get(name, 0):,.0f}" for name in UNKNOWN)
    return (
        "Of the items of lists that were seen, the share that was clicked, and that was put into "
        "the cart or bought afterwards; in brackets the 95 % interval. examined: how likely the "
        "place is looked at, against the first one, by the clicks on explored items. Not counted: "
        f"{lists} events on lists that are not kept, {items} on items that are not in theirs."
    )


def _grid(group: str, rows: Table) -> Grid:
    names = [name for name in rows if name != OTHER]
    if group in ("position", "hour"):
        names.sort(key=lambda name: (not name.isdigit(), int(name) if name.isdigit() else 0))
    else:
        names.sort(key=lambda name: (-rows[name].get(VIEWS, 0.0), name))
    names = [*names[:_MOST], *([OTHER] if OTHER in rows else [])]
    examined = any(EXAMINED in rows[name] for name in names)
    head = [group, VIEWS, "click-through", "conversion", VALUE, *([EXAMINED] if examined else [])]
    return Grid(head, [_row(name, rows[name], examined) for name in names])


def _against_all(grid: Grid, rows: Table, places: Table) -> Grid:
    """The table of segments with what each is against all lists."""
    views, clicks = (sum(row.get(of, 0.0) for row in places.values()) for of in (VIEWS, CLICKS))
    known = sum(row.get(VIEWS, 0.0) >= _LEAST for row in rows.values())
    whole = clicks / views if views else 0.0
    verdicts = [against(rows[name], whole, known) for name, *_ in grid.rows]
    cells = [[*row, verdict] for row, verdict in zip(grid.rows, verdicts, strict=True)]
    return Grid([*grid.head, f"against all, {percent(whole)}"], cells)


def against(row: Mapping[str, float], whole: float, groups: int) -> str:
    """Whether a segment is served worse or better than all, if that is known.

    >>> row = {"views": 400.0, "clicks": 20.0}
    >>> against(row, 0.1, 1), against(row, 0.06, 1), against({"views": 9.0}, 0.1, 1)
    ('worse', 'no difference', 'not known')
    """
    if row.get(VIEWS, 0.0) < _LEAST:
        return "not known"
    low, high = wilson(row.get(CLICKS, 0.0), row[VIEWS], quantile(groups))
    return "worse" if high < whole else "better" if low > whole else "no difference"


def _row(name: str, row: Mapping[str, float], examined: bool) -> list[str]:
    views = row.get(VIEWS, 0.0)
    cells = [name, f"{views:,.0f}"]
    cells += [rate(row.get(measure, 0.0), views) for measure in (CLICKS, CONVERSIONS)]
    cells.append(f"{row[VALUE]:,.2f}" if row.get(VALUE) else "")
    if examined:
        cells.append(f"{row[EXAMINED]:.2f}" if EXAMINED in row else "")
    return cells


def rate(hits: float, trials: float) -> str:
    """A share and its 95 % interval.

    >>> rate(10, 100), rate(0, 0)
    ('10 % (5.52 to 17.4)', '')
    """
    if not trials:
        return ""
    low, high = (f"{100 * end:.3g}" for end in wilson(hits, trials))
    return f"{percent(hits / trials)} ({low} to {high})"
