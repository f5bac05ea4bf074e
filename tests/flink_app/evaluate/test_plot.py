"""The picture of an evaluation, by what its axes hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from flink_app.cli import main
from flink_app.config import Config
from flink_app.evaluate import plot
from flink_app.evaluate.evaluation import evaluate
from flink_app.evaluate.plot import check_plot, figure, over_events, save
from flink_app.evaluate.results import OWN, Point, Result
from flink_app.evaluate.table import lists
from udfs.errors import ConfigError


def result(model: str, seed: int, served: list[float], **given: Any) -> Result:
    """A run whose stretches are 10 events long; millirec's also tests popular lists and mf's."""
    own = model == OWN
    total = sum(served) / max(len(served), 1)
    quality = {"served:tests": 9.0, "served:recall@10": total}
    if own:
        quality |= {"popular:tests": 9.0, "popular:recall@10": 0.05}
        quality |= {"mf:tests": 9.0, "mf:recall@10": 0.15}
    others: dict[str, Any] = {"popular": 0.05, "models": {"mf": 0.15}} if own else {}
    points = [Point(10 * n, 9 * n, value, **others) for n, value in enumerate(served, 1)]
    return Result(
        model=model, mode=given.get("mode", "strict"), seed=seed, events=30, seconds=1.0,
        quality=quality, curve=given.get("curve", points), microseconds={}, served="ranker",
    )  # fmt: skip


RESULTS = [
    result(OWN, 1, [0.1, 0.2, 0.3]),
    result(OWN, 2, [0.2, 0.4, 0.6]),
    result(OWN, 1, [0.1, 0.1], mode="parallel"),
    result("item-knn", 1, [0.1, 0.2]),
    result("popular", 1, [0.0, 0.1]),
]


def drawn(results: list[Result]) -> tuple[Any, dict[str, Any]]:
    """The axes, and the lines by whose they are."""
    pytest.importorskip("matplotlib", reason="matplotlib comes with the extra plot")
    [axes] = figure(results).axes
    return axes, {str(line.get_label()).partition("  ")[0]: line for line in axes.get_lines()}


def test_a_line_is_the_mean_of_the_seeds_and_a_band_their_spread() -> None:
    axes, lines = drawn(RESULTS)
    served = lines["ranker, strict"]
    assert np.allclose(served.get_xydata(), [[10, 0.15], [20, 0.3], [30, 0.45]])
    assert np.allclose(lines["popular, strict"].get_ydata(), 0.05)
    assert np.allclose(lines["mf, strict"].get_ydata(), 0.15)
    assert np.allclose(lines["item-knn, baseline"].get_xydata(), [[10, 0.1], [20, 0.2]])
    bands = axes.collections  # of what has two seeds: the lists of the strict runs
    assert len(bands) == 3
    low, high = bands[0].get_datalim(axes.transData).intervaly
    deviation = np.std([0.1, 0.2], ddof=1), np.std([0.3, 0.6], ddof=1)
    assert (low, high) == pytest.approx((0.15 - deviation[0], 0.45 + deviation[1]))


def test_axes_and_legend_say_what_is_drawn() -> None:
    axes, lines = drawn(RESULTS)
    assert axes.get_xlabel() == "events learned" and axes.get_ylabel().startswith("recall@10")
    assert axes.get_xlim()[0] == axes.get_ylim()[0] == 0
    [legend] = axes.figure.legends
    texts = [text.get_text() for text in legend.get_texts()]
    assert texts[0] == "ranker, strict  0.3000 ± 0.1414"  # the best is the first
    assert "item-knn, baseline  0.1500" in texts
    assert len(texts) == len(lines) == 8


def test_every_line_looks_different() -> None:
    _, lines = drawn([*RESULTS, *(result(f"other{n}", 1, [0.1]) for n in range(6))])
    looks = {(line.get_color(), line.get_linestyle(), line.get_marker()) for line in lines.values()}
    assert len(looks) == len(lines) == 14
    both = [lines[f"ranker, {mode}"] for mode in ("strict", "parallel")]
    assert both[0].get_color() == both[1].get_color()


def test_seeds_are_compared_at_the_same_events() -> None:
    other = [Point(5, 4, 0.2), Point(25, 20, 0.4), Point(30, 25, 0.9)]
    runs = [result("isgd", 1, [0.1, 0.1, 0.1]), result("isgd", 2, [], curve=other)]
    [listed] = lists(runs)
    events, values = over_events(listed)
    assert events.tolist() == [10, 20, 30]
    assert np.allclose(values, [[0.1, 0.1, 0.1], [0.25, 0.35, 0.9]])


def test_runs_without_a_test_are_no_lines() -> None:
    axes, lines = drawn([result(OWN, 1, [])])
    assert not lines and not axes.figure.legends


@pytest.mark.parametrize(("name", "begin"), [("a.png", b"\x89PNG"), ("a.SVG", b"<?xml")])
def test_a_file_of_either_form(tmp_path: Path, name: str, begin: bytes) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib comes with the extra plot")
    path = tmp_path / "new" / name
    check_plot(path)
    save(RESULTS, path, "a title")
    assert path.read_bytes().startswith(begin)


def test_the_picture_of_a_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib comes with the extra plot")
    source, path = tmp_path / "events.jsonl", tmp_path / "quality.svg"
    source.write_text(
        "".join(
            f'{{"user":"u{n % 7}","item":"i{n * n % 11}","ts":{1_600_000_000 + n}}}\n'
            for n in range(60)
        )
    )
    evaluate(Config(), [source], [], 1, "", None, ["popular"], plot=path)
    assert path.stat().st_size > 1000
    assert "quality.svg" in capsys.readouterr().out.replace("\n", "")  # of a long path


@pytest.mark.parametrize("name", ["a.pdf", "png", "a.png.txt"])
def test_another_ending_is_refused_before_anything_runs(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["evaluate", "absent.jsonl", "--plot", name])
    assert caught.value.code == 2
    told = capsys.readouterr().err
    assert told == f"error: --plot {name}: the name of a picture ends in .svg or .png\n"


def test_without_matplotlib_it_is_refused_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plot, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"needs matplotlib.*its extra, '\.\[plot\]'"):
        evaluate(Config(), [Path("absent")], [], 1, "", None, plot=Path("a.svg"))
