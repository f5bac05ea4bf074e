"""`millirec why`: a line where the job reads, and its answer in words."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from flink_app.data import questions
from tests.flink_app.data.test_rights import loaded
from tests.flink_app.lookup.test_explained import ANSWER
from tests.flink_app.serve.test_event_routes import written
from udfs.errors import ConfigError
from udfs.lists.keys import WHY, digest


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(questions, "ANSWER_S", 0.1)


def put(redis_client: Any, **fields: Any) -> None:
    """What a job would have answered."""
    answer = {**ANSWER, "ts": 2**50, **fields}
    redis_client.set(WHY + digest("ann"), msgspec.json.encode(answer))


def test_the_answer_is_printed_with_its_words(
    redis_url: str, redis_client: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(redis_client)
    redis_client.set("item:kettle", '{"title":"Kessel"}')
    assert questions.why(loaded(redis_url, tmp_path), "ann", "mug", "de") == 0
    sys.stdout.flush()
    found = msgspec.json.decode(capsys.readouterr().out)
    assert found["why"]["text"] == "weil du dir Kessel angesehen hast"
    [line] = written(tmp_path)
    assert (line["kind"], line["user"], line["item"]) == ("why", "ann", "mug")


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"item": "another"}, "the job has not answered"),
        ({"ts": 5}, "is it running"),
        ({"busy": True}, "ask again"),
    ],
)
def test_no_answer_of_ones_own_is_a_sentence(
    redis_url: str,
    redis_client: Any,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    fields: dict[str, Any],
    sentence: str,
) -> None:
    put(redis_client, **fields)
    assert questions.why(loaded(redis_url, tmp_path), "ann", "mug") == 1
    told = capsys.readouterr()
    assert sentence in told.err and told.out == ""


def test_another_language_is_refused_before_anything_is_asked(
    redis_url: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match="choose en, zh or de"):
        questions.why(loaded(redis_url, tmp_path), "ann", "mug", "tlh")
    assert not written(tmp_path)
