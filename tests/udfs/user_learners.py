"""User learners for the tests: small settings, batches as Flink hands them over, what came out."""

from __future__ import annotations

from typing import Any

import msgspec

from tests.udfs.builders import NOW, SETTINGS, batch_of, changed, shown, with_columns
from tests.udfs.flink import Subtask, across
from udfs.accounts import Account, unpack_account
from udfs.events.batch import pack
from udfs.learning.settings import ORDINARY, JobSettings, Trial
from udfs.learning.user_shard import Progress
from udfs.operators.flink import STATS
from udfs.operators.user_learner import UserLearner

END = 2**63 - 1
"""When Flink fires all timers that are left: at the end of the input."""


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def settle(self, flink: Subtask) -> None:
        """Let the replica have waited for the items."""
        flink.operator.feed._started -= 60

    def __call__(self) -> int:
        return self.now


def operator(
    url: str,
    window_ms: int = 0,
    born_ms: int = 0,
    trial: Trial = ORDINARY,
    topic: tuple[str, ...] = (),
    **changes: Any,
) -> UserLearner:
    options = changed(
        SETTINGS, url=url, retry_s=1, refill_per_s=0, deduplicate_s=60, deduplicate_ids=1000,
        threads=1, user_expiry_days=1, item_expiry_days=30, test_every=0, shards=4,
    )  # fmt: skip
    settings = JobSettings(
        options=changed(options, **changes),
        item_keys=[100, 101],
        window_ms=window_ms,
        born_ms=born_ms,
        trial=trial,
        topic=topic,
    )
    return UserLearner(settings)


def sent(pairs: list[tuple[str, str]], opened: int, ids: list[str] | None = None) -> Any:
    batch = msgspec.structs.replace(batch_of(pairs), opened=opened)
    return 7, pack(with_columns(batch, ids=ids) if ids else batch)


def account(out: list[Any]) -> Account:
    total = Account()
    for tag, value in out:
        if tag is STATS:
            total.add(unpack_account(value))
    return total


def counted(flink: Subtask, out: list[Any]) -> Account:
    """What has been counted and not been reported before, `out` included: time for reports."""
    step, total = flink.operator._step, account(out)
    for key, shard in step._shards.items():
        flink.key = key
        late = step._tick(shard, step._clock())
        total.add(account(across(flink.operator._carry_out(late, flink._context))))
    return total


def progress(flink: Subtask, key: int = 7) -> Progress:
    """What the state of a shard says of it."""
    return msgspec.msgpack.decode(flink.state["learned"][key].data, type=Progress)


def listed(client: Any, user: str) -> list[str] | None:
    data = client.get(f"rec:{user}")
    return None if data is None else sorted(shown(msgspec.json.decode(data)))
