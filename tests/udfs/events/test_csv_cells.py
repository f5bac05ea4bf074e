"""Cells of a line, however they are separated and quoted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from udfs.events.csv_cells import cut, join

texts = st.text(st.characters(exclude_characters="\n\r\ufeff", codec="utf-8"), max_size=6)


@given(
    st.lists(texts, min_size=1, max_size=5),
    st.sampled_from([",", ";", "\t", "|", "::", " , "]),
    st.sampled_from(['"', "'", "`"]),
)
def test_cells_come_back_from_a_line(cells: list[str], delimiter: str, quote: str) -> None:
    line = join(cells, delimiter, quote)
    assert cut(f"\ufeff{line}\r\n", delimiter, quote) == cells
    assert join(cut(line, delimiter, ""), delimiter, "") == line


@pytest.mark.parametrize("line", ['"a,b', 'a,"b"c', '"a" ,b'])
def test_an_open_quote_gives_no_cells(line: str) -> None:
    assert cut(line, ",", '"') == cut(line.replace(",", "::"), "::", '"') == []
    assert len(cut(line, ",", "")) == 2
