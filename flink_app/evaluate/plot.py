"""The picture of an evaluation: recall@10 along the stream, a line for each list.

In: `Result`s. Out: a matplotlib `Figure`, or a file of it. Matplotlib comes with the extra `plot`.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from flink_app.config.writable import write_file
from flink_app.evaluate.closer_results import RECALL
from flink_app.evaluate.results import Result
from flink_app.evaluate.table import Listed, lists, spread
from udfs.errors import ConfigError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ENDINGS = (".svg", ".png")

_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Colours of Okabe and Ito (2008), which the colour-blind can distinguish; not the faint yellow."""
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")
_GREY = "#666666"  # of popular lists, which are there to compare with
_LINES = {"strict": "-", "parallel": "--", "baseline": ":"}


def check_plot(path: Path) -> None:
    """Refuse what `save` could not write.

    Raises:
        ConfigError: the file name has another ending, or there is no matplotlib.
    """
    if path.suffix.lower() not in ENDINGS:
        raise ConfigError(f"--plot {path}: the name of a picture ends in {' or '.join(ENDINGS)}")
    if find_spec("matplotlib") is None:
        raise ConfigError(
            f"{path} needs matplotlib, which is not installed: pip install 'matplotlib>=3.9', or "
            "millirec with its extra, '.[plot]'"
        )


def save(results: Sequence[Result], path: Path, title: str = "") -> None:
    """Draw results into a file that `check_plot` has let pass, and make its folder."""
    drawn = io.BytesIO()
    figure(results, title).savefig(drawn, format=path.suffix[1:], dpi=150)
    write_file(path, drawn.getvalue())


def figure(results: Sequence[Result], title: str = "") -> Figure:
    """Recall@10 of each list over the events learned: mean of the seeds, spread as a band.

    Colour and marker tell lists apart, the kind of line the mode or that it is a baseline's. The
    legend is in order of recall@10 over all tests.
    """
    from matplotlib.figure import Figure

    found = Figure(figsize=(9.0, 4.8), layout="constrained")
    axes = found.add_subplot(
        title=title, xlabel="events learned", ylabel=f"{RECALL}, mean of each stretch"
    )
    shown = [each for each in lists(results) if any(run.curve for run in each.runs)]
    looks = _looks(shown)
    for each in sorted(shown, key=lambda each: -float(np.mean(each.totals(RECALL)))):
        events, values = over_events(each)
        baseline = each.kind == "baseline"
        colour, marker = looks[each.model, baseline]
        mean = values.mean(axis=0)
        axes.plot(
            events,
            mean,
            label=f"{each.label}  {spread(each.totals(RECALL))}",
            color=colour,
            linestyle=_LINES[each.kind],
            marker=marker,
            markersize=3.5,
            linewidth=1.0 if baseline else 1.6,
        )
        if len(values) > 1:
            band = values.std(axis=0, ddof=1)
            low, high, alpha = mean - band, mean + band, 0.1 if baseline else 0.2
            axes.fill_between(events, low, high, color=colour, alpha=alpha, linewidth=0)
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0)
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.grid(alpha=0.3, linewidth=0.5)
    axes.spines[["top", "right"]].set_visible(False)
    if shown:
        found.legend(
            loc="outside right upper",
            title=f"{RECALL} of all tests",
            frameon=False,
            fontsize="small",
            title_fontsize="small",
            alignment="left",
            handlelength=3.5,
        )
    return found


def over_events(listed: Listed) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Recall@10 of each run at the same places of the stream.

    Runs are looked at by the clock, so that their stretches end at other events: the first run's
    ends are those of all, and between two of its own points a run is taken as straight.

    Returns:
        Events learned, float64[n], and recall@10, float64[runs, n].
    """
    curves = [
        np.array(
            [
                (point.events, value)
                for point in run.curve
                if (value := point.of(listed.name)) is not None
            ]
        ).reshape(-1, 2)
        for run in listed.runs
    ]
    curves = [curve for curve in curves if len(curve)]
    if not curves:
        return np.empty(0), np.empty((1, 0))
    events = curves[0][:, 0]
    return events, np.array([np.interp(events, curve[:, 0], curve[:, 1]) for curve in curves])


def _looks(shown: Sequence[Listed]) -> dict[tuple[str, bool], tuple[str, str]]:
    """Colour and marker by model and whether it is a baseline, in the order of the report."""
    found: dict[tuple[str, bool], tuple[str, str]] = {}
    for baseline in (False, True):
        models = dict.fromkeys(
            each.model for each in shown if (each.kind == "baseline") == baseline
        )
        others = [model for model in models if model != "popular"]
        found |= {
            (model, baseline): (_COLOURS[n % len(_COLOURS)], _MARKERS[n % len(_MARKERS)])
            for n, model in enumerate(others)
        }
        found["popular", baseline] = _GREY, "x" if baseline else "+"
    return found
