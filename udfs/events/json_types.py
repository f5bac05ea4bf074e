"""The typed decoder of a JSON line: which structs msgspec fills, and where a value is in them.

In: the places of a mapping (`udfs.events.places.slots`), and the list whose elements are events.
Out: a `Shape`, which `udfs.events.json_lines` decodes lines into and reads columns from.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from operator import attrgetter
from typing import Any

import msgspec

from udfs.events.columns import IDS, SESSION, Holds
from udfs.events.places import field_of, holds_of

# To msgspec, neither booleans nor 17.0 are integers.
_TYPES: dict[Holds, Any] = {
    "text": str | int,
    "word": str | int,
    "time": int | float | str,
    "number": float,
    "whole": int,
}
_DECIDES: Any = str | int | float | bool
"""What may be at a place that only decides whether a line counts."""
_EACH = "[]"

Getter = Callable[[Any], Any]
_Tree = dict[str, Any]


class Shape(msgspec.Struct, frozen=True):
    """How an object on a line is decoded.

    Attributes:
        event: the struct of an object.
        outer: slot → its value of such a struct.
        each: the list of elements of such a struct, which may be None; None: there is no list.
        inner: slot → its value of an element.
        blank: an element without any values.
    """

    event: type[msgspec.Struct]
    outer: dict[str, Getter]
    each: Getter | None
    inner: dict[str, Getter]
    blank: Any


def shape(slots: Mapping[str, str], each: str, *, required: Collection[str], floats: bool) -> Shape:
    """The shape for these places.

    Args:
        slots: name → dotted path; those that begin with `each` are read from its elements.
        each: a dotted path that ends in "[]", or "".
        required: the slots without which an object cannot be an event.
        floats: whether ids may be floats.
    """
    types = {slot: _type_of(slot, floats) for slot in slots}
    tree: _Tree = {}
    elements: _Tree = {}
    for slot, place in slots.items():
        if each and place == each:
            elements.setdefault("", []).append(slot)
        elif each and place.startswith(f"{each}."):
            _grow(elements, place.removeprefix(f"{each}.").split("."), slot)
        else:
            _grow(tree, place.split("."), slot)
    inner: dict[str, str] = {}
    element, blank = _element(elements, inner, types)
    names: dict[str, str] = {}
    if each:
        _grow(tree, each.removesuffix(_EACH).split("."), _EACH)
    many: Any = list[element | None]  # type: ignore[valid-type]
    event = _struct(tree, "", names, types | {_EACH: many}, required)
    listed = names.pop(_EACH, None)
    return Shape(
        event=event,
        outer={slot: attrgetter(name) for slot, name in names.items()},
        each=attrgetter(listed) if listed else None,
        inner={slot: attrgetter(name) if name else _itself for slot, name in inner.items()},
        blank=blank,
    )


def _grow(tree: _Tree, path: list[str], slot: str) -> None:
    """Add a path to the tree; at its end is the list of the slots that are read from it."""
    *above, last = path
    for key in above:
        tree = tree.setdefault(key, {})
    tree.setdefault(last, []).append(slot)


def _element(tree: _Tree, names: dict[str, str], types: Mapping[str, Any]) -> tuple[Any, Any]:
    """The type of an element, and one without values; `names` gets slot → attribute path."""
    if "" in tree:  # the elements are the values themselves
        names.update(dict.fromkeys(tree[""], ""))
        return _type(tree[""], types), None
    found = _struct(tree, "", names, types, ())
    return found, found()


def _struct(
    tree: _Tree,
    prefix: str,
    names: dict[str, str],
    types: Mapping[str, Any],
    needed: Collection[str],
) -> type[msgspec.Struct]:
    """A Struct for one level of the paths; `names` receives slot → attribute path."""
    required: list[Any] = []
    optional: list[Any] = []
    rename: dict[str, str] = {}
    for number, (key, below) in enumerate(tree.items()):
        name = f"f{number}"
        rename[name] = key
        if isinstance(below, dict):
            inner = _struct(below, f"{prefix}{name}.", names, types, needed)
            if any(field.required for field in msgspec.structs.fields(inner)):
                required.append((name, inner))
            else:
                optional.append((name, inner | None, msgspec.field(default_factory=inner)))
            continue
        names.update(dict.fromkeys(below, prefix + name))
        if any(slot in needed for slot in below):
            required.append((name, _type(below, types)))
        else:
            optional.append((name, _type(below, types) | None, None))
    return msgspec.defstruct("Event", [*required, *optional], rename=rename, gc=False)


def _type(slots: list[str], types: Mapping[str, Any]) -> Any:
    """What may be at the place of these slots."""
    found: Any = None
    for slot in slots:
        if types[slot] is not None:
            found = types[slot] if found is None else found | types[slot]
    if found is not None:
        return found
    return Any if all(field_of(slot) == SESSION for slot in slots) else _DECIDES


def _type_of(slot: str, floats: bool) -> Any:
    """What a slot may hold; None: what others at its place may hold. A session may be anything: an
    unusable one beside a user is no reason to lose the event."""
    field = field_of(slot)
    if field in ("only", SESSION):
        return None
    return str | int | float if floats and field in IDS else _TYPES[holds_of(slot)]


def values_of(getter: Getter, events: Sequence[Any]) -> list[Any]:
    """The value of each object, None where some object on the way to it is null."""
    try:
        return list(map(getter, events))
    except AttributeError:
        return [_get(getter, event) for event in events]


def _get(getter: Getter, event: Any) -> Any:
    try:
        return getter(event)
    except AttributeError:
        return None


def _itself(element: Any) -> Any:
    return element
