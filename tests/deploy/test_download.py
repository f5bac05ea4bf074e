from __future__ import annotations

import hashlib
import io
import urllib.request
from pathlib import Path

import pytest

from deploy import download
from deploy.download import Jar, fetch, pinned
from udfs.errors import ServiceError

CONTENT = b"not really a jar"
JAR = Jar("org.example", "thing_2.13", "1.0-2.3", hashlib.sha256(CONTENT).hexdigest())


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Maven repository in a folder, named by MAVEN_MIRROR."""
    root = tmp_path / "repository"
    file = root / "org/example/thing_2.13/1.0-2.3/thing_2.13-1.0-2.3.jar"
    file.parent.mkdir(parents=True)
    file.write_bytes(CONTENT)
    monkeypatch.setenv("MAVEN_MIRROR", root.as_uri() + "/")
    return root


def no_network(url: str, timeout: float) -> io.BytesIO:
    raise AssertionError(f"{url} was opened")


def test_it_fetches(repository: Path, tmp_path: Path) -> None:
    assert fetch([JAR], tmp_path / "jars") == [tmp_path / "jars" / JAR.name]
    assert (tmp_path / "jars" / JAR.name).read_bytes() == CONTENT
    assert [path.name for path in (tmp_path / "jars").iterdir()] == [JAR.name]


def test_the_second_call_opens_nothing(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch([JAR], tmp_path)
    monkeypatch.setattr(urllib.request, "urlopen", no_network)
    assert fetch([JAR], tmp_path) == [tmp_path / JAR.name]


def test_a_damaged_file_is_fetched_again(repository: Path, tmp_path: Path) -> None:
    (tmp_path / JAR.name).write_bytes(CONTENT[:5])
    fetch([JAR], tmp_path)
    assert (tmp_path / JAR.name).read_bytes() == CONTENT


def test_different_content_is_refused(repository: Path, tmp_path: Path) -> None:
    wrong = JAR._replace(sha256="0" * 64)
    with pytest.raises(ServiceError, match="is not the pinned file") as caught:
        fetch([wrong], tmp_path / "jars")
    assert JAR.sha256 in str(caught.value)
    assert "0" * 64 in str(caught.value)
    assert list((tmp_path / "jars").iterdir()) == []


def test_offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Nothing listens on port 9 (discard), so that the connection is refused at once.
    monkeypatch.setenv("MAVEN_MIRROR", "http://127.0.0.1:9/maven2")
    with pytest.raises(ServiceError, match=r"could not fetch .*: go online") as caught:
        fetch([JAR], tmp_path)
    assert "http://127.0.0.1:9/maven2/org/example/thing_2.13/1.0-2.3" in str(caught.value)


def test_a_mirror_that_is_not_an_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAVEN_MIRROR", "nowhere")
    with pytest.raises(ServiceError, match="set MAVEN_MIRROR"):
        fetch([JAR], tmp_path)


@pytest.mark.parametrize(
    "use", ["flink", "kafka", "log", "cassandra", "minilm", "spark-kafka", "registry"]
)
def test_every_pin_is_complete(use: str) -> None:
    jars = pinned(use)
    assert len({jar.name for jar in jars}) == len(jars) > 0
    for jar in jars:
        assert len(bytes.fromhex(jar.sha256)) == 32
        assert all(jar[:4])


def test_pins_keep_their_case() -> None:
    assert "HdrHistogram-2.2.2.jar" in {jar.name for jar in pinned("kafka")}
    assert download.PINS.is_file()


def test_client_and_broker_of_kafka_share_one_zstandard() -> None:
    codecs = [jar for jar in pinned("flink", "kafka") if "zstd" in jar.artifact]
    assert len(codecs) == 2
    assert codecs[0] == codecs[1]
