"""Flink's execution environment, set up for thread mode, on the MiniCluster or by `flink run`.

In: a `Config`. Out: the DataStream and Table environments that `job.build` fills.
"""

from __future__ import annotations

import os
import site
import sys
import tempfile
from pathlib import Path

from pyflink.common import Configuration
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.table import StreamTableEnvironment

from flink_app.config import Config
from flink_app.config.paths import flink_uri
from flink_app.connections.kafka import connector_jars
from flink_app.graph.java import java_home
from flink_app.graph.restore import RESTORE, whole_checkpoint
from flink_app.without import PATH as WITHOUT
from udfs.errors import ServiceError

_PROJECT = Path(__file__).resolve().parents[2]
_NETWORK, _FEW_PATHS = "16 mb", 64  # each path is a source, with some buffers of 32 KB
# Factors and hashes hardly get smaller by compression, and what is new is soon written again.
_ROCKSDB = {
    "state.backend.rocksdb.compression.per.level": (
        "NO_COMPRESSION;NO_COMPRESSION;SNAPPY_COMPRESSION"
    ),
}
# RocksDB's own, of which half holds what is new: Flink's 128 MB are written out, and merged with
# what is on disk, twice as often.
_MANAGED = "384 mb"
# RocksDB names its log by the whole path of its data, as one file name of 255 characters at most.
# Flink adds 200 to that of this folder when it restores into more or fewer subtasks.
_FOLDER_MOST = 50
_WORKERS = "_python_worker_execution_mode"


def flink_options(config: Config) -> dict[str, str]:
    """Flink's options for this configuration; `[flink] options` overrides all of them."""
    job, state = config.job, config.state
    bounded = config.bounded
    options = {
        "python.execution-mode": "thread",
        "pipeline.name": job.name,
        "parallelism.default": str(job.parallelism),
        "pipeline.max-parallelism": str(job.max_parallelism),
        # The maximum time of a line in the source's output buffer (Flink's default: 100 ms), for
        # which each path's source has a thread that wakes up as often: 365 files would do little
        # else. The operators in Python send at once, see flink_app/graph/edges.py.
        "execution.buffer-timeout.interval": "20 ms" if bounded else f"{_lag_ms(config)} ms",
        "table.local-time-zone": "UTC",
        "state.backend.type": state.backend,
    }
    if state.backend == "rocksdb":
        options |= _ROCKSDB
    if state.checkpoints:
        options |= {
            "execution.checkpointing.interval": f"{int(state.checkpoint_s * 1000)} ms",
            "execution.checkpointing.dir": flink_uri(state.checkpoints, "state.checkpoints"),
            "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION",
            # More than one, so that there is an earlier one if the last is damaged.
            "execution.checkpointing.num-retained": "3",
            "execution.checkpointing.incremental": str(state.backend == "rocksdb").lower(),
        }
    if config.lists_topic.topic:
        # Otherwise Flink copies a message of lists for each of those that SQL takes out of it.
        options["pipeline.object-reuse"] = "true"
    if state.restore:
        options[RESTORE] = (
            whole_checkpoint(state.checkpoints)
            if state.restore == "latest"
            # The file system of a plain path is Flink's to choose.
            else flink_uri(state.restore, "state.restore").removeprefix("file://")
        )
    return options | config.flink.options


def _lag_ms(config: Config) -> int:
    """For how long lines wait in a buffer at most: the more subtasks, the longer their windows."""
    return min(config.job.parallelism, 5)


def embedded_options(config: Config) -> dict[str, str]:
    """More options for the MiniCluster: this interpreter, its packages, a free REST port."""
    jars = connector_jars(config)
    options = {"pipeline.jars": jars} if jars else {}
    paths = len(config.source.paths) + len(config.items.paths)
    if config.job.parallelism == 1 and paths <= _FEW_PATHS:
        # Flink takes 64 MB for good; what is between one subtask of each needs a few MB of it.
        options |= {f"taskmanager.memory.network.{most}": _NETWORK for most in ("min", "max")}
    if config.state.backend == "rocksdb":
        options["taskmanager.memory.managed.size"] = _MANAGED
        options["state.backend.rocksdb.localdir"] = _short_folder()
    beam = config.flink.options.get("python.execution-mode", "thread") != "thread"
    return options | {
        "python.executable": sys.executable,
        "python.client.executable": sys.executable,
        "python.pythonpath": os.pathsep.join(_packages(beam)),
        "rest.port": "0",
        "rest.address": "127.0.0.1",
        "taskmanager.numberOfTaskSlots": str(config.job.parallelism),
        "restart-strategy.type": "fixed-delay",
        "restart-strategy.fixed-delay.attempts": "3" if config.state.checkpoints else "0",
        "restart-strategy.fixed-delay.delay": "1 s",
    }


def _short_folder() -> str:
    """The folder for temporary files, or a shorter one; Flink's own folder in it is too long."""
    own = tempfile.gettempdir()
    return own if len(own) <= _FOLDER_MOST or not os.access("/tmp", os.W_OK) else "/tmp"


def _packages(beam: bool) -> list[str]:
    return [*[WITHOUT][beam:], str(_PROJECT), *site.getsitepackages()]


def prepare_process(beam: bool = False) -> None:
    """Set the variables that the JVM and NumPy read when they start: Java's folder, one thread.

    Args:
        beam: whether Python is to have Apache Beam, which only process mode needs.
    """
    os.environ["JAVA_HOME"] = str(java_home())
    # The interpreter in the JVM finds its own library through the first `python3` in PATH.
    own = str(Path(sys.executable).parent)
    os.environ["PATH"] = os.pathsep.join([own, os.environ.get("PATH", os.defpath)])
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    packages = _packages(beam)
    for path in [*packages, own]:
        if os.pathsep in path:
            raise ServiceError(
                f"Python cannot be told to look in {path!r}, because of the {os.pathsep!r} in it: "
                "install millirec in another folder"
            )
    given = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    os.environ["PYTHONPATH"] = os.pathsep.join([*packages, *given])
    if beam:
        return
    if WITHOUT not in sys.path:
        sys.path.insert(0, WITHOUT)
    # Or PyFlink starts a server for Python workers, which thread mode does not have.
    os.environ[_WORKERS] = "process"


def environments(
    options: dict[str, str],
) -> tuple[StreamExecutionEnvironment, StreamTableEnvironment]:
    """Flink's two environments, with one set of options."""
    configuration = Configuration()
    for name, value in options.items():
        configuration.set_string(name, value)
    stream = StreamExecutionEnvironment.get_execution_environment(configuration)
    return stream, StreamTableEnvironment.create(stream)
