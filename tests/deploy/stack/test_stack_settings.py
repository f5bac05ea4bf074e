from __future__ import annotations

import socket
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from deploy.stack import COMPONENTS, EXTRAS, Ports, Settings
from deploy.stack.cassandra import Cassandra
from deploy.stack.flink import Flink
from deploy.stack.settings import render
from udfs.errors import ConfigError


def test_every_port_belongs_to_a_component() -> None:
    owned = [port for name in (*COMPONENTS, *EXTRAS) for port in Ports().of(name).values()]
    assert len(owned) == len(Ports.__struct_fields__) == len(set(owned))


def test_render_fills_in(tmp_path: Path) -> None:
    (tmp_path / "template").write_text("port=${port}\n")
    render(tmp_path / "template", tmp_path / "new" / "file", {"port": 9092, "other": 1})
    assert (tmp_path / "new" / "file").read_text() == "port=9092\n"


def test_render_names_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "template").write_text("port=${port}\n")
    with pytest.raises(ConfigError, match=r"template contains \$\{port\}"):
        render(tmp_path / "template", tmp_path / "file", {})


@pytest.fixture
def config(tmp_path: Path) -> dict[str, Any]:
    settings = Settings(folder=tmp_path, jars=tmp_path / "jars", ports=Ports(flink=18081))
    text = (Flink(settings).configure() / "config.yaml").read_text()
    assert "${" not in text
    loaded: dict[str, Any] = YAML(typ="safe").load(text)
    return loaded


def test_flink_knows_what_else_runs(config: dict[str, Any], tmp_path: Path) -> None:
    assert not {"s3", "high-availability"} & set(config)
    flink = Flink(Settings(folder=tmp_path, jars=tmp_path / "jars", ports=Ports(s3=19000)))
    assert flink.processes == ("jobmanager", "taskmanager-1", "taskmanager-2")
    flink.extras = {"s3", "hdfs", "zookeeper"}
    text = (flink.configure() / "config.yaml").read_text()
    assert "${" not in text
    found = YAML(typ="safe").load(text)
    assert found["s3"] == {"endpoint": "http://127.0.0.1:19000", "path.style.access": True}
    assert found["high-availability"]["zookeeper"]["quorum"] == "127.0.0.1:2181"
    assert found["python"] == config["python"]


def test_flink_configuration(config: dict[str, Any], tmp_path: Path) -> None:
    assert config["python"]["execution-mode"] == "thread"
    assert config["python"]["executable"] == sys.executable
    assert config["taskmanager"]["numberOfTaskSlots"] == 1
    assert config["state"]["backend"]["type"] == "rocksdb"
    checkpoints = config["execution"]["checkpointing"]
    assert checkpoints["interval"] == "10 s"
    assert checkpoints["incremental"] is True
    assert checkpoints["externalized-checkpoint-retention"] == "RETAIN_ON_CANCELLATION"
    assert checkpoints["dir"] == (tmp_path / "flink" / "checkpoints").as_uri()
    assert config["rest"]["port"] == 18081
    assert "max-parallelism" not in str(config)


def test_the_names_of_rocksdb_s_logs_are_short_enough(tmp_path: Path) -> None:
    for folder, expected in (
        (Path("/s"), "/s/flink/scratch"),
        (tmp_path / ("x" * 50), "/tmp/millirec-"),
    ):
        flink = Flink(Settings(folder=folder, jars=tmp_path, ports=Ports()))
        assert str(flink.scratch).startswith(expected)
        # What Flink 2.3 and RocksDB make of it when a checkpoint is restored into more subtasks.
        data = f"{flink.scratch}/tm_127.0.0.1:65535-abcdef/tmp/job_{32 * 'x'}_op_"
        data += (
            f"EmbeddedPythonKeyedProcessOperator_{32 * 'x'}__1_2__uuid_{36 * 'x'}/{36 * 'x'}/LOG"
        )
        assert len(data.lstrip("/")) <= 255


def test_flink_listens_on_loopback_only(config: dict[str, Any]) -> None:
    assert config["jobmanager"]["bind-host"] == "127.0.0.1"
    assert config["jobmanager"]["rpc"]["address"] == "127.0.0.1"
    assert config["taskmanager"]["bind-host"] == "127.0.0.1"
    assert config["taskmanager"]["host"] == "127.0.0.1"
    assert config["rest"]["bind-address"] == "127.0.0.1"


def test_cassandra_listens_on_loopback_only(tmp_path: Path) -> None:
    settings = Settings(folder=tmp_path, jars=tmp_path / "jars", ports=Ports(cassandra=19042))
    Cassandra(settings).prepare()
    text = (tmp_path / "cassandra" / "cassandra.yaml").read_text()
    loaded: dict[str, Any] = YAML(typ="safe").load(text)
    assert loaded["native_transport_port"] == 19042
    assert loaded["listen_address"] == loaded["rpc_address"] == "127.0.0.1"
    assert loaded["seed_provider"][0]["parameters"][0]["seeds"] == "127.0.0.1:7000"


def test_cassandra_is_not_ready_before_it_answers_in_its_protocol(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        ports = Ports(cassandra=other.getsockname()[1])
        node = Cassandra(Settings(folder=tmp_path, jars=tmp_path, ports=ports))
        assert not node.ready()
    assert not node.ready()
