"""The table of candidate sources: where the items of lists come from.

In: one line for each source, at the end. Out: `SOURCES`, from which everything that depends
on sources is derived: what is built and counted, the ranker's features, the choices and sections of
the configuration, the names in `why` and in `stats`, the words of the page and of the docs. Nothing
heavy is imported here: a source's code is loaded when a learner is built.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import Any

from msgspec import Struct


class Source(Struct, frozen=True, kw_only=True):
    """One source.

    Attributes:
        name: as written by people.
        code: the module and, after a colon, the class, a `udfs.models.model.Model`.
        about: what it lists, for the docs. shown: the same, worded as a reason, for the page.
        prior: the initial weight of the ranker's feature log(floor + share of its largest
            evidence); above 0, or 0 if and only if the source gives no evidence by item.
        floor: what no evidence is, as such a share: the less, the more even a little says.
        alone: whether users' lists can come from it alone.
        options: the module and struct of its section of the configuration; "": it has none.
        optional: whether it is there only where its section names a `model`; `shadow` says then
            that its lists are only tested.
    """

    name: str
    code: str
    about: str
    shown: str
    prior: float = 0.0
    floor: float = 0.3
    alone: bool = True
    options: str = ""
    optional: bool = False

    @property
    def section(self) -> str:
        """The name of its section.

        >>> SOURCES["item-cf"].section
        'item_cf'
        """
        return self.name.replace("-", "_")

    def built(self, settings: Any) -> bool:
        """Whether it is there, with these `udfs.models.settings.Settings`."""
        return not self.optional or bool(settings.of(self.section).model)

    def serves(self, settings: Any) -> bool:
        """Whether lists are made from it."""
        return not self.optional or (self.built(settings) and not settings.of(self.section).shadow)

    def load(self) -> Any:
        """Its class."""
        return _load(self.code)

    def load_options(self) -> type[Struct] | None:
        """The struct of its options."""
        return _load(self.options) if self.options else None


def _load(where: str) -> Any:
    module, name = where.split(":")
    return getattr(import_module(module), name)


SOURCES: dict[str, Source] = {}
"""The sources by name, in order; `Lists.models` are positions in it."""

ALWAYS_TESTED = "popular"
"""The source whose lists are tested in addition to those that are served."""


def register(source: Source) -> None:
    """Add a source.

    Raises:
        ValueError: a source of that name exists already.
    """
    if source.name in SOURCES or source.name == "ranker":
        raise ValueError(f"There is a source {source.name!r} already: give this one another name.")
    SOURCES[source.name] = source


def position(name: str) -> int:
    """The position of a source in `SOURCES`."""
    return list(SOURCES).index(name)


def built(settings: Any) -> dict[str, Source]:
    """The sources that are there, by name, in order."""
    return {name: source for name, source in SOURCES.items() if source.built(settings)}


def models() -> tuple[str, ...]:
    """The sources that users' lists can come from alone.

    >>> models()
    ('item-cf', 'user-cf', 'mf', 'popular')
    """
    return tuple(name for name, source in SOURCES.items() if source.alone)


def testable() -> tuple[str, ...]:
    """The sources whose lists can be tested besides those that always are.

    >>> testable()
    ('item-cf', 'user-cf', 'mf')
    """
    return tuple(name for name in models() if name != ALWAYS_TESTED)


def words(names: Iterable[str], last: str = "or") -> str:
    """Names listed in a sentence.

    >>> words(testable())
    'item-cf, user-cf or mf'
    """
    *others, final = names
    return f"{', '.join(others)} {last} {final}" if others else final


def evident() -> tuple[Source, ...]:
    """The sources that give evidence by item."""
    return tuple(source for source in SOURCES.values() if source.prior)


def silent() -> tuple[str, ...]:
    """The models that give no evidence: if one of them is served, no evidence is counted.

    >>> silent()
    ('mf', 'popular')
    """
    return tuple(name for name in models() if not SOURCES[name].prior)


register(
    Source(
        name="item-cf",
        code="udfs.models.item_cf.source:TakenTogether",
        about="what is taken together with your last items",
        shown="goes with what you watched",
        prior=2.0,
        options="udfs.models.options:ItemCF",
    )
)
register(
    Source(
        name="user-cf",
        code="udfs.models.user_cf.source:LikeMinded",
        about="what those took who took your last items",
        shown="people like you took it",
        prior=0.4,
        floor=0.01,
        options="udfs.models.options:UserCF",
    )
)
register(
    Source(
        name="mf",
        code="udfs.models.factors.source:Factors",
        about="what fits your taste and your last items",
        shown="suits your taste",
    )
)
register(
    Source(
        name="popular",
        code="udfs.models.popular.source:Popular",
        about="what many take now",
        shown="popular now",
    )
)
register(
    Source(
        name="trending",
        code="udfs.models.popular.source:Trends",
        about="what is taken more than before",
        shown="trending now",
        alone=False,
    )
)
register(
    Source(
        name="content",
        code="udfs.models.content.source:Content",
        about="what is new and like your last items, by its metadata",
        shown="new, and like what you chose",
        alone=False,
    )
)
register(
    Source(
        name="segments",
        code="udfs.models.segments.source:Segments",
        about="what users like you begin with, by who they say they are",
        shown="many like you begin with it",
        alone=False,
    )
)
register(
    Source(
        name="social",
        code="udfs.models.social.source:Social",
        about="what those took whom you follow",
        shown="from those you follow",
        alone=False,
        options="udfs.options.social:Social",
    )
)
register(
    Source(
        name="sequence",
        code="udfs.models.sequence.source:SequenceModel",
        about="what fits your last items by a sequence model of your own",
        shown="fits what you looked at last",
        alone=False,
        options="udfs.options.sequence:Sequence",
        optional=True,
    )
)
