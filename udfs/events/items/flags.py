"""Reads whether something is so, as shops, feeds and spreadsheets of many languages write it.

In: a value as JSON or a CSV cell has it. Out: true or false, None for one that says nothing; or
`Bad`.
"""

from __future__ import annotations

import re
from typing import Any

from udfs.events.items.values import Bad
from udfs.events.json_problems import kind_of
from udfs.events.names import without_accents
from udfs.events.raw_columns import shown
from udfs.events.times import MISSING, NUMBER

# Yes and no, and what spreadsheets show, in English, German, French, Spanish, Italian, Portuguese,
# Dutch, Danish, Norwegian, Swedish, Finnish, Polish, Czech, Hungarian, Turkish, Russian, Chinese
# and Japanese; then what shops write. All without accents, which `_known` takes away.
_YES_WORDS = """
    true yes y t on ja j wahr oui vrai si verdadero vero sim verdadeiro waar sand sant kylla tosi
    tak prawda ano pravda igen igaz evet dogru да истина 是 はい
    active available in_stock instock in_store preorder pre_order presale backorder onbackorder
    back_order limited_availability limitedavailability online_only publish published visible
    verfugbar verfuegbar auf_lager lieferbar vorratig vorraetig en_stock disponible disponibile
    disponivel op_voorraad
"""
_NO_WORDS = """
    false no n f off nein falsch non faux falso nao nee onwaar nej nei falsk falskt ei epatosi
    nie falsz ne nepravda nem hamis hayir yanlis нет ложь 否 いいえ
    inactive unavailable out_of_stock outofstock sold_out soldout discontinued draft archived
    pending private future trash
    ausverkauft vergriffen nicht_verfugbar nicht_verfuegbar nicht_auf_lager nicht_lieferbar
    rupture_de_stock en_rupture_de_stock epuise indisponible agotado no_disponible sin_stock
    esaurito non_disponibile esgotado indisponivel uitverkocht
"""
_YES, _NO = frozenset(_YES_WORDS.split()), frozenset(_NO_WORDS.split())
_LONGEST = 40
_LETTERS = str.maketrans("ıł", "il")  # which are letters of their own, not ones with accents


def flag(value: Any, name: str) -> bool | None:
    """Whether something is so: true or false, a number above 0 or not, or a usual word for it; of
    a list, whether one is.

    >>> flag("in stock", "x"), flag("https://schema.org/OutOfStock", "x"), flag(3, "x")
    (True, False, True)
    >>> flag("ja", "x"), flag("Épuisé", "x"), flag("0", "x"), flag("", "x")
    (True, False, False, None)
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        said = value.strip().lower().rpartition("schema.org/")[2]
        if not said or said in MISSING:
            return None
        if (known := _known(said)) is not None:
            return known
        if not NUMBER.fullmatch(said):
            raise Bad(
                "wrong_type",
                f"{name} {shown(value)} is neither true nor false: write true or false, yes or no, "
                "or a number, above 0 or not",
            )
        value = float(said)
    if isinstance(value, list) and value and not isinstance(value[0], list | dict):
        return any(flag(one, name) for one in value)
    if isinstance(value, list | dict):
        raise Bad("wrong_type", f"{name} is {kind_of(value)}, neither true nor false")
    return bool(value > 0)


def _known(said: str) -> bool | None:
    """What a word means, whatever its accents, and whatever is between its parts."""
    if len(said) > _LONGEST:
        return None
    folded = re.sub(r"[\s-]+", "_", without_accents(said)).translate(_LETTERS)
    if folded in _YES or folded in _NO:
        return folded in _YES
    return None
