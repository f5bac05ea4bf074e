"""A schema registry for the local stack: Apicurio's, by its archive in `deploy/jars.ini`.

In: `Settings`. Out: a registry that answers in Confluent's API at `address` (`str`, an http://
URL); its schemas are kept in the folder. Anyone who can connect to it may do everything.
"""

from __future__ import annotations

import os
import shutil
import tarfile
import tempfile
from pathlib import Path

from deploy.download import fetch, pinned
from deploy.stack.processes import Process, spawn
from deploy.stack.settings import Settings
from deploy.stack.web import ask
from flink_app.graph.java import java_home
from flink_app.local.ports import LOOPBACK


class Registry:
    """One server."""

    name = "registry"
    processes: tuple[str, ...] = ("registry",)

    def __init__(self, settings: Settings) -> None:
        self._settings, self._ports = settings, settings.ports
        self._folder = settings.folder / self.name
        self.address = f"http://{LOOPBACK}:{self._ports.registry}/apis/ccompat/v7"
        self.log = self._folder / "registry.out"

    def prepare(self) -> None:
        """Unpack the archive beside the jars, if that has not been done."""
        [archive] = fetch(pinned("registry"), self._settings.jars)
        place = self._place(archive)
        if place.is_dir():
            return
        part = Path(tempfile.mkdtemp(prefix=f".{place.name}.", dir=place.parent))
        try:
            with tarfile.open(archive) as whole:
                whole.extractall(part, filter="data")
            part.rename(place)
        finally:
            shutil.rmtree(part, ignore_errors=True)

    def spawn(self, name: str) -> Process:
        """Start the server with the existing schemas."""
        [archive] = fetch(pinned("registry"), self._settings.jars)
        settings = {
            "quarkus.http.host": LOOPBACK,
            "quarkus.http.port": self._ports.registry,
            "quarkus.management.host": LOOPBACK,
            "quarkus.management.port": self._ports.registry_management,
            # Each change is on the disk before it is answered, as in a real one's database.
            "apicurio.datasource.url": f"jdbc:h2:file:{self._folder / 'schemas'};WRITE_DELAY=0",
            "apicurio.datasource.jdbc.initial-size": 1,
            "apicurio.datasource.jdbc.min-size": 1,
        }
        command = [
            str(java_home() / "bin" / "java"),
            *("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"),
            *(f"-D{option}={value}" for option, value in settings.items()),
            *("-jar", str(self._place(archive) / "quarkus-run.jar")),
        ]
        return spawn(name, command, self.log, os.environ)

    def ready(self) -> bool:
        """Whether it answers in Confluent's API."""
        try:
            return b"PROTOBUF" in ask(f"{self.address}/schemas/types", timeout=2.0)
        except OSError:
            return False

    def _place(self, archive: Path) -> Path:
        return archive.with_name(archive.name.removesuffix(".tar.gz"))
