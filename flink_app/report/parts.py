"""The parts of both kinds of report: quality by list, and how lists share the catalogue.

In: what was measured. Out: `Tile`s and `Section`s.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flink_app.console.live import clock
from flink_app.lookup.sample import AGES, TOP, Sample
from flink_app.report.drawings import Bars, Lorenz
from flink_app.report.page import Grid, Section, Tile

MEASURES = ("recall@1", "recall@5", "recall@10", "recall@20", "mrr@10", "mrr@20", "ndcg@10")


def percent(share: float) -> str:
    """A share as text.

    >>> percent(0.1234), percent(1.0)
    ('12.3 %', '100 %')
    """
    return f"{100 * share:.3g} %"


def quality_grid(rows: Sequence[tuple[str, Mapping[str, float]]]) -> Section:
    """A row for each list with its measures, by name."""
    head = ["list", "tests", *MEASURES, "coverage@10", "novelty@10"]
    body = []
    for label, measures in rows:
        cells = [label, f"{measures.get('tests', 0):,.0f}"]
        cells += [percent(measures[name]) if name in measures else "" for name in MEASURES[:4]]
        cells += [f"{measures[name]:.4f}" if name in measures else "" for name in MEASURES[4:]]
        cells.append(percent(measures["coverage@10"]) if "coverage@10" in measures else "")
        cells.append(f"{measures['novelty@10']:.2f}" if "novelty@10" in measures else "")
        body.append(cells)
    return Section(
        title="Quality of each list",
        text="Each test checks, before an event is learned, whether the list contained its item. "
        "recall@n: the share of tests with the item among the first n. coverage@n: the share of "
        "all items that were among the first n of a list. novelty: −log₂ of a shown item's share "
        "of the events; higher means less known items.",
        grid=Grid(head, body),
        width="full",
    )


def share_tiles(sample: Sample) -> list[Tile]:
    """Coverage and concentration."""
    return [
        Tile(
            "catalogue shown",
            percent(sample.shown / sample.catalogue),
            f"{sample.shown:,} of {sample.catalogue:,} items, in {sample.lists:,} lists",
        ),
        Tile("Gini index", f"{sample.gini:.2f}", "0: all items equally often, 1: only one item"),
    ]


def share_sections(sample: Sample, titles: Mapping[str, str] | None = None) -> list[Section]:
    """How lists share out the catalogue, which models contribute items, how old lists are."""
    titles = titles or {}
    models = sample.models
    total = sum(models.values())
    return [
        Section(
            title="Popularity bias",
            text=f"How the first {TOP} places of {sample.lists:,} lists are shared among the "
            "items: the further the curve is below the diagonal, the fewer items fill them.",
            figure=Lorenz(sample.lorenz),
            grid=Grid(
                ["of what is shown", "share"],
                [
                    ["most shown 1 % of items", percent(sample.top)],
                    [f"{TOP} most popular items", percent(sample.popular)],
                    ["least shown half of all items", percent(sample.lorenz[50])],
                ],
            ),
        ),
        Section(
            title="Which model contributes the items",
            text="The model that contributes most to an item's score, over the same places.",
            figure=Bars(
                list(models), [count / total for count in models.values()], "share of places", True
            ),
            grid=Grid(
                ["age of lists", *(f"p{at}" for at in AGES)],
                [["since the user's last event", *(clock(age) for age in sample.ages_s)]],
            ),
        ),
        Section(
            title="Most shown items",
            text="The share of lists that have them among the first ten.",
            grid=Grid(
                ["item", "lists"],
                [
                    [f"{titles[item]} ({item})" if item in titles else item, percent(share)]
                    for item, share in sample.most
                ],
            ),
        ),
    ]
