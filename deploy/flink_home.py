"""Makes a Flink home out of the package apache-flink: `python -m deploy.flink_home /opt/flink`.

In: the distribution in apache-flink, Java, and the jars that deploy/jars.ini pins for Flink. Out: a
folder of links and copies with the layout of Flink's own images: bin/, conf/, lib/, opt/, plugins/
with that for S3, and java/, for JAVA_HOME. conf/ holds deploy/flink/config.yaml with this
environment's Python; where it names loopback, a cluster overrides it by `-D`.
"""

from __future__ import annotations

import os
import shutil
import site
import sys
from importlib.util import find_spec
from pathlib import Path

from deploy.download import fetch, pinned
from deploy.stack.settings import render
from flink_app.connections.storage import s3_plugins
from flink_app.graph.java import java_home
from udfs.errors import MillirecError, ServiceError

CONFIG = Path(__file__).parent / "flink" / "config.yaml"


def distribution() -> Path:
    """The folder with bin/, lib/ and opt/ in the package apache-flink.

    Raises:
        ServiceError: the package is not installed.
    """
    spec = find_spec("pyflink")
    if not spec or not spec.origin:
        raise ServiceError("Flink is not installed in this environment: pip install apache-flink.")
    return Path(spec.origin).parent


def collect_jars(lib: Path, jars: Path) -> None:
    """Link Flink's own jars, flink-python's and the pinned ones into the new folder `lib`.

    flink-python must be among them: if each job loaded it, it would load the interpreter's library
    again, which a JVM can only do once.

    Args:
        jars: the cache of downloaded jars.
    """
    lib.mkdir(parents=True)
    own = [*(distribution() / "lib").glob("*.jar")]
    own += (distribution() / "opt").glob("flink-python-*.jar")
    for jar in [*own, *fetch(pinned("flink"), jars)]:
        (lib / jar.name).symlink_to(jar.absolute())


def make(home: Path) -> None:
    """Make the folder, which must not exist.

    Raises:
        ServiceError: it exists, Flink or Java is missing, or a jar cannot be downloaded.
    """
    if home.exists():
        raise ServiceError(f"{home} exists already: name a folder that does not.")
    collect_jars(home / "lib", home / "jars")
    s3_plugins(home / "plugins", fetch(pinned("s3"), home / "jars"))
    for name in ("bin", "opt"):
        (home / name).symlink_to(distribution() / name)
    shutil.copytree(distribution() / "conf", home / "conf")
    values = {
        "python": sys.executable,
        "site_packages": os.pathsep.join(site.getsitepackages()),
        "rest_port": 8081,
        "rpc_port": 6123,
        "task_managers": 1,
        "checkpoints": (home / "checkpoints").as_uri(),
        "savepoints": (home / "savepoints").as_uri(),
        "scratch": "/tmp",
        "logs": home / "log",
        "pids": "/tmp",
    }
    render(CONFIG, home / "conf" / "config.yaml", values)
    (home / "java").symlink_to(java_home())


def main() -> None:
    """Make the folder named by the one argument."""
    if len(sys.argv) != 2:
        sys.exit("error: name the folder to make: python -m deploy.flink_home /opt/flink")
    try:
        make(Path(sys.argv[1]).absolute())
    except MillirecError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
