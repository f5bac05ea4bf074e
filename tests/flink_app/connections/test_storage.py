"""What a configuration's addresses ask for; tests/deploy/stack/test_storage.py uses it."""

from __future__ import annotations

from pathlib import Path

import pytest

from flink_app.config import Config, load
from flink_app.connections import storage


def config(*settings: str) -> Config:
    return load(None, list(settings), {}).config


@pytest.fixture
def jars(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache in which every jar lies."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for name in (storage.PLUGINS, storage.CLASSES):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(storage, "cached", lambda use: [tmp_path / f"{use}.jar"])
    return tmp_path


def test_what_is_on_this_machine_asks_for_nothing(jars: Path) -> None:
    here = config("source.paths=events", "state.checkpoints=file:///a", "dead_letters.path=b")
    assert not list(storage.addresses(here))
    assert storage.java_environment(here) == {}
    assert list(jars.iterdir()) == []


def test_each_address_is_found(jars: Path) -> None:
    far = config(
        'source.paths=["a", "s3://b/in"]',
        "state.checkpoints=hdfs://name/checkpoints",
        "state.restore=latest",
        "dead_letters.path=s3a://b/dead",
        "flink.options.execution.checkpointing.savepoint-dir=s3://b/savepoints",
    )
    assert sorted(storage.addresses(far)) == [
        "hdfs://name/checkpoints",
        "s3://b/in",
        "s3://b/savepoints",
        "s3a://b/dead",
    ]


def test_s3_is_a_plugin_beside_those_of_flink(jars: Path) -> None:
    (jars / "s3.jar").touch()
    stale = jars / "millirec/plugins/s3-fs-hadoop/flink-s3-fs-hadoop-1.0.jar"
    stale.parent.mkdir(parents=True)
    stale.touch()
    found = storage.java_environment(config("state.checkpoints=s3://b/c"))
    assert set(found) == {storage.PLUGINS}
    plugins = Path(found[storage.PLUGINS])
    assert [jar.name for jar in (plugins / "s3-fs-hadoop").iterdir()] == ["s3.jar"]
    assert list((plugins / "metrics-prometheus").glob("*.jar"))


def test_hdfs_is_on_the_class_path(jars: Path) -> None:
    found = storage.java_environment(config("state.checkpoints=hdfs://name/c"))
    assert found == {storage.CLASSES: str(jars / "hadoop.jar")}


def test_a_flink_or_hadoop_of_ones_own_is_kept(jars: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(storage.PLUGINS, "/opt/flink/plugins")
    monkeypatch.setenv(storage.CLASSES, "/opt/hadoop/*")
    both = config("state.checkpoints=hdfs://name/c", "dead_letters.path=s3://b/dead")
    assert storage.java_environment(both) == {}


def test_the_server_comes_from_the_variables_of_amazons_tools() -> None:
    given = {"AWS_ENDPOINT_URL": "http://a", "AWS_ENDPOINT_URL_S3": "http://b"}
    found = {"s3.endpoint": "http://b", "s3.path.style.access": "true"}
    assert storage.flink_options(given) == found
    assert storage.flink_options({}) == {}
