"""Why an item is in a list, over HTTP: by a line that the job answers in Redis."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from flink_app.serve import user_routes
from tests.flink_app.lookup.test_explained import ANSWER
from tests.flink_app.serve.servers import serving
from tests.flink_app.serve.test_event_routes import written
from udfs.lists.keys import WHY, digest


def put(redis_client: Any, user: str, **fields: Any) -> None:
    """What a job would have answered."""
    answer = {**ANSWER, "ts": 2**50, "user": user, **fields}
    redis_client.set(WHY + digest(user), msgspec.json.encode(answer))


def test_the_answer_comes_with_words_and_titles(
    client: httpx.Client, inbox: Path, redis_client: Any
) -> None:
    put(redis_client, "ann")
    redis_client.set("item:kettle", '{"title":"Kettle <b>"}')
    found = client.get("/why/ann/mug").json()
    assert found["sentences"][1] == "because you looked at Kettle <b>"
    assert found["ranker"] == ANSWER["ranker"]
    german = client.get("/why/ann/mug", params={"words": "de"}).json()
    assert german["why"]["text"] == "weil du dir Kettle <b> angesehen hast"
    lines = written(inbox)
    assert [(one["kind"], one["user"], one["item"]) for one in lines] == [("why", "ann", "mug")] * 2


def test_slashes_in_ids_are_told_from_the_one_between_them(
    client: httpx.Client, inbox: Path, redis_client: Any
) -> None:
    put(redis_client, "session:s/1", item="a/b c")
    answer = client.get("/why/session:s%2F1/a%2Fb%20c")
    assert answer.status_code == 200
    assert [(one["user"], one["item"]) for one in written(inbox)] == [("session:s/1", "a/b c")]


def test_without_an_answer_of_ones_own_there_is_a_sentence(
    client: httpx.Client, redis_client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(user_routes, "WAIT_S", 0.1)
    for fields, slug in (
        ({"item": "another"}, "not-answered"),
        ({"ts": 5}, "not-answered"),
        ({"busy": True}, "busy"),
    ):
        put(redis_client, "ann", **fields)
        answer = client.get("/why/ann/mug")
        assert (answer.status_code, answer.json()["type"][-len(slug) :]) == (503, slug)
        assert int(answer.headers["retry-after"]) >= 1


def test_what_is_no_question_is_refused(client: httpx.Client, inbox: Path) -> None:
    assert client.get("/why/ann").status_code == 404
    assert client.get("/why/ann/" + "x" * 600).status_code == 422
    assert client.get("/why/ann/mug", params={"words": "tlh"}).status_code == 400
    assert not written(inbox)


def test_a_server_that_writes_nothing_cannot_ask(redis_url: str) -> None:
    with serving(redis_url) as client:
        assert client.get("/why/ann/mug").status_code == 501
