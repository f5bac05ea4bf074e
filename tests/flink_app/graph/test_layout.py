"""A job that does not fit its state is refused, if possible before it is submitted."""

from __future__ import annotations

from pathlib import Path

import pytest
import redis

from flink_app.config import load
from flink_app.graph.layout import inputs_of, inputs_refusal
from tests.flink_app.jobs import start
from tests.flink_app.savepoint import SETTINGS, unpack
from udfs.errors import ConfigError

FILES = ["source.kind=files", "source.paths=['a']"]


@pytest.mark.parametrize(
    ("before", "now", "sentence"),
    [
        ([], [], ""),
        ([], ["items.preset=gorse"], ""),
        ([], ["items.kind=kafka"], "was written without [items], but this job has items.kind = ka"),
        (["items.kind=kafka"], [], "items.kind = kafka, but this job has none: set items.kind = k"),
        (["items.kind=kafka"], ["items.kind=files"], "items.kind = kafka, but this job has files"),
        ([], ["source.kind=directory"], "source.kind = files, but this job has directory: set"),
        ([], ["job.parallelism=2"], "job.parallelism = 1, but this job has 2: set job.parallelism"),
        (["job.parallelism=2"], [], "job.parallelism = 2, but this job has 1"),
        (["job.parallelism=2"], ["job.parallelism=4"], ""),
        (["source.kind=kafka"], ["source.kind=kafka", "job.parallelism=2"], ""),
        (["source.paths=['a','b']"], [], "with 2 source.paths, but this job has 1: name as many"),
    ],
)
def test_other_inputs_are_refused_because_their_positions_would_be_lost(
    before: list[str], now: list[str], sentence: str
) -> None:
    then, wanted = (inputs_of(load(None, [*FILES, *given], {}).config) for given in (before, now))
    found = inputs_refusal(then, wanted, "/savepoints/7")
    assert sentence in found and bool(sentence) == bool(found)
    assert inputs_refusal({}, wanted, "/savepoints/7") == "", "older state does not say"


@pytest.mark.job
@pytest.mark.parametrize(
    ("name", "setting", "sentence"),
    [
        ("layout", "model.dimensions=16", "model.dimensions = 8, but this job has 16: set model"),
        ("layout", "job.shards=4", "job.shards = 2, but this job has 4: set job.shards = 2,"),
        ("layout", "job.item_shards=1", "job.item_shards = 2, but this job has 1"),
        ("layout", "model.loss=squared", "model.loss = softmax, but this job has squared"),
        ("rows-1", "job.max_parallelism=64", "job.max_parallelism = 128, but this job has 64"),
    ],
)
def test_another_layout_is_refused_before_anything_is_submitted(
    name: str,
    setting: str,
    sentence: str,
    tmp_path: Path,
    redis_client: redis.Redis,
    redis_url: str,
) -> None:
    path = unpack(name, tmp_path)
    settings = [*SETTINGS, f"source.paths=['{tmp_path}']", f"state.restore={path}", setting]
    with pytest.raises(ConfigError) as refused:
        start(redis_url, *settings)
    assert f"{path} was written with {sentence}" in str(refused.value)
    assert redis_client.dbsize() == 0


@pytest.mark.job
def test_the_operators_refuse_a_savepoint_without_a_layout(tmp_path: Path, redis_url: str) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    (inbox / "events").write_text('{"user": "u1", "item": "left"}\n')
    restored = f"state.restore={unpack('rows-1', tmp_path)}"
    changed = "model.dimensions=16"
    job = start(redis_url, *SETTINGS, f"source.paths=['{inbox}']", changed, restored)
    with pytest.raises(Exception, match=r"model\.dimensions = 8, but this job has 16"):
        job.get_job_execution_result().result()


@pytest.mark.job
def test_the_other_execution_mode_is_refused(tmp_path: Path, redis_url: str) -> None:
    mode = "flink.options={'python.execution-mode' = 'process'}"
    with pytest.raises(
        ConfigError, match=r"python\.execution-mode is process: millirec only runs in"
    ):
        start(redis_url, *SETTINGS, f"source.paths=['{tmp_path}']", mode)


@pytest.mark.job
def test_state_that_cannot_be_read_is_left_to_flink(
    tmp_path: Path, redis_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = f"state.restore=s3://bucket/{tmp_path.name}"
    with pytest.raises(Exception, match="s3://bucket"):
        start(redis_url, *SETTINGS, f"source.paths=['{tmp_path}']", path)
    assert f"s3://bucket/{tmp_path.name} is not compared with this job: " in caplog.text
