"""Whether something is so, in the words that shops write."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest

from udfs.events.items import flags
from udfs.events.items.flags import flag
from udfs.events.items.values import Bad

YES = "true|Yes|Y|1|2.5|Ja|WAHR|oui|VRAI|sí|si|sì|SIM|tak|да|是|はい|in stock|In-Stock|PreOrder"
YES += "|https://schema.org/InStock|lieferbar|Verfügbar|auf Lager|en stock|disponible"
NO = "false|No|n|0|-1|Nein|falsch|FALSCH|non|FAUX|não|nee|nej|nie|нет|否|FAŁSZ|いいえ|out of stock"
NO += "|sold_out|schema.org/OutOfStock|ausverkauft|nicht lieferbar|Épuisé|rupture de stock|hayır"


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_usual_words_of_many_languages(form: Any) -> None:
    for said, expected in ((YES, True), (NO, False)):
        for word in said.split("|"):
            for written in (word, f"  {word.upper()} "):
                assert flag(unicodedata.normalize(form, written), "x") is expected, word


def test_no_word_means_both() -> None:
    assert not flags._YES & flags._NO


@pytest.mark.parametrize("value", [None, "", "  ", "null", "NaN", "None"])
def test_what_says_nothing(value: Any) -> None:
    assert flag(value, "x") is None


def test_numbers_and_lists() -> None:
    assert [flag(value, "x") for value in (True, False, 3, 0, -2.5)] == [
        True,
        False,
        True,
        *2 * [False],
    ]
    assert flag([0, "nein", 2], "x") is True
    assert flag(["nein", None], "x") is False


@pytest.mark.parametrize("value", ["maybe", "yes no", [], {}, [[1]], "1,5"])
def test_anything_else_is_said(value: Any) -> None:
    with pytest.raises(Bad, match="neither true nor false"):
        flag(value, "the available")
