"""HDFS for the local stack: a NameNode and a DataNode, run from the jars in `deploy/jars.ini`.

In: `Settings`. Out: a file system at `address` (`str`, an hdfs:// URL); its files are kept in the
folder. Anyone who can connect to it may do everything.
"""

from __future__ import annotations

import json
import os
import subprocess

from deploy.stack.java import java
from deploy.stack.processes import Process, spawn
from deploy.stack.settings import Settings
from deploy.stack.web import ask
from flink_app.local.ports import LOOPBACK
from udfs.errors import ServiceError

_SERVER = "org.apache.hadoop.hdfs.server"
_MAIN = {
    "namenode": f"{_SERVER}.namenode.NameNode",
    "datanode": f"{_SERVER}.datanode.DataNode",
}
_BINARY = {"Content-Type": "application/octet-stream"}
_LIVE = "/jmx?qry=Hadoop:service=NameNode,name=FSNamesystem"


class Hdfs:
    """The NameNode, which knows the files, and a DataNode, which has their contents."""

    name = "hdfs"
    processes: tuple[str, ...] = ("namenode", "datanode")

    def __init__(self, settings: Settings) -> None:
        self._settings, self._ports = settings, settings.ports
        self._folder = settings.folder / self.name
        self.address = f"hdfs://{LOOPBACK}:{self._ports.hdfs}"
        self._web = f"http://{LOOPBACK}:{self._ports.hdfs_web}"
        self.log = self._folder / "log"

    def prepare(self) -> None:
        """Write the settings, and format the NameNode's folder if that has not been done."""
        conf = self._folder / "conf"
        conf.mkdir(parents=True, exist_ok=True)
        (conf / "hdfs-site.xml").write_text(self._site(), encoding="utf-8")
        if (self._folder / "name" / "current").exists():
            return
        command = [*self._java("namenode"), "-format", "-nonInteractive"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ServiceError(
                f"HDFS could not prepare its folder {self._folder / 'name'}: "
                f"{done.stderr.strip()[-500:]}; see {self.log}."
            )

    def spawn(self, name: str) -> Process:
        """Start one of the two, with its existing files."""
        return spawn(name, self._java(name), self._folder / f"{name}.out", os.environ)

    def ready(self) -> bool:
        """Whether the NameNode knows the DataNode."""
        try:
            beans = json.loads(ask(f"{self._web}{_LIVE}", timeout=5.0))["beans"]
        except (OSError, ValueError):
            return False
        return any(bean.get("NumLiveDataNodes") for bean in beans)

    def put(self, name: str, content: bytes) -> None:
        """Write a file, which appears as a whole."""
        part = f"/.parts/{name}"
        self.ask(f"{part}?op=CREATE&overwrite=true", "PUT", content)
        self.ask(f"/{name.rpartition('/')[0]}?op=MKDIRS", "PUT")
        self.ask(f"{part}?op=RENAME&destination=/{name}", "PUT")

    def ask(self, path: str, method: str = "GET", content: bytes | None = None) -> bytes:
        """The answer of WebHDFS, HDFS over HTTP."""
        url = f"{self._web}/webhdfs/v1{path}"
        if content is not None:  # the NameNode names a DataNode
            url = json.loads(ask(f"{url}&noredirect=true", method))["Location"]
        return ask(url, method, content, _BINARY)

    def _java(self, name: str) -> list[str]:
        conf, log = str(self._folder / "conf"), self.log / f"{name}.log"
        return [*java(self._settings, log, "hdfs", "hadoop", before=conf), _MAIN[name]]

    def _site(self) -> str:
        listen = f"{LOOPBACK}:0"
        values = {
            "fs.defaultFS": self.address,
            "dfs.namenode.name.dir": (self._folder / "name").as_uri(),
            "dfs.datanode.data.dir": (self._folder / "data").as_uri(),
            "dfs.namenode.http-address": f"{LOOPBACK}:{self._ports.hdfs_web}",
            "dfs.datanode.address": listen,
            "dfs.datanode.http.address": listen,
            "dfs.datanode.ipc.address": listen,
            "dfs.replication": "1",
            "dfs.permissions.enabled": "false",
            "dfs.namenode.safemode.extension": "0",
        }
        found = "".join(
            f"  <property><name>{name}</name><value>{value}</value></property>\n"
            for name, value in values.items()
        )
        return f"<configuration>\n{found}</configuration>\n"
