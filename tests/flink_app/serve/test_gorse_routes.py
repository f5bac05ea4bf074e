"""Gorse's own SDK works with millirec: the package PyGorse, as its users have it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import gorse
import httpx
import msgspec
import pytest
import redis

from tests.flink_app.serve.servers import made, serving


@pytest.fixture
def client(redis_url: str, redis_client: redis.Redis, tmp_path: Path) -> Iterator[httpx.Client]:
    redis_client.set("rec:alice", made("abcd", user="alice"))
    redis_client.set("popular", made("xyz"))
    where = "source.kind=directory", f"source.paths={tmp_path}"
    with serving(redis_url, *where, "serve.api_key=k", **{"X-API-Key": "k"}) as client:
        yield client


@pytest.fixture
def sdk(client: httpx.Client) -> gorse.Gorse:
    return gorse.Gorse(str(client.base_url).rstrip("/"), "k", timeout=20)


def written(folder: Path) -> list[dict[str, object]]:
    files = sorted(folder.glob("[0-9]*"))
    return [msgspec.json.decode(line) for f in files for line in f.read_text().splitlines()]


def test_lists(sdk: gorse.Gorse) -> None:
    found = sdk.get_recommend("alice", n=2)
    assert [(one.id, one.score) for one in found] == [("a", 1.0), ("b", 0.9)]
    assert [one.id for one in sdk.get_recommend("alice", n=2, offset=3)] == ["d"]
    assert [one.id for one in sdk.get_recommend("stranger")] == ["x", "y", "z"]


def test_feedback(sdk: gorse.Gorse, tmp_path: Path) -> None:
    assert sdk.insert_feedback("star", "bob", "kettle", "2024-05-01T12:00:00Z") == {
        "RowAffected": 1
    }
    many = [
        {"FeedbackType": kind, "UserId": "bob", "ItemId": "mug", "Timestamp": ""}
        for kind in ("read", "purchase")
    ]
    assert sdk.insert_feedbacks(many)["RowAffected"] == 2
    first, *rest = written(tmp_path)
    assert (first["user"], first["item"], first["type"]) == ("bob", "kettle", "like")
    assert first["ts"] == "2024-05-01T12:00:00Z"
    assert [event["type"] for event in rest] == ["view", "purchase"]


def test_the_same_feedback_twice_has_one_id(sdk: gorse.Gorse, tmp_path: Path) -> None:
    for _ in range(2):
        sdk.insert_feedback("star", "bob", "kettle", "2024-05-01T12:00:00Z")
    sdk.insert_feedback("star", "bob", "mug", "2024-05-01T12:00:00Z")
    ids = [event["id"] for event in written(tmp_path)]
    assert ids[0] == ids[1] != ids[2]


def test_what_is_refused_is_not_counted(client: httpx.Client) -> None:
    one = {"FeedbackType": "stare", "UserId": "bob", "ItemId": "mug", "Timestamp": ""}
    answer = client.put("/api/feedback", json=[one, {**one, "FeedbackType": "like"}]).json()
    assert answer["RowAffected"] == 1
    assert "stare" in answer["Rejected"][0]
    assert client.post("/api/feedback", json=[]).json() == {"RowAffected": 0}
    assert client.post("/api/feedback", json=[{"UserId": "bob"}]).status_code == 400


def test_a_wrong_key_is_an_error_of_the_sdk(client: httpx.Client) -> None:
    with pytest.raises(gorse.GorseException):
        gorse.Gorse(str(client.base_url).rstrip("/"), "wrong").get_recommend("alice")


def test_the_older_form_is_a_list_of_ids(client: httpx.Client) -> None:
    assert client.get("/api/recommend/alice", params={"n": 3}).json() == ["a", "b", "c"]
    assert client.get("/api/recommend/a%2Fb").json() == ["x", "y", "z"]


def test_the_jobs_own_preset_may_be_gorses(redis_url: str, tmp_path: Path) -> None:
    where = "source.kind=directory", f"source.paths={tmp_path}", "source.preset=gorse"
    with serving(redis_url, *where) as client:
        one = {"FeedbackType": "star", "UserId": "b", "ItemId": "m", "Timestamp": "2024-05-01"}
        assert client.post("/api/feedback", json=[one]).json() == {"RowAffected": 1}
    assert written(tmp_path) == [one]
