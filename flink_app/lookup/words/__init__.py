"""The message catalogue: a table of plain texts for each language, one file for each.

In: nothing. Out: `CATALOGUE`, the tables by language. A text has the same `{places}` in every
language; what a place gets is inserted as it is, and is no text with places itself.
"""

from __future__ import annotations

from collections.abc import Mapping

from flink_app.lookup.words import de, en, zh

DEFAULT = "en"
"""The language of a text that another one lacks."""
CATALOGUE: Mapping[str, Mapping[str, str]] = {"en": en.TEXTS, "zh": zh.TEXTS, "de": de.TEXTS}
"""The texts by language, then by name.

    because     of an item of a list that items of the user's history explain
    model.X     of the source X, where nothing more is known
    followed…   of the source social, by whom or what the user follows
    fact.X      why an item is not in a list, see `udfs.learning.why`
    place, absent, chance, without, without_none    of an answer why, see `explained`
"""


def text(language: str, name: str) -> str | None:
    """A text, in the language or else in `DEFAULT`; None: there is none of that name.

    >>> text("de", "model.popular"), text("xx", "model.popular"), text("de", "model.none")
    ('gerade beliebt', 'popular now', None)
    """
    return CATALOGUE.get(language, {}).get(name) or CATALOGUE[DEFAULT].get(name)
