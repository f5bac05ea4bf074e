"""Reads prices as shops write them: 9.5, "9,50 €", "USD 1,299.00", {"value": 5, "currency": "EUR"}.

In: a value of JSON or a cell. Out: a number, and the currency if it says one.
"""

from __future__ import annotations

import re
from typing import Any

from udfs.events.items.values import Bad, number, word
from udfs.events.raw_columns import shown
from udfs.events.times import MISSING, NUMBER

MOST = 1e30
"""Prices from here on cannot be told apart by float32."""

_SIGNS = {"€": "EUR", "£": "GBP", "₹": "INR", "₩": "KRW", "₽": "RUB", "zł": "PLN", "R$": "BRL"}
"""Signs of one currency only; $, ¥ and kr are those of several."""
_AMOUNT = re.compile(r"\d[\d.,'\u00a0\u202f ]*")
_CODE = re.compile(r"(?<![A-Za-z])[A-Z]{3}(?![A-Za-z])")
_LONGEST = 100
_AMOUNTS, _CURRENCIES = ("value", "amount", "price"), ("currency", "currency_code", "currencyCode")


def price(value: Any, name: str, decimal: str = ".") -> tuple[float | None, str | None]:
    """The amount, None if there is none, and the currency that stands with it.

    Of a range it is the lower end. A mark with three digits behind it parts thousands, if it is not
    the decimal mark; behind both marks, the last one is the decimal mark.

    >>> price("$1,299.00", "x"), price("9,50 €", "x"), price("15.00 USD", "x")
    ((1299.0, None), (9.5, 'EUR'), (15.0, 'USD'))
    >>> price("1.299", "x", decimal=","), price("5.99 - 12.50", "x"), price({"value": 5}, "x")
    ((1299.0, None), (5.99, None), (5.0, None))
    """
    currency = None
    if isinstance(value, dict):
        found = next((value[key] for key in _AMOUNTS if key in value), value)
        currency = next((value[key] for key in _CURRENCIES if key in value), None)
        if "amountMicros" in value:  # of Google's Merchant API
            micros = number(value["amountMicros"], name)
            found = None if micros is None else micros / 1e6
        currency = word(currency, f"the currency of {name}")
        value = found
    if isinstance(value, str):
        read, said = _read(value, name, decimal)
        currency, value = currency or said, read
    amount = number(value, name)
    if amount is not None and not 0 <= amount < MOST:
        raise Bad("value_out_of_range", f"{name} is {amount:g}: a price is from 0 to 1e30")
    return amount, currency


def _read(value: str, name: str, decimal: str) -> tuple[float | None, str | None]:
    said = value.strip()
    if not said or said.lower() in MISSING:
        return None, None
    if NUMBER.fullmatch(said) and decimal == ".":
        return float(said), None
    found = _AMOUNT.search(said) if len(said) <= _LONGEST else None
    if found is None or said[: found.start()].rstrip().endswith("-"):
        raise Bad("wrong_type", f"{name} {shown(value)} is not a price")
    code = _CODE.search(said)
    sign = next((_SIGNS[sign] for sign in _SIGNS if sign in said), None)
    return _amount(found[0], name, decimal), code[0] if code else sign


def _amount(digits: str, name: str, decimal: str) -> float:
    """A number with marks between thousands, before its decimals, or both."""
    text = re.sub(r"['\s\u00a0\u202f]", "", digits).rstrip(".,")
    other = "," if decimal == "." else "."
    last = max(text, key=lambda mark: text.rfind(mark) if mark in ".," else -1)
    if last in ".,":
        one = text.count(last) == 1
        thousands = len(text) - text.rfind(last) - 1 == 3
        both = "." in text and "," in text
        if one and (both or last == decimal or not thousands):
            text = text.replace("," if last == "." else ".", "").replace(last, ".")
        elif one or thousands:
            text = text.replace(other, "").replace(decimal, "")
    if not NUMBER.fullmatch(text):
        raise Bad("wrong_type", f"{name} {shown(digits)} is not a price")
    return float(text)
