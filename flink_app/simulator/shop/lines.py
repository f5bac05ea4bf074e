"""The actions of the shop's users as lines of JSON.

In: `Actions` made by `browse` and `searching`. Out: events without a newline:
`{"user":"u17","item":"i204","type":"view","ts":…,"id":"e3","session":"s1"}`, and searches.
"""

from __future__ import annotations

from collections.abc import Iterable

from flink_app.simulator.actions import Actions, encode_event
from flink_app.simulator.shop.wording import query

KINDS = ("view", "cart", "purchase", "search")
"""The event types, the first three in the order of the funnel; `Actions.kinds` holds positions in
it. The `items` of a search are numbers of queries (`wording.query`)."""
SEARCH = KINDS.index("search")


def encode_search(user: str, words: str, ts: int, event: str, session: str) -> bytes:
    """One search as a line of JSON without its newline; the arguments are those of `encode_event`.

    >>> encode_search("u1", "red kettle", 1704067200000, "e0", "s0")[:52]
    b'{"user":"u1","type":"search","query":"red kettle","t'
    """
    return (
        f'{{"user":"{user}","type":"search","query":"{words}","ts":{ts},'
        f'"id":"{event}","session":"{session}"}}'
    ).encode()


def encode(actions: Actions, times: Iterable[int], first: int, run: str) -> list[bytes]:
    """The actions as lines of JSON without newlines.

    times: n milliseconds since 1970. first: the number of the first action, in the ids "e0", "e1",
    …. run: a prefix of event and session ids that makes them unique to a run ("" if two runs may
    have the same ids). Returns n lines in the order of the actions.
    """
    rows = zip(
        actions.users.tolist(),
        actions.items.tolist(),
        actions.kinds.tolist(),
        actions.sessions.tolist(),
        times,
        strict=True,
    )
    return [
        encode_event(f"u{user}", f"i{item}", KINDS[kind], ts, f"{run}e{number}", f"{run}s{session}")
        if kind != SEARCH
        else encode_search(f"u{user}", query(item), ts, f"{run}e{number}", f"{run}s{session}")
        for number, (user, item, kind, session, ts) in enumerate(rows, first)
    ]
