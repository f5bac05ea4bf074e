"""The command `millirec serve`: its arguments; the work is done by `flink_app.serve`."""

from __future__ import annotations

import importlib.util
import logging
from typing import Annotated

from cyclopts import Parameter

from flink_app.commands.app import ConfigFile, Settings, app
from flink_app.config import load
from udfs.errors import ConfigError

_NEEDED = ("fastapi", "fastapi_offline", "uvicorn", "prometheus_client")


@app.command
def serve(
    *,
    host: Annotated[str, Parameter(help="The address to listen on: serve.host.")] = "",
    port: Annotated[int | None, Parameter(help="The port to listen on: serve.port.")] = None,
    evaluation: Annotated[
        str,
        Parameter(
            help="The last evaluation, a file of millirec evaluate --out, for the operator's page: "
            "serve.evaluation."
        ),
    ] = "",
    config: ConfigFile = None,
    settings: Settings = [],  # noqa: B006  (cyclopts makes a new list)
) -> None:
    """Serve lists and take events over HTTP until Ctrl-C, with the live page at /.

    It reads the Redis that the job writes to; if none is configured, that of `millirec run`, also
    when the run has ended. It needs neither Flink nor Java. Use the job's own configuration, so
    that events go where the job reads them.

    Examples:
        millirec serve --config millirec.toml
        millirec serve --evaluation evaluation.json
        millirec serve --port 9000 --set source.kind=kafka --set source.brokers=127.0.0.1:9092
    """
    if any(importlib.util.find_spec(name) is None for name in _NEEDED):
        raise ConfigError("millirec serve needs more packages: pip install 'millirec[serve]'.")
    from flink_app.local.own_redis import with_own_redis
    from flink_app.serve.server import address, run

    given = [f"serve.host={host}"] if host else []
    given += [f"serve.port={port}"] if port is not None else []
    given += [f"serve.evaluation={evaluation}"] if evaluation else []
    found = with_own_redis(load(config, [*given, *settings])).config
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
    print(f"{address(found)}/  lists, events and the live page; Ctrl-C stops it", flush=True)
    run(found)
