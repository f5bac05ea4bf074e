"""Checks the options that must stay the same while a job keeps its state, before it is restored.

In: the job's environment, a stream and a `Config`. Out: an operator whose name holds the layout,
which Flink stores in each checkpoint and savepoint; and a ConfigError, before anything is submitted
or written, if the job would restore state of another layout. State without that operator, or that
cannot be read from here, is left to Flink and to the operators, which compare layouts when they
load it (`udfs.state.layout.Layout`). See docs/decisions/layout-in-a-name.md.
"""

from __future__ import annotations

import logging
import re
from typing import Any

import msgspec
from pyflink.common import Configuration
from pyflink.datastream import DataStream, StreamExecutionEnvironment
from pyflink.datastream.connectors import Sink
from pyflink.java_gateway import get_gateway
from pyflink.util.java_utils import get_j_env_configuration

from flink_app.config import Config
from flink_app.graph.restore import RESTORE, each, read_metadata
from udfs.errors import ConfigError
from udfs.state.layout import Layout, refusal

NAME = "layout"

_MODE = "python.execution-mode"
_KEYED = "user learner"  # an operator with job.max_parallelism
_PAIR = re.compile(r"(\w+)=(\w+)")

log = logging.getLogger(__name__)


def note_layout(stream: DataStream, config: Config) -> None:
    """Add an operator after `stream`, which has no records, and name it by the layout."""
    values = msgspec.structs.asdict(Layout.of(config.job, config.model))
    name = f"{NAME}: " + " ".join(f"{key}={value}" for key, value in values.items())
    nothing = get_gateway().jvm.org.apache.flink.streaming.api.functions.sink.v2.DiscardingSink()
    stream.sink_to(Sink(nothing)).name(name).uid(NAME).set_parallelism(1)


def check_layout(environment: StreamExecutionEnvironment, config: Config) -> None:
    """Check that the job can be restored from the given state, if any.

    Raises:
        ConfigError: it cannot; the message has the option, its old and its new value.
    """
    mode = option(environment, _MODE, "process")
    if mode != "thread":
        raise ConfigError(
            f"{_MODE} is {mode}: millirec only runs in thread mode, and state written in one mode "
            f"is empty when read in the other. Leave out {_MODE}."
        )
    path = option(environment, RESTORE)
    found = _operators(path) if path else {}
    if _KEYED in found:
        then, now = found[_KEYED].getMaxParallelism(), config.job.max_parallelism
        if then != now:
            raise ConfigError(refusal(path, "job.max_parallelism", then, now))
    if NAME in found:
        before = dict(_PAIR.findall(found[NAME].getOperatorName().orElse("")))
        if sentence := Layout.of(config.job, config.model).refusal(before, path):
            raise ConfigError(sentence)


def option(environment: StreamExecutionEnvironment, name: str, default: str = "") -> str:
    """One of Flink's options as set by `flink run` and the configuration."""
    java: Any = environment._j_stream_execution_environment
    configuration = Configuration(j_configuration=get_j_env_configuration(java))
    return str(configuration.get_string(name, default) or "")


def _operators(path: str) -> dict[str, Any]:
    """Flink's `OperatorState`s in a checkpoint or savepoint, by uid; {} if it cannot be read."""
    from py4j.protocol import Py4JJavaError

    try:
        states = read_metadata(path).getOperatorStates()
    except Py4JJavaError as error:
        log.warning("%s is not compared with this job: %s", path, error.java_exception)
        return {}
    return {state.getOperatorUid().orElse(""): state for state in each(states)}
