"""What the pictures of a report show, as numbers: the report draws them as SVG, the operator's page
in the browser.

In: what was measured. Out: `Drawing`s, which JSON can hold, too. Shares are from 0 to 1.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec

COLOURS = 7
"""The number of colours for lines, `--c0` … in the style sheet."""
DASHES = {"-": "", "--": "5 3", ":": "1.5 2.5"}
"""The line styles of Matplotlib, as SVG's stroke-dasharray."""


class Line(msgspec.Struct, frozen=True):
    """A line of a picture, and of its legend.

    Attributes:
        x, y: n points. colour: 0 to `COLOURS` - 1. dash: one of `DASHES`.
        note: shown after the label. low, high: n ends of intervals, drawn as a band; or none.
    """

    label: str
    x: list[float]
    y: list[float]
    colour: int = 0
    dash: str = "-"
    note: str = ""
    low: list[float] = []
    high: list[float] = []

    @property
    def stroke(self) -> str:
        """SVG's stroke-dasharray, for the legend."""
        return DASHES[self.dash]


class Curve(msgspec.Struct, frozen=True):
    """A line through n points, each with its own name, such as the value of a parameter."""

    label: str
    x: list[float]
    y: list[float]
    names: list[str]
    colour: int = 0


class Span(msgspec.Struct, frozen=True):
    """An interval of a picture: a value between two ends, and whether it stands out."""

    label: str
    value: float
    low: float
    high: float
    marked: bool = False


class _Kind(msgspec.Struct, frozen=True, tag_field="kind", tag=str.lower):
    """JSON says which of the pictures below it is."""


class Lines(_Kind, frozen=True):
    """Lines over an axis that begins at 0; `x`, `y`: labels of the axes, `share`: y is a share."""

    lines: list[Line]
    x: str
    y: str
    share: bool = False


class Curves(_Kind, frozen=True):
    """Curves of one share, y, against another measure, with a ring at what is `now`, its x and y;
    `share`: x is a share too."""

    curves: list[Curve]
    now: tuple[float, float]
    x: str
    y: str
    share: bool = False


class Bars(_Kind, frozen=True):
    """Horizontal bars, the first at the top, each with its value; `x`: the label of the axis."""

    labels: list[str]
    values: list[float]
    x: str
    share: bool = False


class Spans(_Kind, frozen=True):
    """Intervals of shares, the first at the top, each with its value, against the line x = `at`;
    those that stand out in another colour. `x`: the label of the axis."""

    spans: list[Span]
    x: str
    at: float


class Lorenz(_Kind, frozen=True):
    """A Lorenz curve, n points from 0 to 1, and the diagonal of equal shares."""

    curve: list[float]


Drawing: TypeAlias = Lines | Curves | Bars | Spans | Lorenz
