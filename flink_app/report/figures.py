"""The figures of a report: SVG to stand within a page, in the page's own font and colours.

In: numbers. Out: SVG (`str`). Colours are names of the page's style sheet, so that they suit its
light and its dark form; nothing in it refers to anything outside.
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
"""How many there are for lines, `--c0` … in the style sheet."""

# Matplotlib takes no CSS names: these stand for them, and for nothing else.
_INK, _GRID = "#010203", "#010204"
_STAND_INS = {_INK: "currentColor", _GRID: "var(--grid)"} | {
    f"#0102{n + 16:02x}": f"var(--c{n})" for n in range(COLOURS)
}
_STYLE: Any = {
    "svg.fonttype": "none", "font.family": "sans-serif", "font.size": 9.5,
    "text.color": _INK, "axes.labelcolor": _INK, "axes.edgecolor": _GRID, "xtick.color": _GRID,
    "ytick.color": _GRID, "xtick.labelcolor": _INK, "ytick.labelcolor": _INK, "grid.color": _GRID,
    "axes.grid": True, "grid.linewidth": 0.6, "axes.axisbelow": True, "axes.spines.top": False,
    "axes.spines.right": False, "axes.spines.left": False, "figure.facecolor": "none",
    "axes.facecolor": "none", "axes.formatter.useoffset": False,
}  # fmt: skip
DASHES = {"-": "", "--": "5 3", ":": "1.5 2.5"}
"""The kinds of line, as SVG's stroke-dasharray."""


class Line(msgspec.Struct, frozen=True):
    """A line of a figure, and of its legend.

    Attributes:
        x, y: n points. colour: 0 to `COLOURS` - 1. dash: one of `DASHES`. note: behind the label.
    """

    label: str
    x: list[float]
    y: list[float]
    colour: int = 0
    dash: str = "-"
    note: str = ""

    @property
    def stroke(self) -> str:
        """SVG's stroke-dasharray, for the legend."""
        return DASHES[self.dash]


def _colour(number: int) -> str:
    return f"#0102{number % COLOURS + 16:02x}"


def lines(found: Sequence[Line], x: str, y: str, share: bool = False) -> str:
    """Lines from 0 up; `x` and `y` say what the axes are, `share` that y is one."""

    def draw(axes: Axes) -> None:
        for line in found:
            style = {"marker": "o", "markersize": 3.0} if len(line.x) <= 30 else {}
            axes.plot(
                line.x, line.y, color=_colour(line.colour), linestyle=line.dash, linewidth=1.7,
                **style,  # type: ignore[arg-type]
            )  # fmt: skip
        axes.set(xlabel=x, ylabel=y)
        axes.set_ylim(bottom=0)
        axes.margins(x=0.02)
        axes.xaxis.set_major_formatter("{x:,.10g}")
        if share:
            axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.3g} %")
        else:
            axes.yaxis.set_major_formatter("{x:,.10g}")

    return _svg(draw)


def bars(labels: Sequence[str], values: Sequence[float], x: str, share: bool = False) -> str:
    """Bars from left to right, the first on top, each with its value; `x` says what they are."""

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
            axes.annotate(
                text(value), (value, place), (4, 0), textcoords="offset points", va="center",
                fontsize=9,
            )  # fmt: skip

    return _svg(draw, height=0.85 + 0.3 * len(values))


def lorenz(curve: Sequence[float]) -> str:
    """A Lorenz curve, shape (n,) from 0 to 1, beside that of equal shares."""

    def draw(axes: Axes) -> None:
        at = np.linspace(0, 1, len(curve))
        axes.plot(at, at, color=_INK, linewidth=0.9, linestyle=":")
        axes.plot(at, curve, color=_colour(0), linewidth=1.9)
        axes.fill_between(at, curve, at, color=_colour(0), alpha=0.14, linewidth=0)
        axes.annotate("all items equally often", (0.5, 0.5), (-6, 6), textcoords="offset points",
                      ha="right", fontsize=9)  # fmt: skip
        axes.set(
            xlabel="items of the catalogue, the least shown first",
            ylabel="share of what is shown", xlim=(0, 1), ylim=(0, 1),
        )  # fmt: skip
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(lambda value, _: f"{100 * value:.0f} %")

    return _svg(draw)


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
    # As wide as there is room for; the proportions stand in viewBox.
    text = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", text, count=1)
    text = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", text, count=1)
    for stand_in, name in _STAND_INS.items():
        text = text.replace(stand_in, name)
    return text.replace("<svg", '<svg role="img"', 1)
