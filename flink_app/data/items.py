"""`millirec items`: writes item metadata from files into Redis.

In: JSON lines, CSV with a header, or the films of MovieLens. Out: `item:<id>`, a JSON object with
`title`, `category` and any other fields, which lookups and the live page show.
"""

from __future__ import annotations

import csv
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from difflib import get_close_matches
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec

from flink_app.config import Loaded
from flink_app.connections.redis_access import find_redis
from flink_app.console.failures import FAILED, FINISHED
from flink_app.console.live import counted
from flink_app.console.terminal import printable
from flink_app.data.recorded import files_of, read_blocks
from udfs.errors import SourceError
from udfs.events.raw_columns import Problem, clean_ids
from udfs.events.spread_json import objects
from udfs.stores.redis_refusals import told

_REPORTED = 5  # lines left out that are named
_PACKED = (".gz", ".bz2", ".xz", ".zst")
_DELIMITERS = ",;\t|"
_NO_GENRE = ("unknown", "(no genres listed)")
_U_GENRE = (
    "unknown|Action|Adventure|Animation|Children's|Comedy|Crime|Documentary|Drama|Fantasy|"
    "Film-Noir|Horror|Musical|Mystery|Romance|Sci-Fi|Thriller|War|Western"
)
_GENRES = _U_GENRE.split("|")
"""The flags at the end of a line of u.item, in the order of MovieLens-100K's u.genre."""

Metadata = dict[str, Any]
Read = Callable[[str], "tuple[Any, Metadata]"]
"""Turns a line into an id and the item's metadata, or raises ValueError with the reason."""


def items(loaded: Loaded, files: Sequence[Path], column: str) -> int:
    """Write the metadata in the files; returns the exit code, `FAILED` if a line was left out.

    Args:
        column: the field of the id in JSON and CSV.

    Raises:
        SourceError: a file cannot be read, or has no such column. ServiceError: no Redis answers.
    """
    client, address = find_redis(loaded)
    prefix, events = loaded.config.redis.prefix, loaded.config.events
    longest, integers = events.max_id_bytes, events.ids == "integers"
    written, bad = 0, 0
    for block in _blocks(files, column, loaded.config.source.encoding):
        ids: list[Any] = []
        found: list[Metadata] = []
        problems: dict[int, Problem] = {}
        for row, (_, line, read) in enumerate(block):
            try:
                item, metadata = read(line)
            except (ValueError, csv.Error) as error:
                problems[row] = "bad_line", str(error)
                item, metadata = "", {}
            ids.append(item)
            found.append(metadata)
        names = clean_ids(ids, "item", longest, problems, required=True, integers=integers)
        for row, (_, detail) in sorted(problems.items())[: max(0, _REPORTED - bad)]:
            print(printable(f"{block[row][0]} left out: {detail}"), file=sys.stderr)
        pipeline: Any = client.pipeline(transaction=False)
        for row, (name, metadata) in enumerate(zip(names, found, strict=True)):
            if row not in problems:
                pipeline.set(f"{prefix}item:{name}", msgspec.json.encode(metadata))
        with told(address):
            written += len(pipeline.execute())
        bad += len(problems)
    left_out = f"; {counted(bad, 'line')} left out" if bad else ""
    print(f"{counted(written, 'item')} written to {prefix}item:* in Redis at {address}{left_out}")
    if not written and not bad:
        print(f"there are no items in {', '.join(map(str, files))}", file=sys.stderr)
    return FINISHED if written and not bad else FAILED


def _blocks(
    files: Sequence[Path], column: str, encoding: str
) -> Iterator[list[tuple[str, str, Read]]]:
    """Blocks of the lines that are not blank, each with its place and its reader."""
    errors = "replace" if encoding else "surrogateescape"
    for file in files_of(files):
        read: Read | None = None
        for block in read_blocks([file], encoding=encoding, errors=errors):
            lines = []
            for number, raw in enumerate(block.lines, start=block.first):
                line = _text(raw)
                if not line.strip():
                    continue
                if read is None:
                    read, header = _reader(file, line, column)
                    if header:
                        continue
                lines += [(f"{file}, line {number}", one, read) for one in _objects_of(line)]
            yield lines


