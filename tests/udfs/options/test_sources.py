"""The table of candidate sources."""

from __future__ import annotations

import pytest

from udfs.models.model import Model
from udfs.options.sources import SOURCES, Source, evident, models, position, register, words


@pytest.mark.parametrize("name", SOURCES)
def test_a_source_matches_its_line(name: str) -> None:
    source = SOURCES[name]
    kind, options = source.load(), source.load_options()
    assert issubclass(kind, Model)
    assert (kind.evidence is not Model.evidence) == (source.prior > 0)
    assert not source.alone or source.prior or kind.candidates is not Model.candidates
    assert options is None or source.section.isidentifier()
    assert source.about and source.shown


@pytest.mark.parametrize("name", [*SOURCES, "ranker"])
def test_names_are_unique(name: str) -> None:
    before = dict(SOURCES)
    with pytest.raises(ValueError, match="give this one another name"):
        register(Source(name=name, code="a:b", about="", shown=""))
    assert before == SOURCES


def test_positions_are_the_order_of_the_table() -> None:
    assert [position(name) for name in SOURCES] == list(range(len(SOURCES)))
    assert {source.name for source in evident()} <= set(models())


def test_words() -> None:
    assert words(["a"]) == "a"
    assert words(["a", "b", "c"], "and") == "a, b and c"
