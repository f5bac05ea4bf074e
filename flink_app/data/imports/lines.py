"""What the exports of all systems have in common: records with their places, and fields.

In: files of JSON, and what is in records. Out: `Record`s, and parts of millirec's own lines.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from flink_app.data.recorded import read_blocks
from udfs.events.people import WORDS

Line = dict[str, Any]
"""A line in millirec's own form, before it is written as JSON."""
_decode = msgspec.json.Decoder().decode


class Unusable(ValueError):
    """Why a record is left out, as the end of a sentence."""


class Record(NamedTuple):
    """A record of an export: where it stands, and its fields, or why it has none."""

    place: str
    fields: dict[str, Any] | Unusable


def json_records(path: Path) -> Iterator[Record]:
    """The records of a file of JSON, compressed or not: an object a line, or arrays of them.

    Raises:
        SourceError: the file cannot be read.
    """
    for block in read_blocks([path]):
        for number, line in enumerate(block.lines, start=block.first):
            if text := line.strip(" \t,\ufeff"):
                yield from _of_line(f"{path}, line {number}", text)


def _of_line(place: str, text: str) -> Iterator[Record]:
    found = _decoded(text)
    if found is None and (bare := text.strip("[] \t,")) != text:  # of an array over several lines
        found = _decoded(bare) if bare else []
    if found is None:
        yield Record(place, Unusable("the line is no JSON"))
        return
    for one in found if isinstance(found, list) else [found]:
        wrong = Unusable("the line is JSON, but no object")
        yield Record(place, one if isinstance(one, dict) else wrong)


def _decoded(text: str) -> Any:
    """What a text holds; None if it is no JSON."""
    try:
        return _decode(text)
    except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError):
        return None


def present(**fields: Any) -> Line:
    """The fields that have a value.

    >>> present(user="ann", rec=None)
    {'user': 'ann'}
    """
    return {name: value for name, value in fields.items() if value is not None}


def translated(word: Any, types: Mapping[str, str]) -> Any:
    """A type of events in millirec's words, or as it is if another system has no such.

    >>> translated("star", {"star": "like"}), translated("gift", {"star": "like"})
    ('like', 'gift')
    """
    return types.get(word, word) if isinstance(word, str) else word


def described(labels: Mapping[str, Any]) -> Line:
    """The fields of a profile that names and values of another system are.

    >>> described({"country": "DE", "age": 33, "embedding": [0.1, 0.2]})
    {'country': 'DE', 'attributes': {'age': 33}}
    """
    own = {name: labels[name] for name in WORDS if isinstance(labels.get(name), str)}
    rest = {name: value for name, value in labels.items() if name not in own}
    kept, _ = without_vectors(rest)
    return own | present(attributes=kept or None)


def without_vectors(labels: Mapping[str, Any]) -> tuple[dict[str, Any], list[list[float]]]:
    """Labels without those that are lists of numbers, and these.

    >>> without_vectors({"genre": ["tea"], "text": {"embedding": [0.1, 2]}})
    ({'genre': ['tea']}, [[0.1, 2]])
    """
    kept: dict[str, Any] = {}
    vectors: list[list[float]] = []
    for name, value in labels.items():
        if isinstance(value, dict):
            inner, found = without_vectors(value)
            vectors += found
            kept |= {name: inner} if inner else {}
        elif is_vector(value):
            vectors.append(value)
        else:
            kept[name] = value
    return kept, vectors


def only_vector(vectors: Sequence[list[float]]) -> Line:
    """The field of an item's vector if there is one; of several nobody says which.

    >>> only_vector([[0.1, 2]])
    {'vector': [0.1, 2]}
    """
    return {"vector": vectors[0]} if len(vectors) == 1 else {}


def is_vector(value: Any) -> bool:
    """Whether a value is a list of numbers: an embedding, not words."""
    numbers = isinstance(value, list) and bool(value)
    return numbers and all(type(number) in (int, float) for number in value)
