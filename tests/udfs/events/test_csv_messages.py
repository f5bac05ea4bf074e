"""Several lines of CSV in a message are the events of one a message."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from udfs.events.decode import Decoded, Decoder, DecodeSettings
from udfs.events.resolve import resolve

NOW = 1_700_000_000_000
DECODER = Decoder(
    DecodeSettings(
        preset=resolve("millirec", format="csv"), weights={"view": 0.5, "click": 1.0, "cart": 2.0}
    )
)
ids = st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"]), min_size=1, max_size=4)
rows = st.tuples(
    ids.filter(lambda name: "\ufffd" not in name and "\ufeff" not in name),
    st.sampled_from(["x", "a,b", 'say "x"', "two\nlines"]),
    st.sampled_from(["view", "cart", "stare", ""]),
    st.sampled_from(["1661431896", "", "soon"]),
    st.just(""),
    st.sampled_from(["", "e"]),
)


def written(row: tuple[str, ...]) -> str:
    return ",".join('"{}"'.format(cell.replace('"', '""')) for cell in row)


def columns(found: Decoded) -> list[tuple[object, ...]]:
    return list(
        zip(
            found.users,
            found.items,
            found.ids,
            found.weights.tolist(),
            found.ts.tolist(),
            strict=True,
        )
    )


@given(
    st.lists(st.lists(rows, min_size=1, max_size=4), max_size=4),
    st.sampled_from(["\n", "\r\n", "\n\n"]),
)
def test_lines_of_a_message_are_those_of_several(
    messages: list[list[tuple[str, ...]]], end: str
) -> None:
    lines = [[written(row) for row in some] for some in messages]
    got = DECODER.decode([end.join(some) + "\n" for some in lines], NOW)
    alone = DECODER.decode([line for some in lines for line in some], NOW)
    assert columns(got) == columns(alone)
    assert [one.reason for one in got.rejected] == [one.reason for one in alone.rejected]
    assert (got.ignored, got.received) == (alone.ignored, alone.received)
    flat = [
        (message, at if len(some) > 1 else -1)
        for message, some in enumerate(lines)
        for at in range(len(some))
    ]
    assert [(one.index, one.element) for one in got.rejected] == [
        flat[one.index] for one in alone.rejected
    ]
