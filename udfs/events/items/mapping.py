"""Finds the fields of an item in one object of JSON, or in one row of a table.

In: an object, or the cells of a row by the names of their columns. Out: the raw values of the
fields, with the places where they were found.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from udfs.events.item_changes import FIELDS
from udfs.events.item_preset import ItemPreset
from udfs.events.items.attributes import attributes
from udfs.events.items.clean import Raw
from udfs.events.items.spellings import field_of
from udfs.events.items.values import Bad
from udfs.events.names import fold
from udfs.events.places import alternatives

OF_MESSAGE = ("@key", "@time")
"""What a Kafka message adds to its line where a mapping names one of them."""
_ABSENT: Any = object()
_Keys = list[tuple[str, str]]


class Mapped:
    """Reads the objects of JSON lines, or the rows below one header.

    Args:
        columns: the names of the columns of a table; () for objects.
    """

    def __init__(self, preset: ItemPreset, columns: Iterable[str] = ()) -> None:
        self._preset = preset
        self._known = {fold(name): name for name in columns}
        places = {
            field: [self._keys(place) for place in alternatives(some)]
            for field, some in preset.fields.items()
        }
        self._places = list(places.items())
        self._used = {keys[0][0] for some in places.values() for _, keys in some}
        self._more = [self._keys(place) for place in preset.more or ()]
        self._rest = preset.more is None
        self._only = [
            (self._keys(place)[1], {fold(word) for word in words})
            for place, words in preset.only.items()
        ]
        self._filled = self._keys(preset.filled)[1] if preset.filled else None
        self._empty = preset.filled.startswith("!")
        self._flags = [(name, self._known.get(fold(name), name)) for name in preset.flags]

    def _keys(self, place: str) -> tuple[str, _Keys]:
        """A place, and its keys, each with which elements of a list count."""
        bare = place.removeprefix("!")
        if self._known:
            return place, [(self._known.get(fold(bare), bare), "")]
        keys = []
        for part in bare.split("."):
            mark = next((mark for mark in ("[]", "[*]") if part.endswith(mark)), "")
            keys.append((part.removesuffix(mark), mark))
        return place, keys

    def wants(self, found: Mapping[str, Any]) -> bool:
        """Whether an object is about an item at all."""
        for keys, words in self._only:
            value = _at(found, keys)
            if value is not _ABSENT and value is not None and fold(str(value)) not in words:
                return False
        if self._filled is None:
            return True
        value = _at(found, self._filled)
        return (value is _ABSENT or value is None or value == "") is self._empty

    def raw(self, found: Mapping[str, Any]) -> Raw:
        """The fields of an object, the item's id and its time among them.

        Raises:
            Bad: the attributes cannot be used.
        """
        named: Raw = {}
        for field, places in self._places:
            for place, keys in places:
                value = _at(found, keys)
                if value is _ABSENT or (value is None and field in named):
                    continue
                named[field] = value, place
                if value is not None and value not in ("", []):
                    break
        if self._flags:
            having = [name for name, column in self._flags if found.get(column) == "1"]
            named["categories"] = having, "categories"
        if self._rest:
            self._add_rest(found, named)
        elif self._more:
            values = ((place, _at(found, keys)) for place, keys in self._more)
            self._attributes(named, {p: v for p, v in values if v is not _ABSENT})
        return named

    def _add_rest(self, found: Mapping[str, Any], named: Raw) -> None:
        """Add what no place of the mapping names: known fields, then spellings, then attributes."""
        others: dict[str, Any] = {}
        for key, value in found.items():
            if key in self._used or key in OF_MESSAGE:
                continue
            if key in FIELDS or key == "item" or key == "ts":
                named.setdefault(key, (value, key))
            elif key != "kind":
                others[key] = value
        attributes: dict[str, Any] = {}
        for key, value in others.items():
            field = field_of(key)
            if field == "kind":
                continue
            if field and field != "item" and field not in named:
                named[field] = value, key
            else:
                attributes[key] = value
        if attributes:
            self._attributes(named, attributes)

    def _attributes(self, named: Raw, others: Mapping[str, Any]) -> None:
        """Add attributes that are not among those of the line's own `attributes`; those of a shape
        that none may have are left out."""
        found: dict[str, Any] = {}
        for key, value in others.items():
            try:
                found |= attributes({key: value})
            except Bad:
                continue
        if not found:
            return
        given, place = named.get("attributes", ({}, "attributes"))
        if given is None or isinstance(given, dict):
            named["attributes"] = found | (given or {}), place


def _at(value: Any, keys: _Keys) -> Any:
    """The value at a place, `_ABSENT` if it is not there."""
    for number, (key, elements) in enumerate(keys):
        if not isinstance(value, Mapping) or key not in value:
            return _ABSENT
        value = value[key]
        if elements and (not isinstance(value, list) or not value):
            return _ABSENT
        if elements == "[*]":
            found = (_at(one, keys[number + 1 :]) for one in value)
            return [one for one in found if one is not _ABSENT] or _ABSENT
        if elements:
            value = value[0]
    return value
