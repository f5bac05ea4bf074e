"""The report on evaluations: quality over time of every list, and properties of the job's lists.

In: `Result`s written by `millirec evaluate --out`. Out: a `Page`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import mean

from flink_app.console.live import counted
from flink_app.evaluate.closer_results import RECALL
from flink_app.evaluate.plot import over_events
from flink_app.evaluate.results import OWN, Result, decoded, has_tests
from flink_app.evaluate.table import Listed, lists, spread, tests
from flink_app.evaluate.testable import NothingToTest
from flink_app.report.closer import closer_sections
from flink_app.report.drawings import COLOURS, Bars, Line, Lines
from flink_app.report.page import Page, Section, Tile
from flink_app.report.parts import percent, quality_grid, share_sections, share_tiles
from udfs.errors import SourceError


def read_results(paths: Sequence[Path]) -> list[Result]:
    """All results in the files.

    Raises:
        SourceError: a file cannot be read, or was not written by `millirec evaluate --out`.
        NothingToTest: nothing was tested.
    """
    found: list[Result] = []
    for path in paths:
        try:
            data = path.read_bytes()
        except OSError as error:
            raise SourceError(f"{path} cannot be read: {error.strerror}") from error
        found += decoded(data, path)
    if not found:
        raise SourceError(f"there is no result in {', '.join(map(str, paths))}")
    if not has_tests(found):
        raise NothingToTest(
            f"no list was tested in {', '.join(map(str, paths))}, so there is nothing to report: "
            "evaluate more events"
        )
    return found


def evaluated_page(results: Sequence[Result], made: str) -> Page:
    """The report. Several seeds of a list become one line, their mean."""
    found = sorted(lists(results), key=lambda each: -mean(each.totals(RECALL)))
    own = [result for result in results if result.model == OWN]
    longest = max(own or results, key=lambda result: result.events)
    sections = [_over_time(found), *_by_list(found)]
    sections.append(quality_grid([(each.label, _means(each)) for each in found]))
    for result in own:
        if result.closer is not None:
            sections += closer_sections(result.closer)
    if longest.sample:
        sections += share_sections(longest.sample)
    return Page(
        title="millirec: an evaluation",
        subtitle=f"test, then learn: {counted(longest.events, 'event')}, {tests(longest)}; "
        f"{counted(len(results), 'run')}",
        tiles=_tiles(found, longest),
        sections=sections,
        made=made,
    )


def _means(each: Listed) -> dict[str, float]:
    keys = {key.partition(":") for run in each.runs for key in run.quality}
    names = {measure for name, colon, measure in keys if colon and name == each.name}
    return {name: mean(each.totals(name)) for name in names}


def _tiles(found: Sequence[Listed], longest: Result) -> list[Tile]:
    own = [each for each in found if each.model == longest.served and each.kind != "baseline"]
    main = own[0] if own else found[0]
    others = [each for each in found if each.kind == "baseline" or each.model == "popular"]
    best = next((each for each in others if each is not main), None)
    note = f"{best.label}: {percent(mean(best.totals(RECALL)))}" if best else ""
    measures = _means(main)
    tiles = [Tile(f"{RECALL}, {main.label}", percent(measures.get(RECALL, 0.0)), note)]
    if "coverage@10" in measures:
        tiles.append(Tile("coverage@10", percent(measures["coverage@10"]), "of items, in tests"))
    if "novelty@10" in measures:
        tiles.append(Tile("novelty@10", f"{measures['novelty@10']:.2f} bits", "higher: less known"))
    return tiles + (share_tiles(longest.sample)[1:] if longest.sample else [])


def _over_time(found: Sequence[Listed]) -> Section:
    drawn = []
    dashes = {"strict": "-", "parallel": "--", "baseline": ":"}
    coloured = 0
    for each in found:
        events, values = over_events(each)
        if not len(events):
            continue
        # The last colour is grey, for popular lists, which the others are compared with.
        colour = COLOURS - 1
        if each.model != "popular":
            colour, coloured = coloured % (COLOURS - 1), coloured + 1
        note = spread(each.totals(RECALL))
        y = values.mean(axis=0)
        drawn.append(Line(each.label, events.tolist(), y.tolist(), colour, dashes[each.kind], note))
    return Section(
        title="Quality over time",
        text="recall@10 in each stretch of the stream; in the legend, over all tests.",
        figure=Lines(drawn, "events learned", RECALL, share=True) if drawn else None,
        legend=drawn,
    )


def _by_list(found: Sequence[Listed]) -> list[Section]:
    """Coverage and novelty as bars, each if a list has it."""

    def figure(measure: str, axis: str, share: bool = False) -> Bars | None:
        rows = [(each.label, mean(each.totals(measure))) for each in found]
        labels = [label for label, value in rows if value]
        values = [value for _, value in rows if value]
        return Bars(labels, values, axis, share) if labels else None

    coverage = Section(
        title="Coverage",
        text="The share of all items that were among the first ten of a tested list.",
        figure=figure("coverage@10", "share of all items", share=True),
    )
    novelty = Section(
        title="Novelty",
        text="−log₂ of a shown item's share of the events: one bit more means half as popular.",
        figure=figure("novelty@10", "bits"),
    )
    return [section for section in (coverage, novelty) if section.figure]
