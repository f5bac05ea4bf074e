"""What can be configured, read from the tree once: `load` looks names up here, `render` lists them.

In: the sections of `tree.Config`. Out: `OPTIONS`, name → `Option`, in the order of the tree.
"""

from __future__ import annotations

from typing import Any, get_args

import msgspec
from msgspec import inspect

from flink_app.config.tree import Config


class Option(msgspec.Struct, frozen=True, kw_only=True):
    """One option.

    Attributes:
        section, key: the two halves of its name.
        type: its type with its bounds, as `msgspec.convert` understands it.
        entry_type: the type of one entry of a table option; None for every other option.
        kind: the type as `msgspec.inspect` describes it.
        default: the value it has when it is not set.
        sentence: what it does, with its unit.
        usual: whether a shop usually sets it, see `udfs.options.USUAL`.
    """

    section: str
    key: str
    type: Any
    entry_type: Any
    kind: inspect.Type
    default: Any
    sentence: str
    usual: bool

    @property
    def name(self) -> str:
        """The name people write: `section.key`."""
        return f"{self.section}.{self.key}"

    @property
    def variable(self) -> str:
        """The environment variable that sets it: `MILLIREC_SECTION_KEY`."""
        return f"MILLIREC_{self.section}_{self.key}".upper()

    @property
    def is_table(self) -> bool:
        """Whether it is a table of entries, which its sources add to instead of replacing."""
        return isinstance(self.kind, inspect.DictType)


def _option(section: str, info: msgspec.structs.FieldInfo) -> Option:
    given = inspect.type_info(info.type)
    assert isinstance(given, inspect.Metadata), f"{section}.{info.name} has no description"
    bare = get_args(info.type)[0]  # Annotated[bare, Meta(…)]
    is_table = isinstance(given.type, inspect.DictType)
    is_choice = isinstance(given.type, inspect.LiteralType)
    made = info.default_factory is not msgspec.NODEFAULT
    return Option(
        section=section,
        key=info.name,
        type=info.type,
        entry_type=get_args(bare)[1] if is_table else None,  # dict[str, V] → V
        # msgspec sorts the words of a Literal; people should see them in the order declared.
        kind=inspect.LiteralType(get_args(bare)) if is_choice else given.type,
        default=info.default_factory() if made else info.default,
        sentence=(given.extra_json_schema or {})["description"],
        usual=bool((given.extra or {}).get("usual")),
    )


def options_of(section: str, tree: type[msgspec.Struct]) -> list[Option]:
    """The options that are the fields of a struct."""
    return [_option(section, info) for info in msgspec.structs.fields(tree)]


_FIRST = {"source": 0, "items": 1}

SECTIONS: dict[str, type[msgspec.Struct]] = {
    info.name: info.type
    for info in sorted(msgspec.structs.fields(Config), key=lambda info: _FIRST.get(info.name, 9))
    if info.name not in ("rules", "experiments")  # arrays of tables, see the modules of the name
}
"""Section → its class, in the order of an event's path."""

OPTIONS: dict[str, Option] = {
    option.name: option
    for section, tree in SECTIONS.items()
    for option in options_of(section, tree)
}
"""Name → option, in the order of the tree."""


def allowed(kind: inspect.Type) -> str:
    """What a value of this type may be, to follow "it must be".

    >>> allowed(OPTIONS["model.dimensions"].kind)
    'a whole number from 1 to 1024'
    >>> allowed(OPTIONS["source.header"].kind)
    'one of "auto", "yes", "no"'
    >>> allowed(OPTIONS["events.fractions"].kind)
    'a table, each entry a number from 0 and below 1'
    """
    match kind:
        case inspect.BoolType():
            return "true or false"
        case inspect.IntType():
            return "a whole number" + _bounds(kind)
        case inspect.FloatType():
            return "a number" + _bounds(kind)
        case inspect.LiteralType():
            return "one of " + ", ".join(f'"{value}"' for value in kind.values)
        case inspect.ListType():
            return 'a list of texts, such as ["a", "b"]'
        case inspect.DictType():
            return f"a table, each entry {allowed(kind.value_type)}"
        case inspect.StrType():
            return "a text that is not empty" if kind.min_length else "a text"
    raise TypeError(f"no option has the type {kind}")


def _bounds(kind: inspect.IntType | inspect.FloatType) -> str:
    if kind.gt is not None:
        return f" above {kind.gt}" + (f" and at most {kind.le}" if kind.le else "")
    if kind.ge is not None and kind.lt is not None:
        return f" from {kind.ge} and below {kind.lt}"
    if kind.ge is not None:
        return f" from {kind.ge} to {kind.le}"
    return ""
