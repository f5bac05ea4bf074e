"""The job's entry on a cluster: what `flink run -pym flink_app.main` executes.

In: `--config FILE` and `--set section.option=value`, else `millirec.toml` next to the code, in the
archive made by `millirec package`. Out: a submitted job; `flink run` waits for it or not. Flink's
own `-s` sets the state it starts from and `-p` its parallelism, unless the configuration does.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
import time
import zipfile
from collections.abc import Sequence
from pathlib import Path

import msgspec

from flink_app.config import Config, Loaded, load
from flink_app.config.check import check
from flink_app.config.load import DEFAULT
from flink_app.connections.redis_access import redis_client
from flink_app.connections.redis_start import continues, require_rights, start_afresh
from flink_app.console.failures import exit_code, job_failed
from flink_app.graph.inputs import is_left_alone, refuse
from flink_app.graph.restore import RESTORE
from flink_app.graph.sources import files_of, paths_in
from flink_app.package import CONFIG
from udfs.errors import MillirecError
from udfs.learning.settings import ORDINARY, Trial


def main(arguments: Sequence[str] | None = None) -> None:
    """Submit the job; mistakes are one sentence on standard error and an exit code."""
    try:
        submit(*_parse(sys.argv[1:] if arguments is None else arguments))
    except MillirecError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(exit_code(error))


def submit(config_file: Path | None, settings: Sequence[str], trial: Trial = ORDINARY) -> None:
    """Build the job in the environment that `flink run` has set up, and hand it to Flink.

    Raises:
        ConfigError, SourceError: the job cannot be built. ServiceError: Redis, or a schema
            registry, does not answer. JobFailed: Flink refuses it.
    """
    from pyflink.datastream import StreamExecutionEnvironment

    from flink_app.connections.schema_registry import list_format, require_registry
    from flink_app.graph.environment import environments
    from flink_app.graph.layout import option
    from flink_app.job import build

    loaded = _loaded(config_file, settings)
    check(loaded.config)
    with contextlib.closing(redis_client(loaded.config)) as client:
        require_rights(client, loaded.config)
    given = StreamExecutionEnvironment.get_execution_environment()
    config = _with_parallelism(loaded, given.get_parallelism())
    check(config)
    require_registry(config)
    for section in (config.source, config.items):
        watched = paths_in(section) if section.kind == "directory" else []
        for file in filter(is_left_alone, files_of(watched)):
            raise refuse(file, "a cluster does not unpack what comes into a watched folder")
    options = cluster_options(config, loaded)
    checkpoint = options.get(RESTORE) or option(given, RESTORE) or ""
    began_ms = time.time_ns() // 1_000_000
    try:
        stream, tables = environments(options)
        build(stream, tables, config, trial, list_format=list_format(config))
        with contextlib.closing(redis_client(config)) as client:
            if not continues(client, config.redis.prefix, checkpoint) and (
                note := start_afresh(client, config, began_ms)
            ):
                print(note, file=sys.stderr)
        stream.execute(config.job.name)
    except MillirecError:
        raise
    except Exception as error:
        raise job_failed(str(error)) from error


def cluster_options(config: Config, loaded: Loaded) -> dict[str, str]:
    """Flink's options on a cluster, which keeps its own state backend unless one is configured."""
    from flink_app.graph.environment import flink_options

    options = flink_options(config)
    chosen = loaded.origins["state.backend"] != DEFAULT
    if not chosen and "state.backend.type" not in config.flink.options:
        del options["state.backend.type"]
    return options


def _parse(arguments: Sequence[str]) -> tuple[Path | None, list[str], Trial]:
    parser = argparse.ArgumentParser(prog="flink run … -pym flink_app.main")
    parser.add_argument("--config", type=Path, help="a TOML file, instead of the archive's")
    parser.add_argument("--set", action="append", default=[], metavar="section.option=value")
    parser.add_argument(
        "--sequential-tests",
        action="store_true",
        help="test each event after all that its user did before it, as `millirec evaluate` does; "
        "slower",
    )
    parsed = parser.parse_args(list(arguments))
    return parsed.config, parsed.set, Trial(sequential=parsed.sequential_tests)


def _loaded(config_file: Path | None, settings: Sequence[str]) -> Loaded:
    """The configuration; without a file, the one packaged with this code."""
    packaged = None if config_file else _packaged()
    if packaged is None:
        return load(config_file, settings)
    with tempfile.TemporaryDirectory(prefix="millirec-") as folder:
        file = Path(folder) / CONFIG
        file.write_bytes(packaged)
        return load(file, settings)


def _packaged() -> bytes | None:
    """`millirec.toml` next to a copy of this package on Python's path; None if there is none.

    The running package need not be the archive's copy: Flink starts the job with `python -m`,
    which looks in the current folder first.
    """
    for entry in map(Path, sys.path):
        if zipfile.is_zipfile(entry):
            with zipfile.ZipFile(entry) as archive:
                if CONFIG in archive.namelist():
                    return archive.read(CONFIG)
        elif (entry / "flink_app" / "main.py").is_file() and (entry / CONFIG).is_file():
            return (entry / CONFIG).read_bytes()
    return None


def _with_parallelism(loaded: Loaded, of_cluster: int) -> Config:
    """Flink's `-p`, or the cluster's default, if the configuration has no parallelism."""
    config = loaded.config
    if loaded.origins["job.parallelism"] != DEFAULT:
        return config
    job = msgspec.structs.replace(config.job, parallelism=of_cluster)
    return msgspec.structs.replace(config, job=job)


if __name__ == "__main__":
    main()
