"""ZooKeeper for the local stack: one server, run from the jars in `deploy/jars.ini`.

In: `Settings`. Out: a server at `address` (`str`, host:port), which says which of two JobManagers
leads; what it knows is kept in the folder.
"""

from __future__ import annotations

import os
import shutil
import socket

from deploy.stack.java import java
from deploy.stack.processes import Process, spawn
from deploy.stack.settings import Settings
from flink_app.local.ports import LOOPBACK

_SETTINGS = """\
dataDir={data}
clientPort={port}
clientPortAddress={host}
tickTime=500
maxSessionTimeout=60000
admin.enableServer=false
4lw.commands.whitelist=srvr
"""


class ZooKeeper:
    """One server without a quorum."""

    name = "zookeeper"
    processes: tuple[str, ...] = ("zookeeper",)

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._port = settings.ports.zookeeper
        self._folder = settings.folder / self.name
        self.address = f"{LOOPBACK}:{self._port}"
        self.log = self._folder / "zookeeper.log"

    def prepare(self) -> None:
        """Write the settings; what an earlier server knew is of a Flink that is gone."""
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True)
        text = _SETTINGS.format(data=self._folder / "data", port=self._port, host=LOOPBACK)
        (self._folder / "zoo.cfg").write_text(text)

    def spawn(self, name: str) -> Process:
        """Start the server, with what it knew before."""
        command = java(self._settings, self.log, "zookeeper")
        command += ["org.apache.zookeeper.server.quorum.QuorumPeerMain"]
        command += [str(self._folder / "zoo.cfg")]
        return spawn(name, command, self._folder / "zookeeper.out", os.environ)

    def ready(self) -> bool:
        """Whether it serves."""
        try:
            with socket.create_connection((LOOPBACK, self._port), timeout=2.0) as connection:
                connection.sendall(b"srvr")
                return b"Mode: " in connection.makefile("rb").read()
        except OSError:
            return False
