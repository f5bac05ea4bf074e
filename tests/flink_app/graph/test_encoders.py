"""Vectors of texts and images in a job, and a job that goes on without its encoder."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import redis

from flink_app.config import load
from flink_app.graph.encoders import encoder_of
from tests.flink_app.jobs import live, start
from tests.flink_app.savepoint import SETTINGS, stop
from tests.udfs.encoders.networks import image_network, picture, text_network
from tests.waiting import wait_for
from udfs.errors import ConfigError
from udfs.events.item_changes import item_shards
from udfs.feed.metadata import unpack
from udfs.models.content.features import content_vector
from udfs.stores.redis_metadata import metadata_key

_INLINE = "flink.options={'execution.checkpointing.data-inline-threshold' = '1 mb'}"


def test_what_is_missing_is_said_before_a_job_is_submitted() -> None:
    config = load(None, ["text.model=nowhere/at-all"], {}).config
    with pytest.raises(ConfigError, match=r"there is no file .*nowhere/at-all/model\.onnx"):
        encoder_of(config, [0])


def test_paths_are_those_of_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text_network(tmp_path / "words")
    image_network(tmp_path / "a.onnx")
    monkeypatch.chdir(tmp_path)
    settings = ["text.model=words", "images.model=a.onnx", "images.folder=pictures"]
    encoder = encoder_of(load(None, settings, {}).config, [0])
    assert encoder.text.model == str(tmp_path / "words")
    assert (encoder.images.model, encoder.images.folder) == (
        str(tmp_path / "a.onnx"),
        str(tmp_path / "pictures"),
    )


def entry(client: redis.Redis, item: str) -> Any:
    """What user learners know of an item, or None."""
    data = client.hget(metadata_key("", item_shards([item], 2)[0]), item)
    return unpack(data) if data else None  # type: ignore[arg-type]


@pytest.mark.job
def test_items_get_vectors_and_the_job_goes_on_without_them(
    tmp_path: Path, redis_url: str, redis_client: redis.Redis
) -> None:
    url = "data:image/png;base64," + base64.b64encode(picture()).decode()
    fields = {"title": "Red kettle", "categories": ["tea"]}
    lines = [
        {"kind": "item", "item": "a", "ts": 1_700_000_000, **fields, "image": url},
        {"kind": "item", "item": "b", "ts": 1_700_000_000, **fields, "image": "no.png"},
        {"user": "u", "item": "a", "ts": 1_700_000_001},
    ]
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    (inbox / "1").write_text("\n".join(map(json.dumps, lines)))
    networks = [
        f"text.model={text_network(tmp_path / 'words')}",
        f"images.model={image_network(tmp_path / 'a.onnx')}",
    ]
    settings = [*SETTINGS, f"source.paths=['{inbox}']", _INLINE]
    job = start(redis_url, *settings, *networks)
    names = ["waiting", "made:text", "made:image", "made:cached", "failed:unknown_form"]
    names = [*(f"encoder:{name}" for name in names), "described", "learned"]
    # The second title is the first again; as many lines are counted as there are, vectors are none.
    done = [b"0", b"1", b"1", b"1", b"1", b"2", b"1"]
    wait_for(lambda: redis_client.hmget("stats", names) == done, seconds=240)
    plain = content_vector(fields)
    for item in "ab":
        content = np.frombuffer(entry(redis_client, item).content, np.int8)
        assert content.any() and (content != plain).any()
    assert b"vector" not in redis_client.get("item:a")
    savepoint = stop(job, (tmp_path / "saved").as_uri())
    more = {"kind": "item", "item": "c", "ts": 1_700_000_002, **fields}
    (inbox / ".2").write_text(json.dumps(more))  # a file must be whole when it is seen
    (inbox / ".2").rename(inbox / "2")
    with live(redis_url, *settings, f"state.restore={savepoint}"):
        wait_for(lambda: entry(redis_client, "c") is not None, seconds=240)
    np.testing.assert_array_equal(np.frombuffer(entry(redis_client, "c").content, np.int8), plain)
