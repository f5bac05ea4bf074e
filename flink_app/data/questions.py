"""`millirec why`: asks the running job why an item is in a user's list, or is not.

In: ids. Out: a line where the job reads, and its answer from Redis, printed with its words.
"""

from __future__ import annotations

import sys
import time

import msgspec
from rich.console import Console

from flink_app.config import Loaded
from flink_app.config.pseudonyms import stored_user
from flink_app.connections.redis_access import find_redis
from flink_app.console.failures import FAILED, FINISHED
from flink_app.console.terminal import printable
from flink_app.data.rights import ANSWER_S, answer_to, say_late, sent
from flink_app.lookup.explained import named, shown, with_words
from flink_app.lookup.lists import required, said_of
from flink_app.lookup.reasons import Said
from udfs.events.people import WHY
from udfs.events.whole_ids import stored
from udfs.lists.keys import WHY as ANSWER
from udfs.lists.keys import digest
from udfs.stores.redis_refusals import told


def why(loaded: Loaded, user: str, item: str, words: str = "", as_json: bool = False) -> int:
    """Ask, and print the answer; returns the exit code.

    Args:
        words: the language, English if it is "".

    Raises:
        ConfigError: the job reads from nowhere that can be written to; there is no such language.
        ServiceError: the line cannot be written, or Redis does not answer.
    """
    language, config = required(words), loaded.config
    name = stored(config.events.ids)(item)
    key = ANSWER + digest(stored_user(config)(user))
    ts = sent(loaded, WHY, [user], item=item)
    found = answer_to(loaded, key, ts, time.monotonic() + ANSWER_S, item=name)
    if found is None:
        say_late(user)
        return FAILED
    if found.get("busy"):
        text = "the job has answered as many questions as it does in a second: ask again."
        print(f"{printable(user)}: {text}", file=sys.stderr)
        return FAILED
    client, address = find_redis(loaded)
    with told(address):
        said = Said(language, said_of(client, config.redis.prefix, named(found)))
    answer, out = with_words(found, said), Console()
    if as_json or not out.is_terminal:
        print(msgspec.json.format(msgspec.json.encode(answer)).decode())
    else:
        out.print(shown(answer, said))
    return FINISHED
