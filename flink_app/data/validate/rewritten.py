"""Ids that a spreadsheet or a data frame has rewritten: 1001.0 for 1001, 1.0E+9, zeros lost.

In: the users and the items of a file. Out: how many ids look so, and how to mend them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from flink_app.data.validate.ids import Found, Ids
from udfs.events.raw_columns import shown
from udfs.events.whole_ids import NotWhole, digits

_FLOAT = re.compile(r"[+-]?[0-9]+\.0+")
# Not 12e5, which a hash may begin with.
_EXPONENT = re.compile(r"[+-]?(?:[0-9]+\.[0-9]+[eE]\+?[0-9]+|[0-9]+[eE]\+[0-9]+)")


def rewritten(ids: Ids, every: Sequence[Ids]) -> tuple[str, Found, str]:
    """What was found among `ids`: a sentence, the number of ids with an example, and advice.

    Args:
        every: all ids of the file, since `events.ids` holds for users and items.
    """
    names = set(ids.names)
    floats = [name for name in ids.names if _FLOAT.fullmatch(name)]
    beside = sum(name.partition(".")[0] in names for name in floats)
    exponents = [name for name in ids.names if _EXPONENT.fullmatch(name)]
    zeros = [
        name
        for name in ids.names
        if name.isdigit() and _short(name) != name and _short(name) in names
    ]
    if not (floats or exponents or zeros):
        return "no id looks like a number that a spreadsheet rewrote", Found(), ""
    parts = []
    if floats:
        parts.append(f"{len(floats):,} such as {shown(floats[0])}, {beside:,} without .0 too")
    if exponents:
        parts.append(f"{len(exponents):,} such as {shown(exponents[0])}, which may lack digits")
    if zeros:
        short = shown(_short(zeros[0]))
        parts.append(f"{len(zeros):,} with leading zeros such as {shown(zeros[0])} beside {short}")
    found = Found(len(floats) + len(exponents) + len(zeros))
    return f"of {len(ids.names):,} ids " + "; ".join(parts), found, _advice(every, bool(exponents))


def _short(name: str) -> str:
    """Digits without leading zeros."""
    return name.lstrip("0") or "0"


def _advice(every: Sequence[Ids], exponents: bool) -> str:
    repair = "export ids as text (pandas: read_csv(…, dtype=str), or astype('Int64'))"
    for ids in every:
        for name in ids.names:
            try:
                digits(name)
            except NotWhole as error:
                return (
                    f"{repair}; events.ids = integers, which reads 1001.0 as 1001, would reject "
                    f"the {ids.kind} {shown(name)}, which {error}"
                )
    lost = f"; where digits are lost, {repair}" if exponents else ""
    return f"--set events.ids=integers reads 1001.0, 01001 and 1.001E+3 as 1001{lost}"
