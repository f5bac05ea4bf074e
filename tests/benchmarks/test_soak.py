"""The judgement of the soak: growth is found, but not growth while warming up."""

from __future__ import annotations

import pytest

from benchmarks.soak import grown, report, slopes


def figures(**series: list[float]) -> dict[str, float]:
    names = [name.replace("_", " ") for name in series]
    samples = [dict(zip(names, row, strict=True)) for row in zip(*series.values(), strict=True)]
    return slopes([float(n) for n in range(len(samples))], samples)


def test_growth_is_per_hour_and_after_warming_up() -> None:
    found = figures(
        taskmanager_MiB=[1, 50, 100.0, 100.0, 100.0, 100.0], x=[0, 0, 100, 101, 102, 103.0]
    )
    assert found["taskmanager MiB"] == pytest.approx(0)
    assert found["x"] == pytest.approx(60 / 101.5)


@pytest.mark.parametrize(
    ("name", "slope", "bad"),
    [
        ("taskmanager 1 resident MiB", 0.04, False),
        ("taskmanager 1 resident MiB", 0.06, True),
        ("learned", 9.0, False),
        ("checkpoint MiB", 0.1, False),
        ("checkpoint MiB", 0.3, True),
        ("freshness p50 ms", 0.6, True),
        ("redis resident MiB", -1.0, False),
        ("kafka resident MiB", 0.4, False),
        ("kafka live heap MiB", 0.06, True),
    ],
)
def test_figures_that_grow_too_fast_are_named(name: str, slope: float, bad: bool) -> None:
    assert grown({name: slope}) == ([name] if bad else [])


def test_the_table_shows_both_ends() -> None:
    samples = [{"a MiB": 1.0}, {"a MiB": 2.0}, {"a MiB": 3.0}]
    table = report({"minutes": 1, "rate": 5, "samples": samples, "slopes_per_hour": {"a MiB": 0.5}})
    assert [list(column.cells) for column in table.columns] == [
        ["a MiB"],
        ["2.0"],
        ["3.0"],
        ["+50.0%"],
    ]
