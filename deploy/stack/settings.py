"""Where the local stack keeps its files and listens, and how a configuration file gets filled in.

In: a folder and port numbers. Out: `Settings`, which every component is made from.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Protocol

from msgspec import Struct

from deploy.stack.processes import Process
from udfs.errors import ConfigError

TASK_MANAGERS = 2


class Ports(Struct, frozen=True, kw_only=True):
    """The TCP ports on 127.0.0.1; a name begins with the component that it belongs to."""

    kafka: int = 9092
    kafka_controller: int = 9093
    redis: int = 6379
    flink: int = 8081
    flink_rpc: int = 6123

    def of(self, component: str) -> dict[str, int]:
        """The ports of one component, by name.

        >>> Ports().of("kafka")
        {'kafka': 9092, 'kafka_controller': 9093}
        """
        names = [name for name in self.__struct_fields__ if name.split("_")[0] == component]
        return {name: getattr(self, name) for name in names}


class Settings(Struct, frozen=True, kw_only=True):
    """An absolute folder for state and logs, the cache of jars, the ports, and how many
    TaskManagers of one slot Flink has."""

    folder: Path
    jars: Path
    ports: Ports
    task_managers: int = TASK_MANAGERS


class Component(Protocol):
    """One of Kafka, Redis and Flink, as the stack handles them all alike."""

    name: str
    address: str
    """What a client is given: a host and port, or a URL."""
    log: Path
    """The log file, or the folder of several."""

    processes: tuple[str, ...]
    """Their names, the leader's first."""

    def prepare(self) -> None:
        """Lay out its files, before its processes are started for the first time."""

    def spawn(self, name: str) -> Process:
        """Start one of its processes, also again; `ready` says when they can be used."""

    def ready(self) -> bool:
        """Whether it answers a client's request now."""


def render(template: Path, target: Path, values: Mapping[str, object]) -> None:
    """Write `template` to `target` with each `${name}` replaced by its value.

    Raises `ConfigError` for a name that has no value.
    """
    text = template.read_text(encoding="utf-8")
    try:
        filled = Template(text).substitute(values)
    except KeyError as error:
        raise ConfigError(
            f"{template} asks for ${{{error.args[0]}}}, which has no value."
        ) from None
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(filled, encoding="utf-8")
