"""What the simulated network says of the actions of its users, as lines of JSON, and of its posts.

In: `Actions` made by `browse`; posts. Out: events without a newline, and the fields of a post:
`{"user":"u17","item":"i204","type":"comment","ts":…,"id":"e3","session":"s1","text":"So true!"}`.
The text of a comment is nothing that millirec reads.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flink_app.simulator.actions import Actions, encode_event
from flink_app.simulator.social.names import TOPICS, comment, person
from flink_app.simulator.social.posts import Posts
from flink_app.simulator.social.wording import beginning, said, tags

KINDS = ("view", "like", "comment", "share")
"""The event types; `Actions.kinds` holds positions in it."""
COMMENT = KINDS.index("comment")


def encode_comment(event: bytes, text: str) -> bytes:
    """An event with a text, which has no character that JSON escapes.

    >>> encode_comment(b'{"user":"u1"}', "So true!")
    b'{"user":"u1","text":"So true!"}'
    """
    return event[:-1] + f',"text":"{text}"}}'.encode()


def encode(actions: Actions, times: Iterable[int], first: int, run: str) -> list[bytes]:
    """The actions as lines of JSON without newlines; see `World.lines`."""
    rows = zip(
        actions.users.tolist(),
        actions.items.tolist(),
        actions.kinds.tolist(),
        actions.sessions.tolist(),
        times,
        strict=True,
    )
    told = []
    for number, (user, item, kind, session, ts) in enumerate(rows, first):
        ids = f"{run}e{number}", f"{run}s{session}"
        event = encode_event(f"u{user}", f"i{item}", KINDS[kind], ts, *ids)
        told.append(encode_comment(event, comment(user + item)) if kind == COMMENT else event)
    return told


def fields(posts: Posts, number: int, began_ms: int) -> dict[str, Any]:
    """All that the network says about post `number`, as docs/items.md names it.

    began_ms: when the world began, milliseconds since 1970.
    """
    topic, author = int(posts.topics[number]), int(posts.authors[number])
    text = said(posts.words, number, topic)
    return {
        "title": beginning(text),
        "text": text,
        "categories": [TOPICS[topic]],
        "tags": tags(posts.words, number, topic),
        "provider": f"u{author}",
        "published": began_ms + int(posts.born[number]),
        "expires": began_ms + int(posts.ends[number]),
        "attributes": {"author": person(author)},
    }
