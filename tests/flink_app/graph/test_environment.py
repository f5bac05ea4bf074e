"""Environment variables and options for Flink."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from flink_app.config import Config, load
from flink_app.graph import environment
from flink_app.graph.environment import embedded_options, flink_options, prepare_process
from flink_app.graph.restore import RESTORE
from flink_app.without import PATH as WITHOUT
from udfs.errors import ServiceError


def test_python_inside_java_is_this_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """An earlier python3 in PATH may have a library of another, incompatible version."""
    for name in ("JAVA_HOME", "PYTHONPATH", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("MKL_NUM_THREADS", "1")
    monkeypatch.setenv("PATH", os.pathsep.join(["/elsewhere", "/usr/bin"]))
    prepare_process()
    first = os.environ["PATH"].split(os.pathsep)[0]
    assert Path(first) == Path(sys.executable).parent


def test_a_folder_that_pythons_path_cannot_name_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(environment, "_PROJECT", tmp_path / "a:b")
    with pytest.raises(ServiceError, match="because of the ':' in it: install millirec in another"):
        prepare_process()


def test_flink_gets_paths_undecoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = ["state.checkpoints=my José %20", "state.restore=chk #1"]
    options = flink_options(load(None, settings, {}).config)
    assert options["execution.checkpointing.dir"] == f"file://{tmp_path}/my José %20"
    assert options[RESTORE] == f"{tmp_path}/chk #1"


def test_no_source_counts_as_idle() -> None:
    """See docs/decisions/no-idle-sources.md: rows of a delayed source would be dropped."""
    assert not [name for name in flink_options(Config()) if "idle" in name]


def test_messages_of_lists_are_not_copied_for_each_list() -> None:
    name = "pipeline.object-reuse"
    assert name not in flink_options(Config())
    topic = "lists_topic.topic=recs"
    assert flink_options(load(None, [topic], {}).config)[name] == "true"
    own = load(None, [topic, f"flink.options.{name}=false"], {}).config
    assert flink_options(own)[name] == "false"


@pytest.mark.parametrize("beam", [False, True])
def test_only_process_mode_has_beam(beam: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("JAVA_HOME", "PYTHONPATH", "PATH", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
        monkeypatch.setenv(name, os.environ.get(name, "") if name != "PYTHONPATH" else "")
    monkeypatch.setenv("MKL_NUM_THREADS", "1")
    monkeypatch.setenv(environment._WORKERS, "loopback")
    monkeypatch.setattr(sys, "path", [path for path in sys.path if path != WITHOUT])
    mode = ["flink.options.python.execution-mode=process"] * beam
    options = embedded_options(load(None, mode, {}).config)
    prepare_process(beam)
    without = not beam
    assert (WITHOUT in options["python.pythonpath"].split(os.pathsep)) is without
    assert (WITHOUT in os.environ["PYTHONPATH"].split(os.pathsep)) is without
    assert (WITHOUT in sys.path) is without
    assert (os.environ[environment._WORKERS] == "process") is without


def test_rocksdb_alone_has_memory_and_options_of_its_own() -> None:
    for backend in ("hashmap", "rocksdb"):
        config = load(None, [f"state.backend={backend}"], {}).config
        options = embedded_options(config) | flink_options(config)
        own = [name for name in options if "rocksdb" in name or "managed" in name]
        assert len(own) == 3 * (backend == "rocksdb")


def test_rocksdb_works_in_a_folder_with_a_short_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """It names a file by the whole path, see `embedded_options`."""
    config, found = load(None, ["state.backend=rocksdb"], {}).config, []
    for folder in ("/tmp/mine", "/tmp/" + "x" * 60):
        monkeypatch.setattr(
            "flink_app.graph.environment.tempfile.gettempdir", lambda folder=folder: folder
        )
        found.append(embedded_options(config)["state.backend.rocksdb.localdir"])
    assert found == ["/tmp/mine", "/tmp"]


def test_many_files_have_flinks_own_network_memory() -> None:
    name = "taskmanager.memory.network.max"
    for count, small in ((1, True), (365, False)):
        paths = [f"{n}.jsonl" for n in range(count)]
        config = load(None, [f"source.paths={paths}"], {}).config
        assert (name in embedded_options(config)) is small


@pytest.mark.parametrize(
    ("settings", "timeout"),
    [
        (["source.kind=files"], "20 ms"),
        (["source.kind=directory"], "1 ms"),
        (["source.kind=kafka"], "1 ms"),
        (["source.kind=kafka", "source.bounded=true"], "20 ms"),
    ],
)
def test_lines_of_a_bounded_input_may_wait(settings: list[str], timeout: str) -> None:
    options = flink_options(load(None, settings, {}).config)
    assert options["execution.buffer-timeout.interval"] == timeout
