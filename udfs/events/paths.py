"""Whether the dotted paths of a mapping can be read from one JSON object.

In: a `Preset` of JSON lines. Out: nothing, or a `SourceError` that says what to write instead.
"""

from __future__ import annotations

from udfs.errors import SourceError
from udfs.events.places import alternatives, slots
from udfs.events.preset import Preset


def reads_each(preset: Preset) -> bool:
    """Whether some field is read from the elements of `preset.each`."""
    places = [place for some in preset.fields.values() for place in alternatives(some)]
    return any(place == preset.each or place.startswith(f"{preset.each}.") for place in places)


def check_reads_each(preset: Preset) -> None:
    """Check that `preset.each` is of use.

    Raises:
        SourceError: it is set, and no field is read from its elements.
    """
    each, item = preset.each, preset.fields["item"].rpartition(".")[2]
    if each and not reads_each(preset):
        place = f"{each}.{item}" if preset.format == "json" else each
        raise SourceError(
            f"source.each is {each!r}, but no field is read from its elements: name one in "
            f"[source.fields], such as item = {place!r}"
        )


def check_paths(preset: Preset) -> None:
    """Check the paths.

    Raises:
        SourceError: a path is not one, two of them exclude each other, or the list of `preset.each`
            is not the one that the paths go through.
    """
    each, places = preset.each, slots(preset)
    if each:
        _check_each(preset)
    for slot, path in places.items():
        field = slot.partition("|")[0]
        below = path.removeprefix(each) if path == each or path.startswith(f"{each}.") else path
        if not all(path.removesuffix("[]").split(".")):
            raise SourceError(f"the path {path!r} of the field {field!r} has an empty part")
        if "[" in below or "]" in below:
            listed = path[: path.index("[")] + "[]"
            raise SourceError(
                f"the path {path!r} of the field {field!r} goes through a list, which is not that "
                f"of source.each ({each!r}): set source.each = {listed!r}; a line can be read "
                "through one list only"
            )
    _check_apart(preset)


def _check_apart(preset: Preset) -> None:
    """Refuse a path to something inside the value, or the list, that another path leads to."""
    fields = {path: slot.partition("|")[0] for slot, path in slots(preset).items()}
    for path, field in fields.items():
        for longer, other in fields.items():
            if _bare(longer).startswith(f"{_bare(path)}."):
                raise SourceError(
                    f"the field {other!r} is read from {longer!r}, inside {path!r} "
                    f"of the field {field!r}: give each field a value of its own"
                )
        if preset.each and "[]" not in path and f"{path}.".startswith(f"{_bare(preset.each)}."):
            raise SourceError(
                f"the field {field!r} is read from {path!r}, which is in the list of "
                f"source.each ({preset.each!r}): write [] behind the list's name in its path"
            )


def _bare(path: str) -> str:
    return path.replace("[]", "")


def _check_each(preset: Preset) -> None:
    each = preset.each
    name = each.removesuffix("[]")
    if name == each or "[" in name or not all(name.split(".")):
        raise SourceError(
            f"source.each is {each!r}, which is no path to a list: write it with its name and "
            "[] at the end, such as 'properties.products[]'. Lines that are lists themselves are "
            "read without it"
        )
    check_reads_each(preset)
