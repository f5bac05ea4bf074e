"""Query parameters and bodies that several routes share.

In: queries and bodies. Out: a `Wish`, `Many` or `Candidates`, validated.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query
from pydantic import BaseModel, Field

from flink_app.lookup.reasons import languages
from flink_app.serve.answers import Wish
from flink_app.serve.problems import Problem
from flink_app.serve.wording import required

_MOST = 100_000
_CONTEXT = (
    'What is known of users without a list, such as {"country":"DE","device":"phone"}: they '
    "get what users of these segments begin with."
)
_WORDS = f"The language in which why.text says each reason: {languages()}."
_FILTER = 'A condition on items, such as `category == "books" && price < 20`.'


async def _wish(
    n: Annotated[int | None, Query(ge=1, le=_MOST, description="Maximum number of items.")] = None,
    exclude: Annotated[
        list[str] | None, Query(description="An item to leave out; may be repeated.")
    ] = None,
    explain: Annotated[bool, Query(description="Whether to say why each item is there.")] = True,
    offset: Annotated[int, Query(ge=0, le=_MOST, description="Number of items to skip.")] = 0,
    filter: Annotated[str, Query(description=_FILTER)] = "",
    words: Annotated[str, Query(description=_WORDS)] = "",
) -> Wish:
    return Wish(n, frozenset(exclude or ()), explain, offset, filter, required(words))


Wished = Annotated[Wish, Depends(_wish)]
"""The query `n`, `exclude`, `explain`, `offset`, `filter`, `words`."""

Owner = Annotated[
    str | None, Query(description="A user, who gets no popular items consumed already.")
]
"""The query `user`."""


class Many(BaseModel):
    """Many users' lists at once."""

    users: list[str] = Field(description="Users' ids, at most serve.max_batch.")
    context: dict[str, str] = Field({}, description=_CONTEXT)
    n: int | None = Field(None, ge=1, le=_MOST, description="Maximum number of items per list.")
    exclude: list[str] = Field([], description="Items to leave out of every list.")
    explain: bool = Field(True, description="Whether to say why each item is there.")
    offset: int = Field(0, ge=0, le=_MOST, description="Number of items to skip in every list.")
    filter: str = Field("", description=_FILTER)
    words: str = Field("", description=_WORDS)

    @property
    def wish(self) -> Wish:
        """Which part of each list to return."""
        return Wish(
            self.n,
            frozenset(self.exclude),
            self.explain,
            self.offset,
            self.filter,
            required(self.words),
        )


class Candidates(BaseModel):
    """Items to rank for a user."""

    user: str = Field(description="The user's id.")
    items: list[str] = Field(description="Items' ids, at most serve.max_batch.")
    n: int | None = Field(None, ge=1, le=_MOST, description="Maximum number of items.")
    offset: int = Field(0, ge=0, le=_MOST, description="Number of items to skip.")


def limit(count: int, most: int, what: str) -> None:
    """Raise a Problem if a request asks for more than `serve.max_batch`."""
    if count > most:
        detail = f"The request names {count:,} {what}, more than serve.max_batch: {most:,}."
        raise Problem(413, "batch-too-large", detail)
