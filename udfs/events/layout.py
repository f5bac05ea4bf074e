"""Where the fields of an event are among the cells of a CSV line: by the header of its file, else
by the order that the preset has.

In: a `Preset`, and the first line of a file. Out: a `Layout`, which `udfs.events.csv_lines` reads
lines by.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from shlex import quote as shell_word

import msgspec

from udfs.events.columns import REQUIRED
from udfs.events.csv_cells import cut
from udfs.events.csv_mapping import NAME_THEM, needs_header
from udfs.events.names import fold, roles
from udfs.events.places import expanded
from udfs.events.preset import Preset, is_number

_NUMERIC = re.compile(r"\s*[+-]?\.?\d")  # a number, or a time
_SHOWN = 12  # names of a header that go into a sentence


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """Which cell of a line each field is.

    Attributes:
        at: (field, index of its cell from 0) of the fields that are there.
        width: how many cells a line has.
        exact: whether it may not have more.
        names: for messages, the columns; () if they have no names.
        header: the cells of the header, which is skipped wherever it recurs, however its names
            are written; () if no line is one.
        problem: why no line can be read, a sentence; "" if lines can be.
    """

    at: tuple[tuple[str, int], ...] = ()
    width: int = 0
    exact: bool = True
    names: tuple[str, ...] = ()
    header: tuple[str, ...] = ()
    problem: str = ""


def layout_of(preset: Preset, first: Sequence[str] = ()) -> Layout:
    """How the lines of a file are laid out.

    Args:
        preset: its format is "csv".
        first: the first lines of the file that are not blank; () if the lines are of no file.
    """
    preset = expanded(preset)
    if not first or preset.header == "no":
        return _in_order(preset)
    if "\r" in first[0].strip("\r") and (not preset.quote or preset.quote not in first[0]):
        return Layout(
            problem="the file's lines end in carriage returns alone, so that it is one long line: "
            "write line feeds instead, tr '\\r' '\\n'"
        )
    rows = [cut(line, preset.delimiter, preset.quote) for line in first]
    cells, names = rows[0], _folded(rows[0])
    if _is_numbered(preset):
        return _by_number(preset, cells, names)
    at = next((n for n, row in enumerate(rows) if _has_names(preset, _folded(row))), -1)
    if at >= 0 and (at == 0 or all(len(row) != len(rows[at]) for row in rows[:at])):
        return _by_name(preset, rows[at], _folded(rows[at]))
    if at >= 0 and _folded(rows[at]) != _folded(preset.columns):
        return Layout(
            header=tuple(rows[at]),
            problem=f"the header ({listed(rows[at])}) is below lines with as many cells, which "
            "would be misread: split the file before it",
        )
    if preset.header == "yes" and preset.named:
        return msgspec.structs.replace(_in_order(preset), header=tuple(cells))
    if preset.header == "yes" or _looks_like_names(preset, cells):
        return Layout(header=tuple(cells), problem=_missing(preset, cells, names, REQUIRED))
    return _in_order(preset)


def _folded(cells: Iterable[str]) -> tuple[str, ...]:
    return tuple(map(fold, cells))


def _is_numbered(preset: Preset) -> bool:
    return not preset.columns and not needs_header(preset)


def _in_order(preset: Preset) -> Layout:
    """The layout of lines without a header."""
    if _is_numbered(preset):
        at = {field: int(number) - 1 for field, number in preset.fields.items()}
        return Layout(at=tuple(at.items()), width=max(at.values()) + 1, exact=False)
    columns = preset.columns
    if not columns:
        wanted = listed(preset.fields[field] for field in REQUIRED)
        return Layout(
            problem=f"the columns of the CSV have no names, such as {wanted}: give each file a "
            f"header, {NAME_THEM}"
        )
    return Layout(
        at=tuple((f, columns.index(name)) for f, name in preset.fields.items() if name in columns),
        width=len(columns),
        names=columns,
        header=() if preset.header == "no" else columns,
    )


def _by_number(preset: Preset, cells: Sequence[str], names: tuple[str, ...]) -> Layout:
    """The layout by numbers, with a header if the first line is one."""
    layout = _in_order(preset)
    if preset.header == "yes":
        return msgspec.structs.replace(layout, header=tuple(cells))
    if not _looks_like_names(preset, cells):
        return layout
    at, guess = dict(layout.at), roles(cells)
    for field, other in (REQUIRED, REQUIRED[::-1]):
        if at[field] < len(cells) and fold(guess.get(other, "")) == names[at[field]]:
            return Layout(
                header=tuple(cells),
                problem=f"the {field} is read from column {at[field] + 1}, which the header "
                f"calls {cells[at[field]]!r}: correct source.fields.{field}, or if it is right, "
                "--set source.header=yes",
            )
    return msgspec.structs.replace(layout, header=tuple(cells))


def _by_name(preset: Preset, cells: Sequence[str], names: tuple[str, ...]) -> Layout:
    """The layout by a header that has the names of the user and the item."""
    at: dict[str, int] = {}
    for field, place in preset.fields.items():
        name = fold(place)
        if names.count(name) > 1:
            return Layout(
                header=tuple(cells),
                problem=f"the header has the column {place!r} {names.count(name)} times: rename "
                "all but one, or give each field its column's number from 1, "
                "--set source.fields.user=… --set source.fields.item=… and so on, "
                "with --set source.header=yes",
            )
        if name in names:
            at[field] = names.index(name)
        elif is_number(place) and int(place) <= len(names):
            at[field] = int(place) - 1
    if missing := [field for field in preset.required if field not in at]:
        return Layout(header=tuple(cells), problem=_missing(preset, cells, names, missing))
    return Layout(at=tuple(at.items()), width=len(names), names=tuple(cells), header=tuple(cells))


def _has_names(preset: Preset, names: tuple[str, ...]) -> bool:
    """Whether a line is a header: it has the names of the user's and the item's column, or of the
    one that has no number."""
    named = [preset.fields[f] for f in REQUIRED if fold(preset.fields[f]) in names]
    numbered = [preset.fields[f] for f in REQUIRED if is_number(preset.fields[f])]
    return bool(named) and len({*named, *numbered}) == len(REQUIRED)


def _looks_like_names(preset: Preset, cells: Sequence[str]) -> bool:
    """Whether a line seems to be a header with other names: no cell begins like a number,
    and at least two are names of the mapping or usual ones."""
    if any(map(_NUMERIC.match, cells)):
        return False
    own = {fold(place): field for field, place in preset.fields.items()}
    return len({own[name] for name in map(fold, cells) if name in own} | set(roles(cells))) > 1


def _missing(
    preset: Preset, cells: Sequence[str], names: tuple[str, ...], wanted: Iterable[str]
) -> str:
    """The sentence for a header without the columns of some fields."""
    if any("\0" in cell for cell in cells):
        return (
            "its header has NUL characters, so that it is in another encoding, such as "
            "--set source.encoding=utf-16-le; `millirec validate` finds which one"
        )
    lost = [field for field in wanted if fold(preset.fields[field]) not in names]
    guess = roles(cells)
    options = []
    for field in lost:
        near = get_close_matches(fold(preset.fields[field]), names, n=1, cutoff=0.8)
        name = guess.get(field) or (cells[names.index(near[0])].strip() if near else "…")
        options.append(f"--set {shell_word(f'source.fields.{field}={name}')}")
    columns = " or ".join(repr(preset.fields[field]) for field in lost)
    return (
        f"the header ({listed(cells)}) has no column {columns}: name the columns, "
        f"{' '.join(options)}; if it is no header, --set source.header=no"
        + (", or name all columns in source.columns" if preset.header == "yes" else "")
        + (", and to skip it, --set source.header=yes" if preset.named else "")
    )


def listed(names: Iterable[str]) -> str:
    """Names for use in a sentence: few and short."""
    shown = [name.strip("\ufeff ")[:40] for name in names]
    more = f" and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else ""
    return ", ".join(shown[:_SHOWN]) + more
