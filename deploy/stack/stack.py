"""Starts and stops the local stack, and records what runs from one command to the next.

In: a folder, ports and the names of components. Out: running servers, recorded in the folder's
`stack.json` (their process ids and ports), and the addresses for clients.
"""

from __future__ import annotations

import re
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct, field, structs

from deploy.download import CACHE
from deploy.stack.cassandra import Cassandra
from deploy.stack.flink import Flink
from deploy.stack.hdfs import Hdfs
from deploy.stack.kafka import Kafka
from deploy.stack.processes import Process, alive, connected, send, stop, wait
from deploy.stack.redis import Redis
from deploy.stack.registry import Registry
from deploy.stack.s3 import S3
from deploy.stack.settings import TASK_MANAGERS, Component, Ports, Settings
from deploy.stack.zookeeper import ZooKeeper
from flink_app.local.ports import require_free
from udfs.errors import ConfigError, ServiceError

COMPONENTS = ("kafka", "redis", "flink")
EXTRAS: dict[str, Callable[[Settings], Component]] = {
    "cassandra": Cassandra,
    "s3": S3,
    "hdfs": Hdfs,
    "zookeeper": ZooKeeper,
    "registry": Registry,
}
"""Components that start only when they are asked for, by name."""
_ORDER = (*EXTRAS, *COMPONENTS)  # in which they start: what a job needs before Flink
START_SECONDS = 120.0


class _State(Struct):
    """The content of stack.json: the ports last used, and the processes of each component."""

    ports: Ports = field(default_factory=Ports)
    processes: dict[str, list[Process]] = field(default_factory=dict)


class Status(Struct, frozen=True):
    """One component: whether it is up, its address, and which of its processes have ended."""

    name: str
    up: bool
    address: str
    log: Path
    pids: list[int]
    ended: list[str]


