"""The figures of a report: SVG to embed in a page, in the page's own font and colours.

In: numbers. Out: SVG (`str`). Colours are variables of the page's style sheet, so that they follow
its light and dark theme; the SVG refers to nothing outside the page.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = 7
"""The number of colours for lines, `--c0` … in the style sheet."""

# Matplotlib does not accept CSS names: these placeholders are replaced by them in its output.
_INK, _GRID = "#010203", "#010204"
_CSS_COLOURS = {_INK: "currentColor", _GRID: "var(--grid)"} | {
    f"#0102{n + 16:02x}": f"var(--c{n})" for n in range(COLOURS)
}
_IN_INK = "text.color", "axes.labelcolor", "xtick.labelcolor", "ytick.labelcolor"
_IN_GRID = "grid.color", "axes.edgecolor", "xtick.color", "ytick.color"
_STYLE: Any = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 9.5,
    "axes.grid": True,
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
    "axes.formatter.useoffset": False,
    **dict.fromkeys(_IN_INK, _INK),
    **dict.fromkeys(_IN_GRID, _GRID),
    **dict.fromkeys(("axes.spines.top", "axes.spines.right", "axes.spines.left"), False),
    **dict.fromkeys(("figure.facecolor", "axes.facecolor"), "none"),
}
DASHES = {"-": "", "--": "5 3", ":": "1.5 2.5"}
"""The line styles of Matplotlib, as SVG's stroke-dasharray."""


class Line(msgspec.Struct, frozen=True):
    """A line of a figure, and of its legend.

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
    """An interval of a figure: a value between two ends, and whether it stands out."""

    label: str
    value: float
    low: float
    high: float
    marked: bool = False


def _colour(number: int) -> str:
    return f"#0102{number % COLOURS + 16:02x}"


def lines(found: Sequence[Line], x: str, y: str, share: bool = False) -> str:
    """Lines over an axis that begins at 0; `x`, `y`: labels of the axes, `share`: y is a share."""

    def draw(axes: Axes) -> None:
        for line in found:
            style: Any = {"color": _colour(line.colour), "linestyle": line.dash, "linewidth": 1.7}
            if len(line.x) <= 30:
                style |= {"marker": "o", "markersize": 3.0}
            axes.plot(line.x, line.y, **style)
            if line.low:
                band: Any = {"color": _colour(line.colour), "alpha": 0.18, "linewidth": 0}
                axes.fill_between(line.x, line.low, line.high, **band)
        axes.set(xlabel=x, ylabel=y)
        axes.set_ylim(bottom=0)
        axes.margins(x=0.02)
        axes.xaxis.set_major_formatter("{x:,.10g}")
        if share:
            axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.3g} %")
        else:
            axes.yaxis.set_major_formatter("{x:,.10g}")

    return _svg(draw)


def curves(
    found: Sequence[Curve], now: tuple[float, float], x: str, y: str, share: bool = False
) -> str:
    """Curves of one share, y, against another measure, with a ring at what is now; `share`: x is a
    share too."""

    def draw(axes: Axes) -> None:
        for curve in found:
            colour = _colour(curve.colour)
            axes.plot(curve.x, curve.y, "o-", color=colour, linewidth=1.4, markersize=3.5)
            for x_at, y_at, name in zip(curve.x, curve.y, curve.names, strict=True):
                if (x_at, y_at) != now:
                    _note(axes, name, (x_at, y_at), (0, 5), ha="center", color=colour)
        axes.plot(*now, "o", color=_INK, markersize=9, fillstyle="none", markeredgewidth=1.4)
        axes.set(xlabel=x, ylabel=y)
        axes.margins(0.1)
        for axis, whether in ((axes.xaxis, share), (axes.yaxis, True)):
            if whether:
                axis.set_major_formatter(lambda value, _: f"{100 * value:.3g} %")

    return _svg(draw)


def bars(labels: Sequence[str], values: Sequence[float], x: str, share: bool = False) -> str:
    """Horizontal bars, the first at the top, each with its value; `x`: the label of the axis."""

    def text(value: float) -> str:
        return f"{100 * value:.3g} %" if share else f"{value:.2f}"

    def draw(axes: Axes) -> None:
        places = np.arange(len(values))
        axes.barh(places, values, color=_colour(0), height=0.62)
        axes.set_yticks(places, labels)
        axes.invert_yaxis()
        axes.set(xlabel=x)
        axes.tick_params(axis="y", length=0)
        axes.grid(visible=False, axis="y")
        axes.margins(x=0.16)
        if share:
            axes.xaxis.set_major_formatter(lambda value, _: text(value))
        for place, value in zip(places, values, strict=True):
            _note(axes, text(value), (value, place), (4, 0), va="center")

    return _svg(draw, height=0.85 + 0.3 * len(values))


def spans(found: Sequence[Span], x: str, at: float) -> str:
    """Intervals of shares, the first at the top, each with its value, against the line x = `at`;
    those that stand out in another colour. `x`: the label of the axis."""

    def draw(axes: Axes) -> None:
        axes.axvline(at, color=_INK, linewidth=0.9, linestyle=":")
        for place, span in enumerate(found):
            colour = _colour(1 if span.marked else 0)
            axes.plot([span.low, span.high], [place] * 2, color=colour, linewidth=5, alpha=0.35)
            axes.plot([span.value], [place], "o", color=colour, markersize=5)
        axes.set_yticks(range(len(found)), [span.label for span in found])
        axes.set_ylim(len(found) - 0.5, -0.5)
        axes.set(xlabel=x)
        axes.tick_params(axis="y", length=0)
        axes.grid(visible=False, axis="y")
        axes.margins(x=0.05)
        axes.xaxis.set_major_formatter(lambda value, _: f"{100 * value:.3g} %")

    return _svg(draw, height=0.85 + 0.3 * len(found))


def lorenz(curve: Sequence[float]) -> str:
    """A Lorenz curve, shape (n,) from 0 to 1, and the diagonal of equal shares."""

    def draw(axes: Axes) -> None:
        at = np.linspace(0, 1, len(curve))
        axes.plot(at, at, color=_INK, linewidth=0.9, linestyle=":")
        axes.plot(at, curve, color=_colour(0), linewidth=1.9)
        axes.fill_between(at, curve, at, color=_colour(0), alpha=0.14, linewidth=0)
        _note(axes, "all items equally often", (0.5, 0.5), (-6, 6), ha="right")
        axes.set(xlabel="items in the catalogue, least shown first", xlim=(0, 1))
        axes.set(ylabel="share of what is shown", ylim=(0, 1))
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(lambda value, _: f"{100 * value:.0f} %")

    return _svg(draw)


def _note(
    axes: Axes, text: str, at: tuple[float, float], offset: tuple[int, int], **alignment: Any
) -> None:
    """A small text, `offset` points away from a point of the figure."""
    axes.annotate(text, at, offset, textcoords="offset points", fontsize=9, **alignment)


def _svg(draw: Callable[[Axes], None], height: float = 3.1) -> str:
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    out = io.StringIO()
    with rc_context(_STYLE):
        figure = Figure(figsize=(5.4, height), layout="constrained")
        draw(figure.add_subplot())
        figure.savefig(out, format="svg", transparent=True, metadata={"Date": None})
    text = out.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"\s*<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    # Without a size of its own, it fills the width of the page; viewBox keeps its proportions.
    text = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", text, count=1)
    text = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", text, count=1)
    for placeholder, name in _CSS_COLOURS.items():
        text = text.replace(placeholder, name)
    return text.replace("<svg", '<svg role="img"', 1)
