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
        str, Parameter(help="HOST:PORT; whoever reaches it reads the metrics, without a password.")
    ] = "127.0.0.1:9099",
    config: ConfigFile = None,
    settings: Settings = [],  # noqa: B006
) -> int:
    """Serve a job's metrics for Prometheus, with an alarm for falling quality, until Ctrl-C.

    Reads the hash `stats` in Redis at each scrape; the job itself is not asked.
    """
    from flink_app.monitoring.exporter import export

    return export(listen, load(config, settings))
