"""What the configuration makes of a preset's columns, and what cannot work."""

from __future__ import annotations

from typing import Any

import pytest

from udfs.errors import SourceError
from udfs.events.csv_mapping import needs_header, require_names
from udfs.events.decode import Decoder, DecodeSettings
from udfs.events.resolve import resolve

STEAM = ["user", "game", "behaviour", "value", "0"]


def csv(preset: str = "millirec", **own: Any) -> Any:
    return resolve(preset, format="csv", **own)


def test_columns_of_a_file_without_a_header() -> None:
    preset = csv(columns=STEAM, fields={"item": "Game ", "type": "3"}, types={"buy": "purchase"})
    assert preset.fields["item"] == "game"
    assert preset.fields["type"] == "behaviour"
    assert (preset.named, preset.required) == (True, ("user", "item", "type"))
    decoder = Decoder(DecodeSettings(preset=preset, weights={"purchase": 2.0, "click": 1.0}))
    got = decoder.decode(['7,"a, b",buy,1.0,0', "7,c,buy,1.0"], 1_700_000_000_000)
    assert (got.users, got.items, got.weights.tolist()) == (["7"], ["a, b"], [2.0])
    assert got.rejected[0].detail == (
        "the line has 4 cells between ',', not the 5 columns user, game, behaviour, value, 0"
    )


def test_names_that_are_not_the_presets_need_a_header() -> None:
    preset = csv("retail", fields={"user": "customer", "item": "5"})
    assert (preset.columns, preset.fields["item"]) == ((), "5")
    assert needs_header(preset)
    assert not needs_header(csv("retail", fields={"user": "VisitorID"}))
    assert not needs_header(
        csv("retail", fields={"user": "customer"}, columns=["customer", "itemid"])
    )
    assert not needs_header(csv(fields={"user": "1", "item": "2"}))
    assert not needs_header(resolve("gorse"))
    with pytest.raises(SourceError, match="since it is so: name them all from left to right"):
        require_names(preset, "it is so")


@pytest.mark.parametrize("text", ["\t", "\\t"])
def test_a_tab_may_be_written_as_a_shell_has_it(text: str) -> None:
    assert csv(delimiter=text).delimiter == "\t"


@pytest.mark.parametrize(
    ("own", "sentence"),
    [
        ({"columns": ["a", "a"]}, "a name occurs twice in the columns a, a"),
        ({"columns": ["user", "User ", "item"]}, "a name occurs twice"),
        (
            {"columns": ["user", "what"]},
            "no column 'item' for the field 'item': choose",
        ),
        ({"columns": ["user", "item"], "fields": {"ts": "when"}}, "no column 'when'"),
        ({"fields": {"user": "7"}}, "no column '7' for the field 'user'"),
        (
            {"fields": {"user": "who"}, "header": "no"},
            "but .* no names, since source.header",
        ),
        ({"preset": "gorse", "header": "no"}, "'UserId', but .* name them all .*source.columns="),
        ({"delimiter": '"'}, "the delimiter '\"' has a quote or a line end"),
        ({"delimiter": ";'", "quote": "'"}, "has a quote"),
        ({"delimiter": "\n", "quote": ""}, "has a quote or a line end"),
        ({"quote": "''"}, "the quote \"''\" is not a mark around cells: write one character"),
        ({"quote": " "}, "is not a mark"),
        ({"quote": "a"}, "is not a mark"),
        ({"quote": "", "decimal": ","}, "the decimal mark and the delimiter are both ','"),
    ],
)
def test_what_cannot_be_read_is_refused(own: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SourceError, match=sentence):
        csv(**own)


def test_what_can() -> None:
    csv(decimal=",")  # between quotes
    csv(decimal=",", quote="", delimiter=";")
    csv(columns=["user", "", "item", ""])
    csv(quote="")
