"""The command `millirec metrics`."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from flink_app.commands.app import ConfigFile, Settings, app
from flink_app.config import load


@app.command
def metrics(
    *,
    listen: Annotated[
        str, Parameter(help="HOST:PORT to listen on; there is no password.")
    ] = "127.0.0.1:9099",
    config: ConfigFile = None,
    settings: Settings = [],  # noqa: B006
) -> int:
    """Serve a job's metrics to Prometheus until Ctrl-C, and detect falls of the lists' quality.

    It reads the hash `stats` in Redis at each scrape, without contacting the job.
    """
    from flink_app.monitoring.exporter import export

    return export(listen, load(config, settings))
