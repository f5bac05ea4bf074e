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
from collections.abc import Mapping
from typing import Any

import msgspec
from pyflink.common import Configuration
from pyflink.datastream import DataStream, StreamExecutionEnvironment
from pyflink.datastream.connectors import Sink
from pyflink.java_gateway import get_gateway
from pyflink.util.java_utils import get_j_env_configuration

from flink_app.config import Config
from flink_app.graph import cassandra, identity, lists_topic, ranker_log
from flink_app.graph import encoders as encoder
from flink_app.graph.restore import RESTORE, each, read_metadata
from udfs.errors import ConfigError
from udfs.state.layout import Layout, refusal

NAME = "layout"

_MODE = "python.execution-mode"
_UNCLAIMED = "execution.state-recovery.ignore-unclaimed-state"
_KEYED = "user learner"  # an operator with job.max_parallelism
_NONE = "none"
_PAIR = re.compile(r"([\w.]+)=(\w+)")

log = logging.getLogger(__name__)


def note_layout(stream: DataStream, config: Config) -> None:
    """Add an operator after `stream`, which has no records, and name it by the layout."""
    values = msgspec.structs.asdict(Layout.of(config.job, config.model)) | inputs_of(config)
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
        sentence = Layout.of(config.job, config.model).refusal(before, path)
        if sentence := sentence or inputs_refusal(before, inputs_of(config), path):
            raise ConfigError(sentence)
    if _unclaimed(found, config):
        # Its state is not wanted any more; Flink would refuse a state without its operator.
        environment.configure(Configuration().set_string(_UNCLAIMED, "true"))


def inputs_of(config: Config) -> dict[str, str]:
    """By what Flink's state has the positions in the inputs: their kinds, and how many paths; and
    the parallelism, on which the kind of their windows depends."""
    return {
        "source.kind": config.source.kind,
        "source.paths": str(len(config.source.paths)),
        "items.kind": config.items.kind or _NONE,
        "items.paths": str(len(config.items.paths)),
        "job.parallelism": str(config.job.parallelism),
    }


def inputs_refusal(before: Mapping[str, str], now: Mapping[str, str], state: str) -> str:
    """Why a job with these inputs cannot go on from `state`, which has those of `before`; "" if it
    can, or if the state does not say.

    >>> inputs_refusal({"items.kind": "kafka"}, {"items.kind": "none"}, "/savepoints/7")
    '/savepoints/7 was written with items.kind = kafka, but this job has none: set \
items.kind = kafka, or start without the old state.'
    """
    kinds = now.get("source.kind"), now.get("items.kind")
    for name, value in now.items():
        then = before.get(name, value)
        if name == "job.parallelism" and ("kafka" in kinds or "1" not in (then, value)):
            continue  # without Kafka, all lines of a single subtask have one key, in one key group
        if then != value and name == "items.kind" and then == _NONE:
            return (
                f"{state} was written without [items], but this job has items.kind = {value}: "
                "leave out [items] and write lines about items among the events, or start without "
                "the old state."
            )
        if then != value and name.endswith("paths"):
            return (
                f"{state} was written with {then} {name}, but this job has {value}: name as many "
                "as before, or start without the old state."
            )
        if then != value:
            return refusal(state, name, then, value)
    return ""


def _unclaimed(found: Mapping[str, Any], config: Config) -> bool:
    """Whether there is state of an operator that the job has no longer."""
    gone = identity.NAME in found and not config.identity.enabled
    if gone:
        log.warning(
            "identity.enabled is false: which ids are one person is forgotten. The lists of a "
            "person go on under the id that had most events; its other ids begin anew."
        )
    off = (
        (lists_topic.NAME, not config.lists_topic.topic),
        (encoder.NAME, not encoder.encodes(config)),
        (cassandra.NAME, not config.cassandra.hosts),
        (ranker_log.NAME, not config.ranker.log),
    )
    return gone or any(unused and any(name in uid for uid in found) for name, unused in off)


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
