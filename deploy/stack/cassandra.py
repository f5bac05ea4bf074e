"""Cassandra for the local stack: one node, run from the jars in `deploy/jars.ini`.

In: `Settings`. Out: a node that answers CQL at `address` (`str`, host:port); its tables are kept in
the folder.
"""

from __future__ import annotations

import os
import socket
import struct
from pathlib import Path

from deploy.download import fetch, pinned
from deploy.stack.processes import Process, spawn
from deploy.stack.settings import Settings, render
from flink_app.graph.java import java_home
from flink_app.local.ports import LOOPBACK

TEMPLATES = Path(__file__).parents[1] / "cassandra"

# What Cassandra uses of Java's own insides, as its conf/jvm17-server.options says.
_OPENED = (
    "java.base/java.io",
    "java.base/java.lang",
    "java.base/java.lang.module",
    "java.base/java.lang.reflect",
    "java.base/java.math",
    "java.base/java.net",
    "java.base/java.nio",
    "java.base/java.util",
    "java.base/java.util.concurrent",
    "java.base/java.util.concurrent.atomic",
    "java.base/jdk.internal.loader",
    "java.base/jdk.internal.math",
    "java.base/jdk.internal.misc",
    "java.base/jdk.internal.module",
    "java.base/jdk.internal.ref",
    "java.base/jdk.internal.reflect",
    "java.base/jdk.internal.util.jar",
    "java.base/jdk.internal.vm",
    "java.base/sun.nio.ch",
    "java.management/com.sun.jmx.remote.security",
    "java.rmi/sun.rmi.registry",
    "java.rmi/sun.rmi.server",
    "java.rmi/sun.rmi.transport.tcp",
    "java.sql/java.sql",
    "jdk.management/com.sun.management.internal",
)
_MEMORY = ("-Xms256m", "-Xmx512m", "-XX:MaxDirectMemorySize=128m", "-XX:+UseSerialGC")
# A single node need not wait for others.
_ALONE = ("-Dcassandra.ring_delay_ms=100", "-Dcassandra.skip_wait_for_gossip_to_settle=0")
_OPTIONS = b"\x04\x00\x00\x00\x05\x00\x00\x00\x00"
"""The message OPTIONS in version 4 of CQL's protocol, which a node answers to anybody."""
_SUPPORTED = 6


class Cassandra:
    """The node."""

    name = "cassandra"
    processes: tuple[str, ...] = ("cassandra",)

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._folder = settings.folder / self.name
        self.address = f"{LOOPBACK}:{settings.ports.cassandra}"
        self.log = self._folder / "cassandra.log"
        self._conf = self._folder / "cassandra.yaml"

    def prepare(self) -> None:
        """Write the configuration."""
        ports = self._settings.ports
        values = {
            "port": ports.cassandra,
            "storage_port": ports.cassandra_storage,
            "data": self._folder,
        }
        render(TEMPLATES / "cassandra.yaml", self._conf, values)

    def spawn(self, name: str) -> Process:
        """Start the node with the existing data."""
        jars = fetch(pinned("cassandra"), self._settings.jars)
        [agent] = [jar for jar in jars if jar.name.startswith("jamm-")]
        command = [
            str(java_home() / "bin" / "java"),
            f"-javaagent:{agent}",  # measures memtables
            *(f"--add-opens={part}=ALL-UNNAMED" for part in _OPENED),
            *(f"--add-exports={part}=ALL-UNNAMED" for part in _OPENED),
            "-Djava.security.manager=allow",
            *_MEMORY,
            *_ALONE,
            f"-Dcassandra.config={self._conf.as_uri()}",
            f"-Dcassandra.storagedir={self._folder}",
            "-Dcassandra-foreground=yes",
            f"-Djava.io.tmpdir={self._folder}",
            f"-Dlogback.configurationFile={TEMPLATES / 'logback.xml'}",
            f"-Dmillirec.log={self.log}",
            *("-cp", os.pathsep.join(map(str, jars))),
            "org.apache.cassandra.service.CassandraDaemon",
        ]
        return spawn(name, command, self._folder / "cassandra.out", os.environ)

    def ready(self) -> bool:
        """Whether it answers in CQL's protocol."""
        try:
            with socket.create_connection((LOOPBACK, self._settings.ports.cassandra), 1) as line:
                line.settimeout(1.0)
                line.sendall(_OPTIONS)
                head = line.recv(9)
        except OSError:
            return False
        return len(head) == 9 and bool(struct.unpack(">BBhBi", head)[3] == _SUPPORTED)
