"""What a list becomes by a filter: which items, from which lists, in which order.

In: a condition on the fields of an item; the JSON of lists that may hold such items, in order.
Out: the entries of a list as long as was asked for. `millirec serve` reads Redis by itself, for
`millirec get --filter` it is read here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, TypedDict

import msgspec
import redis

from udfs.lists.contract import UnreadEntry, consumed_of, read_items
from udfs.lists.keys import (
    CATEGORY_POPULAR,
    CATEGORY_TRENDING,
    HIDDEN,
    KEPT,
    METADATA,
    POPULAR,
    TRENDING,
    USER,
    Kind,
    split,
)
from udfs.rules.expressions import FILTER, Expression, compile_expression
from udfs.rules.running import NAMED_LIKE
from udfs.rules.tokens import tokens
from udfs.rules.types import STRING

CONTEXT = frozenset(("now", "user", "item"))
"""What a condition can name that is not among the fields of an item."""

_NAMES = {**FILTER, "user": STRING}
_CATEGORIES = 8  # how many lists of categories are looked into, at most


class Condition(NamedTuple):
    """A condition on the fields of an item.

    Attributes:
        expression: its test. categories: names that may be categories which it asks for.
        context: what it names besides fields of items, among `CONTEXT`.
        decode: reads the fields that it names, which takes a third of what reading all does.
    """

    expression: Expression
    categories: tuple[str, ...]
    context: frozenset[str]
    decode: Callable[[bytes], Any]

    def test(self, value: bytes | None, context: Mapping[str, Any], item: str) -> bool:
        """Whether it holds for an item.

        Args:
            value: what stands under `item:<id>`. context: what it names besides.
        """
        fields = fields_in(value, self.decode)
        if self.context:
            fields.update(context, item=item)
        return self.expression.test(fields)

    def within(self, kind: Kind) -> list[str]:
        """The lists of a kind of the categories that it names."""
        return [kind.of(category) for category in self.categories]


@lru_cache(maxsize=1000)
def condition(text: str) -> Condition:
    """The condition that a text is; it may name `now` and `user` besides the fields of an item.

    Raises:
        ExpressionError: it is none.

    >>> condition('category in ["books", "games"] && price < 20').within(CATEGORY_POPULAR)
    ['popular:books', 'popular:games']
    """
    expression = compile_expression(text, _NAMES)
    names, texts = expression.names, list[str]()
    if names & {"category", "categories"}:
        # One that is no category, or must not be one, costs a look into a list that is filtered.
        texts = [str(word.value) for word in tokens(text) if word.kind == "string"]
    categories = tuple(dict.fromkeys(texts))[:_CATEGORIES]
    return Condition(expression, categories, names & CONTEXT, _decoder(names))


def _decoder(names: Collection[str]) -> Callable[[bytes], Any]:
    """What decodes the fields of these names, and passes over all others."""
    stored = {NAMED_LIKE.get(name, (name,))[0]: Any for name in names if name not in CONTEXT}
    return msgspec.json.Decoder(TypedDict("Named", stored, total=False)).decode  # type: ignore[operator]


class Choice:
    """The entries of one list so far.

    Args:
        exclude: items that are left out. consumed: those that are left out of what does not come
            from lists made for the user.

    Attributes:
        entries: best first; scores only fall where lists follow that are not the user's.
    """

    def __init__(self, exclude: Collection[str] = (), consumed: Collection[str] = ()) -> None:
        self.entries: list[UnreadEntry] = []
        self._seen, self._consumed, self._least = set(exclude), frozenset(consumed), 1.0

    def take(
        self, entries: Iterable[UnreadEntry], passes: Callable[[str], bool], own: bool
    ) -> None:
        """Add those entries of a list whose items pass, each item once.

        Args:
            own: whether the list is what was asked for, rather than what is popular.
        """
        seen, out = self._seen, () if own else self._consumed
        scale = 1.0 if own else self._least
        for entry in entries:
            item = entry.item
            if item in seen or item in out:
                continue
            seen.add(item)
            if not passes(item):
                continue
            if not own:
                score = msgspec.Raw(b"%.4f" % (scale * float(bytes(entry.score))))
                entry = UnreadEntry(item, score, entry.why)
            self.entries.append(entry)
        if self.entries:
            self._least = float(bytes(self.entries[-1].score))


def filtered(client: redis.Redis, prefix: str, name: str, text: str, length: int) -> bytes | None:
    """A list in Redis of the items that meet a condition, `length` at most; None if there is no
    such list. It goes on with `following`.

    Raises:
        ExpressionError: it is no condition. msgspec.MsgspecError: what is there is no list.
        redis.RedisError: Redis does not answer.
    """
    wanted = condition(text)
    kind, user = split(name)
    of_user = kind == USER.key
    first = [name, KEPT.of(user)] if of_user else [name]
    values = _values(client, [prefix + key for key in (*first, *following(name, wanted))])
    if not values[0]:
        return None
    lists = [read_items(value) if value else None for value in values]
    consumed = consumed_of(values[0]) if of_user else ()
    choice, context = Choice(consumed=consumed), {"user": user if of_user else ""}
    for at, one in enumerate(lists):
        if one is not None and len(choice.entries) < length:
            items = [entry.item for entry in one.items]
            passed = _passed(client, prefix, items, wanted, context)
            choice.take(one.items, passed.__getitem__, own=at < len(first))
    whole = read_items(values[0])
    whole.items = choice.entries[:length]
    return msgspec.json.encode(whole)


def following(name: str, wanted: Condition) -> list[str]:
    """The lists that a filtered list goes on with, if it is too short.

    >>> following("trending", condition('category == "tea"'))
    ['trending:tea']
    """
    if name.startswith(USER.key) or name == POPULAR.key:
        return [*wanted.within(CATEGORY_POPULAR), POPULAR.key]
    return wanted.within(CATEGORY_TRENDING) if name == TRENDING.key else []


def _passed(
    client: Any, prefix: str, items: Sequence[str], wanted: Condition, context: Mapping[str, str]
) -> dict[str, bool]:
    """Whether each item meets the condition and may be shown."""
    if not items:
        return {}
    hidden = client.smismember(prefix + HIDDEN, items)
    values = _values(client, [f"{prefix}{METADATA}{item}" for item in items])
    return {
        item: not out and wanted.test(value, context, item)
        for item, out, value in zip(items, hidden, values, strict=True)
    }


def _values(client: Any, keys: Sequence[str]) -> list[bytes | None]:
    pipeline = client.pipeline(transaction=False)  # MGET is no good in a cluster
    for key in keys:
        pipeline.get(key)
    values: list[bytes | None] = pipeline.execute()
    return values


def fields_in(
    value: bytes | None, decode: Callable[[bytes], Any] = msgspec.json.decode
) -> dict[str, Any]:
    """The fields of an item as they stand under `item:<id>`; none if that is no JSON object."""
    try:
        found = decode(value) if value else None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