def _objects_of(line: str) -> Iterator[str]:
    """The objects on a line of JSON, as of an array or one behind the other; any other line as it
    is."""
    text = line.strip().strip(",").strip()
    if not text.startswith(("{", "[")) and text != "]":
        yield line
        return
    yield from chain.from_iterable(objects([[text]]))


def _text(line: str) -> str:
    """A line as UTF-8 or else, as in older files of MovieLens, as Latin-1."""
    try:
        line.encode()
    except UnicodeEncodeError:
        return line.encode(errors="surrogateescape").decode("latin-1")
    return line


def _reader(file: Path, first: str, column: str) -> tuple[Read, bool]:
    """The function that reads the lines of a file, and whether the first one is a header."""
    name = file.with_suffix("").name if file.suffix.lower() in _PACKED else file.name
    if name in ("u.item", "movies.dat"):
        return (_u_item if name == "u.item" else _movies_dat), False
    if first.lstrip("\ufeff \t").startswith(("{", "[")):
        return lambda line: _object(line, column), False
    names, delimiter = _header(first.removeprefix("\ufeff"), column)
    if name == "movies.csv" and "movieId" in names:
        return lambda line: _film(_row(line, names, delimiter), "movieId"), True
    if column not in names:
        near = get_close_matches(column, names, n=1, cutoff=0.3) or names[:1]
        raise SourceError(
            f"{file} has no column {column!r}, but {', '.join(map(repr, names))}: name the column "
            f"of ids, such as --item {shlex.quote(near[0])}"
        )
    return lambda line: _split(_row(line, names, delimiter), column), True


def _header(line: str, column: str) -> tuple[list[str], str]:
    """The names in a header and what is between them: the delimiter with which one is that of the
    ids, else with which they are most."""
    found = [(next(csv.reader([line], delimiter=mark)), mark) for mark in _DELIMITERS]
    return max(found, key=lambda one: (column in one[0], len(one[0])))


def _object(line: str, column: str) -> tuple[Any, Metadata]:
    try:
        found = msgspec.json.decode(line)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError(f"not JSON: {error}") from None
    if not isinstance(found, dict):
        raise ValueError("not a JSON object")
    if column not in found:
        raise ValueError(
            f"it has no field {column!r}, but {', '.join(map(repr, found))}: name that of ids "
            "with --item"
        )
    if found[column] is None:
        raise ValueError(f"its {column} is null")
    if type(found[column]) not in (str, int, float):
        raise ValueError(f"{column} is neither text nor a whole number")
    return _split(found, column)


def _row(line: str, names: Sequence[str], delimiter: str) -> Metadata:
    row = next(csv.reader([line], delimiter=delimiter))
    if len(row) != len(names):
        raise ValueError(f"{len(row)} columns, where the header has {len(names)}")
    return {name: value for name, value in zip(names, row, strict=True) if value}


def _split(found: Metadata, column: str) -> tuple[Any, Metadata]:
    return found.get(column, ""), {name: value for name, value in found.items() if name != column}


def _film(row: Metadata, column: str) -> tuple[Any, Metadata]:
    """A film of MovieLens; the first of its genres becomes its category."""
    genres = [one for one in row.get("genres", "").split("|") if one and one not in _NO_GENRE]
    metadata = {"title": row.get("title", ""), "category": genres[0] if genres else "no genre"}
    return row.get(column, ""), metadata | ({"genres": genres} if genres else {})


def _u_item(line: str) -> tuple[Any, Metadata]:
    parts = line.split("|")
    if len(parts) != 5 + len(_GENRES):
        raise ValueError(f"{len(parts)} columns, where u.item has {5 + len(_GENRES)}")
    flags = zip(_GENRES, parts[5:], strict=True)
    genres = "|".join(genre for genre, flag in flags if flag == "1")
    return _film({"item": parts[0], "title": parts[1], "genres": genres}, "item")


def _movies_dat(line: str) -> tuple[Any, Metadata]:
    parts = line.split("::")
    if len(parts) != 3:
        raise ValueError(f"{len(parts)} columns, where movies.dat has 3")
    return _film(dict(zip(("item", "title", "genres"), parts, strict=True)), "item")