class Stack:
    """The local stack in one folder.

    `folder` holds state, data and logs; `jars` is the cache of downloaded jars. A component that
    is up keeps its ports; the others use those in `ports`. `task_managers` is the number of Flink's
    TaskManagers when it is started.
    """

    def __init__(
        self,
        folder: Path = Path(".local"),
        ports: Ports | None = None,
        jars: Path = CACHE,
        task_managers: int = TASK_MANAGERS,
    ) -> None:
        self.folder = folder = folder.absolute()
        self._file = folder / "stack.json"
        self._state = self._read()
        given = Ports() if ports is None else ports
        kept = [self._state.ports.of(name) for name in _ORDER if self._alive(name)]
        self.ports: Ports = structs.replace(
            given, **{k: v for part in kept for k, v in part.items()}
        )
        settings = Settings(
            folder=folder, jars=jars.absolute(), ports=self.ports, task_managers=task_managers
        )
        self._flink = Flink(settings)
        self._components: dict[str, Component] = {
            **{name: make(settings) for name, make in EXTRAS.items()},
            "kafka": Kafka(settings),
            "redis": (server := Redis(settings)),
            "flink": self._flink,
        }
        self.kafka_bootstrap = self._components["kafka"].address
        self.redis_url = self._components["redis"].address
        self.flink_rest_url = self._flink.address
        self.checkpoints, self.redis_dump = self._flink.checkpoints, server.dump

    def up(self, components: Sequence[str] = COMPONENTS) -> list[str]:
        """Start those of `components` that are down; return their names once all answer.

        Raises `ConfigError` for an unknown name and `ServiceError` if a port is in use or a
        component does not start; everything that this call had started is then stopped again.
        """
        _check_names(components)
        # A component is restarted as a whole, since Flink's processes wait for each other.
        missing = [name for name in _ORDER if name in components and not self._is_up(name)]
        self.down(missing)
        self._flink.extras = {n for n in EXTRAS if n in components or self._alive(n)}
        for name in missing:
            self._check_ports(name)
        try:
            for name in missing:
                self._components[name].prepare()
                for process in self._components[name].processes:
                    self._spawn(name, process)
            for name in missing:
                self._wait(name)
        except BaseException:
            self.down(missing)
            raise
        return missing

    def kill(self, process: str) -> None:
        """End one process at once, as a crash would; `process` as in `Component.processes`."""
        wait(self.signal(process, signal.SIGKILL))

    def leader(self) -> str:
        """The JobManager that leads: the one that the TaskManagers are connected to; "" if none."""
        found = self._alive("flink")
        workers = [each for each in found if each.name.startswith("taskmanager")]
        leading = (each for each in found if each not in workers and connected(workers, each))
        return next((each.name for each in leading), "")

    def signal(self, process: str, number: signal.Signals) -> list[Process]:
        """Send a signal to the processes of this name; returns those, none if it does not run."""
        found = [each for name in _ORDER for each in self._alive(name) if each.name == process]
        for each in found:
            send(each, number)
        return found

    def revive(self) -> list[str]:
        """Restart the processes that have ended, as a supervisor would; returns their names once
        all answer."""
        ended = []
        for name in _ORDER:
            processes = self._state.processes.get(name, [])
            dead = [process for process in processes if not alive(process)]
            for process in dead:
                processes.remove(process)
                self._spawn(name, process.name)
                ended.append(process.name)
            if dead:
                self._wait(name)
        return ended

    def _spawn(self, name: str, process: str) -> None:
        found = self._state.processes.setdefault(name, [])
        found.append(self._components[name].spawn(process))
        order = self._components[name].processes
        found.sort(key=lambda each: order.index(each.name) if each.name in order else len(order))
        self._write()

    def down(self, components: Sequence[str] = _ORDER) -> list[str]:
        """Stop `components` and return the names of those that had running processes.

        Raises `ConfigError` for an unknown name.
        """
        _check_names(components)
        # Flink first: a job that loses Kafka or Redis would fill the logs with errors.
        running = [name for name in reversed(_ORDER) if name in components and self._alive(name)]
        for name in running:
            leader, *others = self._alive(name)
            # TaskManagers before their JobManager, so that they can deregister.
            stop(others)
            stop([leader])
        for name in components:
            self._state.processes.pop(name, None)
        if self._file.exists() or self._state.processes:
            self._write()
        return running

    def status(self) -> list[Status]:
        """The status of each of `COMPONENTS`, after that of `EXTRAS` that were started."""
        found = []
        for name, component in self._components.items():
            if name in EXTRAS and name not in self._state.processes:
                continue
            running = self._alive(name)
            ended = [p.name for p in self._state.processes.get(name, []) if p not in running]
            pids = [process.pid for process in running]
            up = self._is_up(name)
            found.append(Status(name, up, component.address, component.log, pids, ended))
        return found

    def flink_command(self, *arguments: str) -> tuple[list[str], dict[str, str]]:
        """The command line and the environment of `flink arguments…` for this cluster.

        For example `subprocess.run(command, env=environment)` after `command, environment =
        stack.flink_command("run", "-d", "-py", "job.py")`.
        """
        return self._flink.command(*arguments)

    def submit(self, *arguments: str) -> str:
        """`flink run arguments…`; returns the job's id, for an attached job once it has ended.

        Raises `ServiceError` if Flink rejects the job, or it fails.
        """
        command, environment = self.flink_command("run", *arguments)
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        found = re.search(r"JobID ([0-9a-f]{32})", done.stdout)
        if done.returncode or not found:
            raise ServiceError(f"`flink run` failed: {done.stdout}{done.stderr}")
        return found[1]

    def rest(self, path: str, method: str = "GET", body: Mapping[str, Any] | None = None) -> Any:
        """The answer of Flink's REST API to a request, as JSON."""
        return self._flink.rest(path, method, body)

    def component(self, name: str) -> Component:
        """The component of this name, for its address and what only it can do."""
        return self._components[name]

    def _alive(self, name: str) -> list[Process]:
        return [process for process in self._state.processes.get(name, []) if alive(process)]

    def _is_up(self, name: str) -> bool:
        processes = self._state.processes.get(name, [])
        return bool(processes) and len(self._alive(name)) == len(processes)

    def _check_ports(self, name: str) -> None:
        for port_name, port in self.ports.of(name).items():
            option = f"--{port_name.replace('_', '-')}-port"
            require_free(port, name, f"stop what uses it, or choose another with {option}")

    def _wait(self, name: str) -> None:
        component = self._components[name]
        deadline = time.monotonic() + START_SECONDS
        while not component.ready():
            ended = [p for p in self._state.processes[name] if not alive(p)]
            if ended:
                raise ServiceError(
                    f"{ended[0].name} ended while it started; its last output: "
                    f"{_last_output(ended[0], component.log)!r}; see {component.log}."
                )
            if time.monotonic() > deadline:
                raise ServiceError(
                    f"{name} did not answer at {component.address} within {START_SECONDS:.0f} s; "
                    f"see {component.log}."
                )
            time.sleep(0.2)

    def _read(self) -> _State:
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=_State)
        except FileNotFoundError:
            return _State()
        except msgspec.DecodeError as error:
            raise ServiceError(
                f"{self._file} cannot be read ({error}): stop the servers that it may have "
                "started, then delete it."
            ) from error

    def _write(self) -> None:
        self._state.ports = self.ports
        self._file.parent.mkdir(parents=True, exist_ok=True)
        part = self._file.with_suffix(".part")
        part.write_bytes(msgspec.json.format(msgspec.json.encode(self._state)))
        part.replace(self._file)


def _last_output(process: Process, log: Path) -> str:
    """The last error in the log, if that is a single file; else the end of the output."""
    if log.is_file():
        lines = log.read_text(errors="replace").splitlines()
        errors = [line for line in lines if "ERROR" in line or "Exception" in line]
        if errors:
            return errors[-1]
    return Path(process.output).read_text(errors="replace").strip()[-500:]


def _check_names(components: Sequence[str]) -> None:
    for name in components:
        if name not in _ORDER:
            raise ConfigError(f"there is no component {name!r}: choose from {', '.join(_ORDER)}.")
