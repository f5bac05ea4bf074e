"""Flink for the local stack: a standalone cluster from the distribution in apache-flink.

In: `Settings` and `deploy/flink/config.yaml`. Out: one JobManager and TaskManagers of one slot
each, two of them by default, with the REST API at `address` (`str`, an http:// URL), and the
`flink` command line.
"""

from __future__ import annotations

import json
import os
import shutil
import site
import sys
import urllib.request
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from deploy.download import fetch, pinned
from deploy.stack.processes import Process, spawn
from deploy.stack.settings import Settings, render
from flink_app.graph.java import java_home
from flink_app.local.ports import LOOPBACK
from udfs.errors import ServiceError

TEMPLATE = Path(__file__).parents[1] / "flink" / "config.yaml"


class Flink:
    """The JobManager and the TaskManagers."""

    name = "flink"

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._folder = settings.folder / self.name
        self.address = f"http://{LOOPBACK}:{settings.ports.flink}"
        self.log = self._folder / "log"
        self.checkpoints = self._folder / "checkpoints"
        managers = (f"taskmanager-{n}" for n in range(1, settings.task_managers + 1))
        self.processes = ("jobmanager", *managers)

    def prepare(self) -> None:
        """Create conf/ and lib/."""
        if any(letter.isspace() for letter in str(self._folder)):
            raise ServiceError(
                "Flink's scripts do not work in a folder with a space in its name, such as "
                f"{self._folder}: choose another with --folder."
            )
        for leftover in (self.log, self._folder / "pids", self._folder / "scratch"):
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
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self.address + path, data, headers, method=method)
        # Without proxies: those in the environment are not meant for loopback.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=10.0) as answer:
            return json.load(answer)

    def command(self, *arguments: str) -> tuple[list[str], dict[str, str]]:
        """The command line and environment that run Flink's `flink` on this cluster."""
        return self._script("flink", *arguments), self._environment()

    def configure(self) -> Path:
        """Write the folder for FLINK_CONF_DIR: config.yaml filled in, Flink's logging settings."""
        conf = self._folder / "conf"
        values = {
            "python": sys.executable,
            "site_packages": os.pathsep.join(site.getsitepackages()),
            "rest_port": self._settings.ports.flink,
            "rpc_port": self._settings.ports.flink_rpc,
            "task_managers": self._settings.task_managers,
            "checkpoints": f"file://{self.checkpoints}",
            "savepoints": f"file://{self._folder / 'savepoints'}",
            "scratch": self._folder / "scratch",
            "logs": self.log,
            "pids": self._folder / "pids",
        }
        render(TEMPLATE, conf / "config.yaml", values)
        for properties in (_distribution() / "conf").glob("log4j*.properties"):
            shutil.copy(properties, conf)
        return conf

    def spawn(self, name: str) -> Process:
        """Start one of `processes` with Flink's own script."""
        script = f"{name.split('-')[0]}.sh"
        # In the foreground, the script turns into the server, so that its process id is known.
        command = self._script(script, "start-foreground")
        return spawn(name, command, self._folder / f"{name}.out", self._environment())

    def _script(self, name: str, *arguments: str) -> list[str]:
        return ["bash", str(_distribution() / "bin" / name), *arguments]

    def _environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "JAVA_HOME": str(java_home()),
            "FLINK_HOME": str(_distribution()),
            "FLINK_CONF_DIR": str(self._folder / "conf"),
            "FLINK_LIB_DIR": str(self._folder / "lib"),
            # Part of the names of Flink's log files, which otherwise depend on the user.
            "FLINK_IDENT_STRING": "millirec",
            "OPENBLAS_NUM_THREADS": "1",
        }

    def _collect_jars(self) -> None:
        """Link Flink's own jars, flink-python's and the connector's into one lib folder.

        flink-python must be among them: if each job loaded it, it would load the interpreter's
        library again, which a JVM can only do once.
        """
        lib = self._folder / "lib"
        shutil.rmtree(lib, ignore_errors=True)
        lib.mkdir(parents=True)
        own = [*(_distribution() / "lib").glob("*.jar")]
        own += (_distribution() / "opt").glob("flink-python-*.jar")
        for jar in [*own, *fetch(pinned("flink"), self._settings.jars)]:
            (lib / jar.name).symlink_to(jar.absolute())


def _distribution() -> Path:
    """The folder with bin/, lib/ and opt/ in the package apache-flink."""
    spec = find_spec("pyflink")
    if not spec or not spec.origin:
        raise ServiceError("Flink is not installed in this environment: pip install apache-flink.")
    return Path(spec.origin).parent
