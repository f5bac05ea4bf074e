"""S3 for the local stack: moto's server, which speaks S3's protocol and keeps objects in memory.

In: `Settings`. Out: a server at `address` (`str`, an http:// URL) with an empty bucket; it takes
any credentials, and what it holds ends with it.
"""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec

from deploy.stack.processes import Process, spawn
from deploy.stack.settings import Settings
from deploy.stack.web import ask
from flink_app.local.ports import LOOPBACK
from udfs.errors import ServiceError

BUCKET = "millirec"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local-secret"}
"""What clients of this server may say, since they must say something."""
_SIGNED = (  # moto looks at its form alone
    "AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, "
    "Signature=0"
)


class S3:
    """One server."""

    name = "s3"
    processes: tuple[str, ...] = ("s3",)

    def __init__(self, settings: Settings) -> None:
        self._port = settings.ports.s3
        self.address = f"http://{LOOPBACK}:{self._port}"
        self.log = settings.folder / self.name / "s3.out"

    def prepare(self) -> None:
        """Look whether moto is installed."""
        if not all(map(find_spec, ("moto", "flask", "flask_cors"))):
            raise ServiceError(
                "the component s3 needs moto: pip install 'moto[s3]>=5.2' flask flask-cors"
            )

    def spawn(self, name: str) -> Process:
        """Start the server, empty."""
        command = [sys.executable, "-m", "moto.server", "-H", LOOPBACK, "-p", str(self._port)]
        return spawn(name, command, self.log, os.environ)

    def ready(self) -> bool:
        """Whether the bucket is there, once it is made."""
        try:
            self.put("", b"")
        except OSError:
            return False
        return True

    def put(self, name: str, content: bytes) -> None:
        """Write an object of the bucket; the bucket itself if it has no name."""
        self.ask(name, "PUT", content)

    def ask(self, name: str, method: str = "GET", content: bytes | None = None) -> bytes:
        """The server's answer to a request for an object, or with a query for several."""
        headers = {"Content-Type": "application/octet-stream", "Authorization": _SIGNED}
        url = f"{self.address}/{BUCKET}/{name}".rstrip("/")
        return ask(url, method, content, headers)
