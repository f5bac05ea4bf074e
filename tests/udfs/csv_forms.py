"""Events as CSV files of every form: a strategy for properties of all that reads CSV."""

from __future__ import annotations

from typing import NamedTuple

from hypothesis import strategies as st

from udfs.events.csv_cells import join

EVENT = ("user", "item", "type", "ts", "value", "id")


class Written(NamedTuple):
    """Events as a file of some form, and how to read it."""

    lines: list[str]
    canonical: list[str]
    options: dict[str, str]


names = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=9)
ids = names | st.sampled_from(["a,b", 'a"b', "it's", "x;y", "a b", "user", "item", "7", "p|q"])
cases = st.sampled_from([str, str.upper, str.title, lambda name: f" {name}  "])


@st.composite
def events(draw: st.DrawFn) -> list[dict[str, str]]:
    """Cells of events by column, some of them empty."""
    return [
        {
            "user": draw(ids),
            "item": draw(ids.filter(lambda name: name.lower() not in ("user", "item"))),
            "type": draw(st.sampled_from(["view", "cart", "rating", "stare"])),
            "ts": draw(st.sampled_from(["", "1661431896", "soon", "1661431896711"])),
            "value": draw(st.sampled_from(["", "4.5", "3", "x"])),
            "id": draw(st.sampled_from(["", "e1"])),
        }
        for _ in range(draw(st.integers(1, 6)))
    ]


@st.composite
def written(draw: st.DrawFn) -> Written:
    """The same events with the columns in another order and form, and in the canonical one."""
    delimiter = draw(st.sampled_from([",", ";", "\t", "|", "::"]))
    quote = draw(st.sampled_from(['"', "'", ""]))
    rows = draw(events())
    kept = ["user", "item", *draw(st.lists(st.sampled_from(EVENT[2:]), unique=True))]
    columns = draw(st.permutations([*kept, *draw(st.sampled_from([[], ["note"], ["", "note"]]))]))
    plain = str.maketrans("", "", "" if quote else "\"'" + delimiter)
    cells = [
        {name: row.get(name, "").translate(plain) for name in (*EVENT, *columns)} for row in rows
    ]
    for row in cells:
        row |= {name: row[name] or "z" for name in ("user", "item")}
    mark = quote if draw(st.booleans()) else ""
    header = [f"{mark}{draw(cases)(name)}{mark}" for name in columns]
    end = draw(st.sampled_from(["", "\r"]))
    lines = [join([row[name] for name in columns], delimiter, quote) for row in cells]
    first = delimiter.join(header)
    bom = draw(st.sampled_from(["", "\ufeff"]))
    body = [*lines, first, "", *lines]  # as when two such files are joined
    missing = set(EVENT) - set(kept)
    canonical = [
        join(["" if name in missing else row[name] for name in EVENT], delimiter, quote)
        for row in cells
    ]
    return Written(
        [f"{line}{end}" for line in (bom + first, *body)],
        [*canonical, *canonical],
        {"delimiter": delimiter, "quote": quote},
    )
