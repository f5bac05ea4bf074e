"""Whether recorded events test a list at all, before a job is started for it.

In: a file in order of time, and what its lines mean. Out: nothing, or why there is no test.
"""

from __future__ import annotations

from collections import Counter
from itertools import islice
from pathlib import Path

from flink_app.console.live import counted
from udfs.errors import MillirecError
from udfs.events.decode import Decoder
from udfs.events.settings import DecodeSettings

_BLOCK = 10_000  # lines


class NothingToTest(MillirecError):
    """The events do not test anything: figures of them would be zeros that say nothing."""


def require_test(
    path: Path, settings: DecodeSettings, now_ms: int, warmup: int, *, repeat: bool
) -> None:
    """See that some event could be found in a list, which is rarely far from the beginning.

    That is a positive event after the warm-up, of a user who had one before, on an item that
    somebody had before, among others; and one that the user has not consumed, unless `repeat`.

    Raises:
        NothingToTest: there is none.
    """
    decoder = Decoder(settings)
    users: set[str] = set()
    items: set[str] = set()
    consumed: set[tuple[str, str]] = set()
    why: Counter[str] = Counter()
    with path.open(encoding="utf-8", newline="\n") as file:
        while lines := [line.rstrip("\n") for line in islice(file, _BLOCK)]:
            found = decoder.decode(lines, now_ms)
            columns = found.weights.tolist(), found.consumed.tolist()
            for user, item, weight, takes in zip(found.users, found.items, *columns, strict=True):
                if why.total() < warmup:
                    why["warm-up"] += 1
                elif weight <= 0:
                    why["without a weight above 0"] += 1
                elif user not in users:
                    why["a user's first"] += 1
                elif not repeat and (user, item) in consumed:
                    why["on items that their user had"] += 1
                elif item not in items:
                    why["on items that nobody had before"] += 1
                elif len(items) > 1:
                    return
                else:
                    why["on the only item"] += 1
                users.add(user)
                items.add(item)
                if takes:
                    consumed.add((user, item))
    raise NothingToTest(_sentence(why, len(users), len(items)))


def _sentence(why: Counter[str], users: int, items: int) -> str:
    """Why there is no test, and what to do."""
    number = counted(why.total(), "event")
    if items == 1:
        return (
            f"nothing can be tested: there is one item for {number}, and nothing to choose "
            "from. If that is not so, name the field of the item: --set source.fields.item=…"
        )
    if users == 1:
        return (
            f"nothing can be tested: there is one user for {number}, from whom nobody else's list "
            "can be learned. If that is not so, name the field of the user: "
            "--set source.fields.user=…; if people return to items, --repeat tests that"
        )
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in why.most_common())
    advice = "record more events of the same users"
    if why["without a weight above 0"]:
        advice = "give their types a weight, --set events.weights.TYPE=1; or " + advice
    if why["on items that their user had"]:
        advice = "test repeats with --repeat; or " + advice
    if why["warm-up"]:
        advice = "lower --warmup; or " + advice
    return f"nothing can be tested: of {number}, {kinds}. {advice[0].upper()}{advice[1:]}"
