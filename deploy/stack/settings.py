"""The local stack's folder and ports, the interface of its components, and file templates.

In: a folder and port numbers. Out: `Settings`, which every component takes.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Protocol

from msgspec import Struct

from deploy.stack.processes import Process
from flink_app.local.ports import free_port
from udfs.errors import ConfigError

TASK_MANAGERS = 2


class Ports(Struct, frozen=True, kw_only=True):
    """The TCP ports on 127.0.0.1; each name begins with its component."""

    kafka: int = 9092
    kafka_controller: int = 9093
    cassandra: int = 9042
    cassandra_storage: int = 7000
    redis: int = 6379
    flink: int = 8081
    flink_rpc: int = 6123
    zookeeper_standby: int = 8082
    s3: int = 9000
    zookeeper: int = 2181
    hdfs: int = 8020
    hdfs_web: int = 9870
    registry: int = 8085
    registry_management: int = 8086

    @classmethod
    def free(cls) -> Ports:
        """Ports that nothing listens on now."""
        return cls(**{name: free_port() for name in cls.__struct_fields__})

    def of(self, component: str) -> dict[str, int]:
        """The ports of one component, by name.

        >>> Ports().of("kafka")
        {'kafka': 9092, 'kafka_controller': 9093}
        """
        names = [name for name in self.__struct_fields__ if name.split("_")[0] == component]
        return {name: getattr(self, name) for name in names}


class Settings(Struct, frozen=True, kw_only=True):
    """An absolute folder for state and logs, the cache of jars, the ports, and the number of
    Flink's TaskManagers, with one slot each."""

    folder: Path
    jars: Path
    ports: Ports
    task_managers: int = TASK_MANAGERS


class Component(Protocol):
    """The common interface of Kafka, Redis, Flink and what else can be started."""

    name: str
    address: str
    """The address for clients: a host and port, or a URL."""
    log: Path
    """The log file, or the folder of several."""

    @property
    def processes(self) -> tuple[str, ...]:
        """The names of its processes, the leader's first."""

    def prepare(self) -> None:
        """Create its files, before its processes are started for the first time."""

    def spawn(self, name: str) -> Process:
        """Start, or restart, one of its processes; `ready` says when they can be used."""

    def ready(self) -> bool:
        """Whether it answers a client's request now."""


def render(template: Path, target: Path, values: Mapping[str, object]) -> None:
    """Write `template` to `target` with each `${name}` replaced by its value.

    Raises `ConfigError` for a name without a value.
    """
    text = template.read_text(encoding="utf-8")
    try:
        filled = Template(text).substitute(values)
    except KeyError as error:
        raise ConfigError(
            f"{template} contains ${{{error.args[0]}}}, which has no value."
        ) from None
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(filled, encoding="utf-8")
