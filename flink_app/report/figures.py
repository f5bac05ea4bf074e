"""The pictures of a report: SVG to embed in a page, in the page's own font and colours.

In: `Drawing`s. Out: SVG (`str`). Colours are variables of the page's style sheet, so that they
follow its light and dark theme; the SVG refers to nothing outside the page.
"""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from flink_app.report.drawings import COLOURS, Bars, Curves, Drawing, Lines, Lorenz, Spans

if TYPE_CHECKING:
    from matplotlib.axes import Axes

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


def svg(it: Drawing) -> str:
    """The picture as SVG, as wide as the page lets it be."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    out = io.StringIO()
    with rc_context(_STYLE):
        figure = Figure(figsize=(5.4, _height(it)), layout="constrained")
        _draw(figure.add_subplot(), it)
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


def _height(it: Drawing) -> float:
    rows = len(it.values) if isinstance(it, Bars) else len(it.spans) if isinstance(it, Spans) else 0
    return 0.85 + 0.3 * rows if rows else 3.1


def _draw(axes: Axes, it: Drawing) -> None:
    match it:
        case Lines():
            _lines(axes, it)
        case Curves():
            _curves(axes, it)
        case Bars():
            _bars(axes, it)
        case Spans():
            _spans(axes, it)
        case Lorenz():
            _lorenz(axes, it)


def _lines(axes: Axes, it: Lines) -> None:
    for line in it.lines:
        style: Any = {"color": _colour(line.colour), "linestyle": line.dash, "linewidth": 1.7}
        if len(line.x) <= 30:
            style |= {"marker": "o", "markersize": 3.0}
        axes.plot(line.x, line.y, **style)
        if line.low:
            band: Any = {"color": _colour(line.colour), "alpha": 0.18, "linewidth": 0}
            axes.fill_between(line.x, line.low, line.high, **band)
    axes.set(xlabel=it.x, ylabel=it.y)
    axes.set_ylim(bottom=0)
    axes.margins(x=0.02)
    axes.xaxis.set_major_formatter("{x:,.10g}")
    if it.share:
        axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.3g} %")
    else:
        axes.yaxis.set_major_formatter("{x:,.10g}")


def _curves(axes: Axes, it: Curves) -> None:
    for curve in it.curves:
        colour = _colour(curve.colour)
        axes.plot(curve.x, curve.y, "o-", color=colour, linewidth=1.4, markersize=3.5)
        for x_at, y_at, name in zip(curve.x, curve.y, curve.names, strict=True):
            if (x_at, y_at) != it.now:
                _note(axes, name, (x_at, y_at), (0, 5), ha="center", color=colour)
    axes.plot(*it.now, "o", color=_INK, markersize=9, fillstyle="none", markeredgewidth=1.4)
    axes.set(xlabel=it.x, ylabel=it.y)
    axes.margins(0.1)
    for axis, whether in ((axes.xaxis, it.share), (axes.yaxis, True)):
        if whether:
            axis.set_major_formatter(lambda value, _: f"{100 * value:.3g} %")


def _bars(axes: Axes, it: Bars) -> None:
    def text(value: float) -> str:
        return f"{100 * value:.3g} %" if it.share else f"{value:.2f}"

    places = np.arange(len(it.values))
    axes.barh(places, it.values, color=_colour(0), height=0.62)
    axes.set_yticks(places, it.labels)
    axes.invert_yaxis()
    axes.set(xlabel=it.x)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    axes.margins(x=0.16)
    if it.share:
        axes.xaxis.set_major_formatter(lambda value, _: text(value))
    for place, value in zip(places, it.values, strict=True):
        _note(axes, text(value), (value, place), (4, 0), va="center")


def _spans(axes: Axes, it: Spans) -> None:
    axes.axvline(it.at, color=_INK, linewidth=0.9, linestyle=":")
    for place, span in enumerate(it.spans):
        colour = _colour(1 if span.marked else 0)
        axes.plot([span.low, span.high], [place] * 2, color=colour, linewidth=5, alpha=0.35)
        axes.plot([span.value], [place], "o", color=colour, markersize=5)
    axes.set_yticks(range(len(it.spans)), [span.label for span in it.spans])
    axes.set_ylim(len(it.spans) - 0.5, -0.5)
    axes.set(xlabel=it.x)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    axes.margins(x=0.05)
    axes.xaxis.set_major_formatter(lambda value, _: f"{100 * value:.3g} %")


def _lorenz(axes: Axes, it: Lorenz) -> None:
    at = np.linspace(0, 1, len(it.curve))
    axes.plot(at, at, color=_INK, linewidth=0.9, linestyle=":")
    axes.plot(at, it.curve, color=_colour(0), linewidth=1.9)
    axes.fill_between(at, it.curve, at, color=_colour(0), alpha=0.14, linewidth=0)
    _note(axes, "all items equally often", (0.5, 0.5), (-6, 6), ha="right")
    axes.set(xlabel="items in the catalogue, least shown first", xlim=(0, 1))
    axes.set(ylabel="share of what is shown", ylim=(0, 1))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(lambda value, _: f"{100 * value:.0f} %")


def _colour(number: int) -> str:
    return f"#0102{number % COLOURS + 16:02x}"


def _note(
    axes: Axes, text: str, at: tuple[float, float], offset: tuple[int, int], **alignment: Any
) -> None:
    """A small text, `offset` points away from a point of the figure."""
    axes.annotate(text, at, offset, textcoords="offset points", fontsize=9, **alignment)
