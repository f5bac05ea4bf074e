"""A whole job forgets a user: not a byte of the id is left in state, Redis, letters or logs."""

from __future__ import annotations

import json
import logging
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.flink_app.jobs import counts, letters, lists, live, stats
from tests.flink_app.savepoint import SETTINGS
from tests.flink_app.test_savepoints import deliver
from tests.waiting import wait_for
from udfs.learning.impersonal import NOTHING_IN_REDIS
from udfs.learning.places import REDIS, names
from udfs.lists.keys import KNOWN, RECEIPT, WHY, digest

pytestmark = pytest.mark.job

ALICE = "alice-liddell-of-oxford"
PHONE = "telephone-of-the-liddells"


def savepoint(job: Any, folder: Path) -> bytes:
    """All bytes of a savepoint made now."""
    from pyflink.java_gateway import get_gateway

    kind = get_gateway().jvm.org.apache.flink.core.execution.SavepointFormatType.CANONICAL
    made = str(job._j_job_client.triggerSavepoint(folder.as_uri(), kind).get())
    files = Path(made.removeprefix("file:")).rglob("*")
    return b"".join(file.read_bytes() for file in files if file.is_file())


def everything(client: Any) -> dict[str, bytes]:
    """All keys of Redis, and all that is under each."""
    readers = {
        b"string": client.get, b"hash": client.hgetall, b"set": client.smembers,
        b"stream": client.xrange,
    }  # fmt: skip
    return {
        key.decode(): key + repr(readers[client.type(key)](key)).encode()
        for key in client.scan_iter()
    }


def traces(user: str, ts: int) -> list[dict[str, Any]]:
    """Lines of all sorts about a user."""
    events = [
        {"user": user, "item": f"i{n % 60}", "type": "purchase", "id": f"{user}:{n}", "ts": ts + n}
        for n in range(80)
    ]
    search = {"user": user, "type": "search", "query": "red kettle", "ts": ts}
    said = {"kind": "profile", "user": user, "country": "DE", "follows": ["bob"], "ts": ts}
    return [said, *events, search]


def of_phone(ts: int) -> list[dict[str, Any]]:
    """What came by another id of her, and that it is hers."""
    events = [
        {"user": PHONE, "item": f"i{n}", "type": "view", "id": f"{PHONE}:{n}", "ts": ts}
        for n in range(20)
    ]
    said = {"kind": "profile", "user": PHONE, "language": "en", "ts": ts}
    return [said, *events, {"kind": "link", "user": PHONE, "to": ALICE, "ts": ts}]


@pytest.mark.parametrize("ids", [[ALICE], [ALICE, PHONE]], ids=["one id", "two ids"])
def test_not_a_byte_is_left(
    ids: list[str],
    tmp_path: Path,
    redis_url: str,
    redis_client: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    inbox, saved, refused = tmp_path / "inbox", tmp_path / "saved", tmp_path / "letters"
    inbox.mkdir()
    settings = [
        *SETTINGS, f"source.paths=['{inbox}']", "redis.factors=true", "lists.kept=5",
        "dead_letters.kind=files", f"dead_letters.path={refused}",
    ]  # fmt: skip
    begun, several = time.time_ns() // 1_000_000, len(ids) > 1
    settings += ["identity.enabled=true"] * several
    events = 80 + 20 * several

    def named(data: bytes) -> bool:
        return any(one.encode() in data for one in ids)

    others = [{"user": f"u{n % 9}", "item": f"i{n % 30}", "type": "view"} for n in range(200)]
    follower = {"kind": "profile", "user": "u0", "follows": [*ids, "u1"], "ts": begun}
    with live(redis_url, *settings) as job:
        deliver(
            inbox, "first", [*others, follower, *traces(ALICE, begun), *of_phone(begun) * several]
        )
        wait_for(lambda: counts(stats(redis_url))["learned"] == 200 + events, 180.0)
        deliver(inbox, "asked", [{"kind": "export", "user": ALICE, "ts": begun + 100}])
        wait_for(lambda: redis_client.exists(KNOWN + digest(ALICE)) == 1)
        told = msgspec.json.decode(redis_client.get(KNOWN + digest(ALICE)))
        assert (told["events"], len(told["history"])) == (events, 60)
        assert {*told["said"]} == {"country", "follows", *(["language"] * several)}
        assert [one["id"] for one in told.get("ids", [{"id": ALICE}])] == ids
        last = next(one["item"] for one in told["history"])
        why = [{"kind": "why", "user": ids[-1], "item": last, "ts": begun + 110}]
        deliver(inbox, "why", why)
        wait_for(lambda: redis_client.exists(WHY + digest(ids[-1])) == 1)
        answer = msgspec.json.decode(redis_client.get(WHY + digest(ids[-1])))
        assert answer["facts"][0] == {"fact": "consumed"}
        # All that is about to go is there, or else this test would prove nothing.
        before = savepoint(job, saved)
        assert all(one.encode() in before for one in ids)
        held = {key for key, value in everything(redis_client).items() if named(value)}
        kinds = "rec", "kept", "factor"
        asked = KNOWN + digest(ALICE), WHY + digest(ids[-1])
        own = {*asked, *(f"{k}:{one}" for k in kinds for one in ids)}
        assert own <= held <= {*own, "rec:u0"}  # which may say whom an item is from
        caplog.clear()

        deliver(inbox, "forget", [{"kind": "forget", "user": ALICE, "ts": begun + 200}])
        receipts = [RECEIPT + digest(one) for one in ids]
        wait_for(lambda: redis_client.exists(*receipts) == len(ids))
        late = [{"user": ALICE, "item": "i1", "id": f"{ALICE}:late", "ts": begun + 150}]
        deliver(inbox, "late", [*late, {"user": "bob", "item": "i1", "value": "much"}])
        wait_for(lambda: stats(redis_url).get("refused") == "1")
        wait_for(lambda: len(letters(refused)) >= 1 or counts(stats(redis_url))["dead"] == 1)
        wait_for(lambda: not any(map(named, everything(redis_client).values())))
        assert not named(savepoint(job, saved))
        receipt = msgspec.json.decode(redis_client.get(RECEIPT + digest(ALICE)))
        assert receipt["ts"] == begun + 200
        assert not named(caplog.text.encode())

        # Others are as they were; and all keys are known to the list of places.
        assert lists(redis_url).keys() == {f"rec:u{n}" for n in range(9)}
        known = (*names(REDIS), *NOTHING_IN_REDIS)
        assert not [key for key in everything(redis_client) if not key.startswith(known)]
        again = [{"user": ALICE, "item": "i2", "type": "view"}]
        deliver(inbox, "again", again)
        wait_for(lambda: redis_client.exists(f"rec:{ALICE}") == 1)
        assert json.loads(redis_client.get(f"rec:{ALICE}"))["id"].endswith("-1")
        fields = stats(redis_url)
    assert sum(int(fields[name]) for name in ("learned", "refused", "opted_out")) <= 202 + events
    files = [file for file in refused.rglob("*") if file.is_file()]
    assert not [file for file in files if named(file.read_bytes())]
