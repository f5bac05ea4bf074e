"""Kafka for the local stack: one node in KRaft mode, run from the jars in `deploy/jars.ini`.

In: `Settings`. Out: a broker at `address` (`str`, host:port); its topics are kept in the folder.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from deploy.stack.java import java
from deploy.stack.processes import Process, spawn
from deploy.stack.settings import Settings, render
from flink_app.local.ports import LOOPBACK
from udfs.errors import ServiceError

TEMPLATES = Path(__file__).parents[1] / "kafka"

# 16 bytes in base64, as Kafka requires; the same at each start, since the data refers to it.
CLUSTER_ID = "bWlsbGlyZWMtbG9jYWwtMQ"


class Kafka:
    """The broker and controller, in one process."""

    name = "kafka"
    processes: tuple[str, ...] = ("kafka",)

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._folder = settings.folder / self.name
        self.address = f"{LOOPBACK}:{settings.ports.kafka}"
        self.log = self._folder / "kafka.log"
        self._properties = self._folder / "server.properties"

    def prepare(self) -> None:
        """Write the properties, and format the data folder if that has not been done."""
        data = self._folder / "data"
        values = {
            "port": self._settings.ports.kafka,
            "controller_port": self._settings.ports.kafka_controller,
            "data": data,
            "task_managers": self._settings.task_managers,
        }
        render(TEMPLATES / "server.properties", self._properties, values)
        if not (data / "meta.properties").exists():
            self._format()

    def spawn(self, name: str) -> Process:
        """Start the broker with the existing data."""
        server = ["kafka.Kafka", str(self._properties)]
        return spawn(name, [*self._java(self.log), *server], self._folder / "kafka.out", os.environ)

    def _java(self, log: Path) -> list[str]:
        return java(self._settings, log, "kafka", heap="384m")

    def ready(self) -> bool:
        """Whether a client gets metadata that names the broker."""
        # Otherwise the client logs each refused connection while the broker starts.
        client = AdminClient({"bootstrap.servers": self.address, "log_level": 0})
        try:
            return len(client.list_topics(timeout=1.0).brokers) == 1
        except KafkaException:
            return False

    def _format(self) -> None:
        java = self._java(self._folder / "format.log")
        tool = ["kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", str(self._properties)]
        done = subprocess.run([*java, *tool], capture_output=True, text=True, check=False)
        if done.returncode:
            raise ServiceError(
                f"Kafka could not prepare its data folder {self._folder / 'data'}: "
                f"{(done.stderr or done.stdout).strip()}"
            )
