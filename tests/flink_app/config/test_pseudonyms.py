"""Ids in requests are written as the job writes them, and nothing runs without a key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
import redis

from flink_app.client import Recommender
from flink_app.config import Config, load
from flink_app.config.check import check
from flink_app.config.pseudonyms import pseudonyms_of, stored_user
from flink_app.data import rights
from flink_app.lookup import lists
from tests.flink_app.serve.servers import items, made, serving
from tests.flink_app.serve.test_event_routes import written
from udfs.errors import ConfigError
from udfs.events.pseudonyms import VARIABLE, Pseudonyms
from udfs.lists.keys import RECEIPT, digest

KEY = "k" * 20
OF = Pseudonyms(KEY).of
ON = "privacy.pseudonyms=true"


@pytest.fixture
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, KEY)


def test_a_job_without_a_key_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert pseudonyms_of(Config()) is None
    assert stored_user(Config())("001") == "001"
    with pytest.raises(ConfigError, match=f"{VARIABLE} is not set: set it to a secret"):
        check(load(None, ["source.paths=x", ON], {}).config)


@pytest.mark.usefixtures("_key")
def test_ids_are_found_in_the_notation_that_the_job_reads() -> None:
    assert stored_user(load(None, [ON], {}).config)("001") == OF("001")
    assert stored_user(load(None, [ON, "events.ids=integers"], {}).config)("001") == OF("1")
    assert load(None, [], {VARIABLE: KEY}).config == Config()  # the key is no option


@pytest.mark.usefixtures("_key")
def test_a_server_finds_users_by_their_ids(
    redis_url: str, redis_client: redis.Redis, tmp_path: Path
) -> None:
    redis_client.set("rec:" + OF("ann"), made("ab", user=OF("ann")))
    redis_client.set("kept:" + OF("ann"), made("c", user=OF("ann")))
    redis_client.set("popular", made("xy"))
    redis_client.set(RECEIPT + digest(OF("ann")), b'{"ts":1125899906842624,"done":"now"}')
    where = "source.kind=directory", f"source.paths={tmp_path}"
    with serving(redis_url, ON, *where) as client:
        assert items(client.get("/recommend/ann").json()) == "ab"
        assert items(client.get("/recommend/ann?offset=1").json()) == "b"
        assert items(client.get("/recommend/" + OF("ann")).json()) == "xy"
        several = client.post("/recommend", json={"users": ["ann", "bob"]}).json()["lists"]
        assert [items(one) for one in several] == ["ab", "xy"]
        assert client.get("/api/recommend/ann").json() == ["a", "b"]
        with client.stream("GET", "/stream/ann") as stream:
            assert '"known":true' in next(one for one in stream.iter_lines() if "data" in one)
        assert client.delete("/users/ann").json()["receipt"]["done"] == "now"
        with Recommender(str(client.base_url)) as shop:
            assert shop.recommend("ann") == ["a", "b"]
    assert [(one["kind"], one["user"]) for one in written(tmp_path)] == [("forget", "ann")]
    with Recommender(redis_url, pseudonym_key=KEY) as shop:
        assert (shop.recommend("ann"), shop.recommend("bob")) == (["a", "b"], ["x", "y"])


@pytest.mark.usefixtures("_key")
def test_commands_find_users_by_their_ids(
    redis_url: str, redis_client: redis.Redis, tmp_path: Path, capfd: Any
) -> None:
    redis_client.set("rec:" + OF("ann"), made("ab", user=OF("ann")))
    received = {"done": "now", "checkpoints_until": "a", "source_until": "b", "digest": "d"}
    given = [f"redis.url={redis_url}", ON, "source.kind=directory", f"source.paths={tmp_path}"]
    loaded = load(None, given, {})
    assert lists.show("rec:ann", loaded, as_json=True) == 0
    assert OF("ann") in capfd.readouterr().out
    answer = msgspec.json.encode({"ts": 2**50, **received})
    redis_client.set(RECEIPT + digest(OF("ann")), answer)
    assert rights.forget(loaded, ["ann"]) == 0
    assert "ann was forgotten at now" in capfd.readouterr().out
