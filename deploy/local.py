"""`python -m deploy.local`: starts and stops the local stack from a shell.

In: a command (up, down, status, flink), names of components and options. Out: a few lines about
what runs where; on an error, one sentence and exit status 1.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import redis
from cyclopts import App, Parameter

from deploy.download import CACHE
from deploy.stack import COMPONENTS, EXTRAS, Ports, Stack, Status
from flink_app.console.totals import read_totals
from udfs.errors import MillirecError, ServiceError

app = App(name="python -m deploy.local", help="A real Kafka, Redis and Flink on this machine.")

Folder = Annotated[Path, Parameter(help="Holds state, data and logs.", env_var="STACK_FOLDER")]
Jars = Annotated[Path, Parameter(help="The cache of downloaded jars.", env_var="STACK_JARS")]
Components = Annotated[str, Parameter(help=f"Any of {', '.join(COMPONENTS)}; by default all.")]

With = Annotated[
    str, Parameter(name="--with", help=f"Also any of {', '.join(EXTRAS)}, with commas between.")
]

FOLDER = Path(".local")


@app.command
def up(
    *components: Components,
    extras: With = "",
    folder: Folder = FOLDER,
    jars: Jars = CACHE,
    kafka_port: Annotated[int, Parameter(env_var="STACK_KAFKA_PORT")] = 9092,
    kafka_controller_port: Annotated[int, Parameter(env_var="STACK_KAFKA_CONTROLLER_PORT")] = 9093,
    redis_port: Annotated[int, Parameter(env_var="STACK_REDIS_PORT")] = 6379,
    cassandra_port: Annotated[int, Parameter(env_var="STACK_CASSANDRA_PORT")] = 9042,
    cassandra_storage_port: Annotated[
        int, Parameter(env_var="STACK_CASSANDRA_STORAGE_PORT")
    ] = 7000,
    flink_port: Annotated[int, Parameter(env_var="STACK_FLINK_PORT")] = 8081,
    flink_rpc_port: Annotated[int, Parameter(env_var="STACK_FLINK_RPC_PORT")] = 6123,
    zookeeper_standby_port: Annotated[
        int, Parameter(env_var="STACK_ZOOKEEPER_STANDBY_PORT")
    ] = 8082,
    s3_port: Annotated[int, Parameter(env_var="STACK_S3_PORT")] = 9000,
    zookeeper_port: Annotated[int, Parameter(env_var="STACK_ZOOKEEPER_PORT")] = 2181,
    hdfs_port: Annotated[int, Parameter(env_var="STACK_HDFS_PORT")] = 8020,
    hdfs_web_port: Annotated[int, Parameter(env_var="STACK_HDFS_WEB_PORT")] = 9870,
    registry_port: Annotated[int, Parameter(env_var="STACK_REGISTRY_PORT")] = 8085,
    registry_management_port: Annotated[
        int, Parameter(env_var="STACK_REGISTRY_MANAGEMENT_PORT")
    ] = 8086,
) -> None:
    """Start what is down, wait until it answers, and print its addresses."""
    ports = Ports(
        kafka=kafka_port,
        kafka_controller=kafka_controller_port,
        redis=redis_port,
        cassandra=cassandra_port,
        cassandra_storage=cassandra_storage_port,
        flink=flink_port,
        flink_rpc=flink_rpc_port,
        zookeeper_standby=zookeeper_standby_port,
        s3=s3_port,
        zookeeper=zookeeper_port,
        hdfs=hdfs_port,
        hdfs_web=hdfs_web_port,
        registry=registry_port,
        registry_management=registry_management_port,
    )
    stack = Stack(folder, ports, jars)
    wanted = (*filter(None, extras.split(",")), *(components or COMPONENTS))
    started = stack.up(wanted)
    for name in wanted:
        print(f"{name} {'started' if name in started else 'was already up'}")
    _show(stack.status())
    if any(line.name == "flink" and line.up for line in stack.status()):
        print("submit a job:  python -m deploy.local flink run -py JOB.py")


@app.command
def down(*components: Components, folder: Folder = FOLDER) -> None:
    """Stop everything, or the given components; data and logs stay in the folder."""
    stack = Stack(folder)
    stopped = stack.down(components) if components else stack.down()
    print(f"stopped: {', '.join(stopped)}" if stopped else "nothing was up")


@app.command
def status(*, folder: Folder = FOLDER) -> None:
    """Show what is up, its address and its log, and how fresh a job's lists are."""
    stack = Stack(folder)
    lines = stack.status()
    _show(lines)
    if any(line.name == "redis" and line.up for line in lines):
        print(_freshness(stack.redis_url), end="")


# Flink itself answers `flink run --help`.
@app.command(help_flags=[], version_flags=[])
def flink(
    *arguments: Annotated[str, Parameter(allow_leading_hyphen=True)], folder: Folder = FOLDER
) -> None:
    """Run Flink's own command line against this cluster: `flink run …`, `flink list`, …"""
    stack = Stack(folder)
    if not any(line.name == "flink" and line.up for line in stack.status()):
        raise ServiceError("Flink is not up: start it with `python -m deploy.local up flink`.")
    command, environment = stack.flink_command(*arguments)
    sys.stdout.flush()
    os.execvpe(command[0], command, environment)


def _freshness(redis_url: str) -> str:
    """How old lists were in the last minute of a job, which may have ended, a line; "" without."""
    totals = read_totals(redis.Redis.from_url(redis_url), "")
    if totals is None or not totals.freshness_p50_ms:
        return ""
    return (
        f"in a job's last minute half of the events were in their lists after "
        f"{totals.freshness_p50_ms:.0f} ms, 99 of 100 after {totals.freshness_p99_ms:.0f} ms\n"
    )


def _show(lines: list[Status]) -> None:
    for line in lines:
        state = "up" if line.up else "down"
        if line.pids and not line.up:
            state = "broken"
        details = f"log {_short(line.log)}" if line.up else ""
        if line.ended:
            details = f"{', '.join(line.ended)} ended unexpectedly: see {_short(line.log)}"
        pids = f"pid {' '.join(map(str, line.pids))}" if line.pids else ""
        print(f"{line.name:9} {state:7} {line.address:27} {pids:24} {details}".rstrip())


def _short(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def main() -> None:
    """Run the command line; expected errors are one sentence on standard error."""
    try:
        app()
    except MillirecError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("interrupted: everything it had started was stopped again")


if __name__ == "__main__":
    main()
