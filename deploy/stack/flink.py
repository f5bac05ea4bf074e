"""Flink for the local stack: a standalone cluster from the distribution in apache-flink.

In: `Settings`, the other components that run, and `deploy/flink/*.yaml`. Out: one JobManager, or
two if ZooKeeper runs, and TaskManagers of one slot each, two of them by default, with the REST API
at `address` (`str`, an http:// URL), and the `flink` command line.
"""

from __future__ import annotations

import json
import os
import shutil
import site
import sys
import urllib.error
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from deploy.download import fetch, pinned
from deploy.flink_home import collect_jars, distribution
from deploy.stack.processes import Process, spawn
from deploy.stack.s3 import CREDENTIALS
from deploy.stack.settings import Settings, render
from deploy.stack.web import ask
from flink_app.connections.storage import CLASSES, PLUGINS, s3_plugins
from flink_app.graph.java import java_home
from flink_app.local.ports import LOOPBACK
from udfs.errors import ServiceError

TEMPLATE = Path(__file__).parents[1] / "flink" / "config.yaml"
STANDBY = "jobmanager-2"
# RocksDB names its log by the whole path of its data, as one file name of 255 characters at most.
# Below the folder of scratch files, a TaskManager's data has up to 227 more while Flink restores it
# into another number of subtasks. Flink does not name a log so if there are far more.
_SCRATCH_MOST = 28


class Flink:
    """The JobManager and the TaskManagers.

    Attributes:
        extras: the names of other components that run, which Flink is to use.
    """

    name = "flink"

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._folder = settings.folder / self.name
        self.address = f"http://{LOOPBACK}:{settings.ports.flink}"
        self.log = self._folder / "log"
        self.checkpoints = self._folder / "checkpoints"
        self.extras: set[str] = set()
        # What later commands have to know of them too is what lies in the folder.
        self._plugins, self._hadoop = self._folder / "plugins", self._folder / "hadoop"
        self._recovery = self._folder / "recovery"
        self.scratch = _short(self._folder / "scratch")

    @property
    def processes(self) -> tuple[str, ...]:
        """The names of its processes."""
        managers = (f"taskmanager-{n}" for n in range(1, self._settings.task_managers + 1))
        return "jobmanager", *([STANDBY] if self._recovery.exists() else []), *managers

    def prepare(self) -> None:
        """Create conf/ and lib/, and the folders for other components that it is to use."""
        if any(letter.isspace() for letter in str(self._folder)):
            raise ServiceError(
                "Flink's scripts do not work in a folder with a space in its name, such as "
                f"{self._folder}: choose another with --folder."
            )
        leftovers = [self.log, self._folder / "pids", self.scratch]
        if "zookeeper" in self.extras:  # which remembers what is there
            self._recovery.mkdir(parents=True, exist_ok=True)
        else:
            leftovers.append(self._recovery)
        for leftover in (*leftovers, self._plugins, self._hadoop):
            shutil.rmtree(leftover, ignore_errors=True)
        self.configure()
        self._collect_jars()

    def ready(self) -> bool:
        """Whether the JobManager knows all TaskManagers and their slots."""
        try:
            seen = self.rest("/overview")
        except (OSError, ValueError):
            return False
        return bool(seen["taskmanagers"] == seen["slots-total"] == self._settings.task_managers)

    def rest(self, path: str, method: str = "GET", body: Mapping[str, Any] | None = None) -> Any:
        """The answer of Flink's REST API, as JSON; raises `OSError` if there is none."""
        data = None if body is None else json.dumps(body).encode()
        rest = path, method, data
        try:
            return _answer(self.address, *rest)
        except urllib.error.HTTPError:  # an answer too
            raise
        except OSError:
            if not self._recovery.exists():
                raise
        # The other JobManager, which also speaks for the one that leads.
        return _answer(f"http://{LOOPBACK}:{self._settings.ports.zookeeper_standby}", *rest)

    def command(self, *arguments: str) -> tuple[list[str], dict[str, str]]:
        """The command line and environment that run Flink's `flink` on this cluster."""
        return self._script("flink", *arguments), self._environment()

    def configure(self) -> Path:
        """Write the folder for FLINK_CONF_DIR: config.yaml filled in, Flink's logging settings."""
        conf = self._folder / "conf"
        ports = self._settings.ports
        values = {
            "python": sys.executable,
            "site_packages": os.pathsep.join(site.getsitepackages()),
            "rest_port": ports.flink,
            "rpc_port": ports.flink_rpc,
            "task_managers": self._settings.task_managers,
            "checkpoints": f"file://{self.checkpoints}",
            "savepoints": f"file://{self._folder / 'savepoints'}",
            "scratch": self.scratch,
            "logs": self.log,
            "pids": self._folder / "pids",
            "s3": f"http://{LOOPBACK}:{ports.s3}",
            "zookeeper": f"{LOOPBACK}:{ports.zookeeper}",
            "recovery": f"file://{self._recovery}",
        }
        config = conf / "config.yaml"
        render(TEMPLATE, config, values)
        for name in sorted(self.extras):
            if (more := TEMPLATE.with_name(f"{name}.yaml")).exists():
                render(more, part := conf / more.name, values)
                config.write_text(config.read_text() + part.read_text())
        for properties in (distribution() / "conf").glob("log4j*.properties"):
            shutil.copy(properties, conf)
        return conf

    def spawn(self, name: str) -> Process:
        """Start one of `processes` with Flink's own script."""
        script = f"{name.split('-')[0]}.sh"
        # In the foreground, the script turns into the server, so that its process id is known.
        standby = ["-D", f"rest.port={self._settings.ports.zookeeper_standby}"]
        command = self._script(script, "start-foreground", *(standby if name == STANDBY else []))
        return spawn(name, command, self._folder / f"{name}.out", self._environment())

    def _script(self, name: str, *arguments: str) -> list[str]:
        return ["bash", str(distribution() / "bin" / name), *arguments]

    def _environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "JAVA_HOME": str(java_home()),
            "FLINK_HOME": str(distribution()),
            "FLINK_CONF_DIR": str(self._folder / "conf"),
            "FLINK_LIB_DIR": str(self._folder / "lib"),
            # Part of the names of Flink's log files, which otherwise depend on the user.
            "FLINK_IDENT_STRING": "millirec",
            "OPENBLAS_NUM_THREADS": "1",
            **({PLUGINS: str(self._plugins), **CREDENTIALS} if self._plugins.exists() else {}),
            **({CLASSES: str(self._hadoop / "*")} if self._hadoop.exists() else {}),
        }

    def _collect_jars(self) -> None:
        """Link what Flink loads into folders of its own, afresh."""
        lib, jars = self._folder / "lib", self._settings.jars
        shutil.rmtree(lib, ignore_errors=True)
        collect_jars(lib, jars)
        if "s3" in self.extras:
            s3_plugins(self._plugins, fetch(pinned("s3"), jars))
        if "hdfs" in self.extras:
            self._hadoop.mkdir()
            for jar in fetch(pinned("hadoop"), jars):
                (self._hadoop / jar.name).symlink_to(jar.absolute())


def _short(folder: Path) -> Path:
    """The folder, or one of its own below /tmp if its path is too long."""
    if len(str(folder)) <= _SCRATCH_MOST:
        return folder
    return Path("/tmp") / f"millirec-{sha256(bytes(folder)).hexdigest()[:8]}"


def _answer(address: str, path: str, method: str, data: bytes | None) -> Any:
    return json.loads(ask(address + path, method, data, {"Content-Type": "application/json"}))
