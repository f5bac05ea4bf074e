"""The file systems of other machines that a configuration names: S3 and HDFS.

In: a `Config` and the environment. Out: its addresses that are not on this machine; for a job in
this process, the variables by which Java finds what reads them, downloaded if need be, and Flink's
options. `flink_app.graph.remote` looks into the file systems themselves.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from flink_app.config import Config
from flink_app.config.paths import is_local
from flink_app.connections.jars import cache, cached

PLUGINS = "FLINK_PLUGINS_DIR"
CLASSES = "HADOOP_CLASSPATH"
_S3 = {"s3", "s3a"}
_HDFS = {"hdfs", "viewfs", "webhdfs", "swebhdfs"}
_ENDPOINTS = "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"


def addresses(config: Config) -> Iterator[str]:
    """Every address of the configuration that is not on this machine."""
    found = [config.state.checkpoints, config.state.restore]
    found += [config.dead_letters.path] if config.dead_letters.kind == "files" else []
    found += [config.ranker.log_folder] if config.ranker.log_folder else []
    for section in (config.source, config.items):
        found += section.paths if section.kind in ("files", "directory") else []
        found += section.options.values() if section.kind == "flink" else []
    found += config.flink.options.values()
    return (address for address in found if not is_local(address))


def java_environment(config: Config) -> dict[str, str]:
    """What Java's environment needs for the addresses of a configuration; {} without such.

    A variable that is set stays as it is: who sets it has a Flink or a Hadoop of their own.

    Raises:
        ServiceError: the jars are not in the cache and cannot be downloaded.
    """
    schemes = {urlsplit(address).scheme for address in addresses(config)}
    found = {}
    if schemes & _S3 and PLUGINS not in os.environ:
        found[PLUGINS] = str(s3_plugins(cache() / "plugins", cached("s3")))
    # What writes Parquet needs Hadoop's classes, wherever the files go.
    if (schemes & _HDFS or config.ranker.log_folder) and CLASSES not in os.environ:
        found[CLASSES] = os.pathsep.join(map(str, cached("hadoop")))
    return found


def s3_plugins(folder: Path, jars: Sequence[Path]) -> Path:
    """A folder of links to Flink's own plugins, and to the jars of the one for S3; returns it."""
    plugin = folder / "s3-fs-hadoop"
    plugin.mkdir(parents=True, exist_ok=True)
    spec = find_spec("pyflink")
    wanted = {plugin / jar.name: jar for jar in jars}
    if spec and spec.origin:
        own = (Path(spec.origin).parent / "plugins").glob("*/")
        wanted |= {folder / one.name: one for one in own if one.is_dir()}
    for link, target in wanted.items():
        if not link.exists():
            link.unlink(missing_ok=True)
            link.symlink_to(target)
    for other in set(plugin.iterdir()) - set(wanted):
        other.unlink()  # of another release
    return folder


def flink_options(environ: Mapping[str, str]) -> dict[str, str]:
    """Flink's options for the S3 server that the variables of Amazon's own tools name, if any.

    >>> flink_options({"AWS_ENDPOINT_URL": "http://127.0.0.1:9000"})["s3.endpoint"]
    'http://127.0.0.1:9000'
    """
    for name in _ENDPOINTS:
        if endpoint := environ.get(name):
            return {"s3.endpoint": endpoint, "s3.path.style.access": "true"}
    return {}
