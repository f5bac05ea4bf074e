"""A schema registry in memory, as far as the job asks one; tests/deploy/stack has a real one."""

from __future__ import annotations

import base64
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

from udfs.formats.protobuf import compiled
from udfs.formats.schema import RegisteredSchema


class Pretended:
    """The schemas of a registry, and how it answers.

    Attributes:
        schemas: by id, as in an answer. subjects: the ids of the versions of each.
        failures: answers that come first: a status and a body each.
        asked: the paths, with the header of authorization. refuses: subjects whose schemas do not
            go with others.
    """

    def __init__(self) -> None:
        self.schemas: dict[int, dict[str, Any]] = {}
        self.subjects: dict[str, list[int]] = {}
        self.failures: list[tuple[int, bytes]] = []
        self.asked: list[tuple[str, str]] = []
        self.refuses: set[str] = set()
        self.url = ""

    def add(self, number: int, text: str, kind: str = "AVRO", **more: Any) -> None:
        """A schema."""
        self.schemas[number] = {"schema": text, "schemaType": kind, **more}

    def version(self, subject: str, text: str, kind: str = "AVRO", **more: Any) -> None:
        """A version of a subject, which others can refer to."""
        number = max(self.schemas, default=1000) + 1
        self.add(number, text, kind, **more)
        self.subjects.setdefault(subject, []).append(number)

    def answer(self, path: str, body: dict[str, Any] | None) -> tuple[int, Any]:
        """The status and the content of an answer."""
        if self.failures:
            return self.failures.pop(0)
        path, _, asked = path.partition("?")
        parts = [unquote(part) for part in path.strip("/").split("/")]
        if parts == ["schemas", "types"]:
            return 200, ["AVRO", "PROTOBUF"]
        if parts[:2] == ["schemas", "ids"]:
            found = self.schemas.get(int(parts[2]))
            if found and "format=serialized" in asked:
                found = {**found, "schema": serialized(found["schema"])}
            return (200, found) if found else (404, _error(40403, "Schema not found"))
        if parts[0] == "subjects" and body is None:
            numbers = self.subjects.get(parts[1], [])
            place = int(parts[3]) - 1
            if place >= len(numbers):
                return 404, _error(40402, "Version not found.")
            return 200, {"id": numbers[place], **self.schemas[numbers[place]]}
        if parts[0] == "subjects" and body is not None:
            return self._registered(parts, body)
        return 404, b"<html>not found</html>"

    def _registered(self, parts: list[str], body: dict[str, Any]) -> tuple[int, Any]:
        given = {"schema": body["schema"], "schemaType": body["schemaType"]}
        for number in self.subjects.get(parts[1], []):
            if self.schemas[number] == given:
                return 200, {"id": number}
        if len(parts) == 2:
            return 404, _error(40403, "Schema not found")
        if parts[1] in self.refuses:
            return 409, _error(409, "Schema being registered is incompatible")
        self.version(parts[1], body["schema"], body["schemaType"])
        return 200, {"id": self.subjects[parts[1]][-1]}


def serialized(text: str) -> str:
    """The descriptor of a `.proto` file, in base64, as clients without a compiler ask for it."""
    file = compiled(RegisteredSchema("protobuf", text))
    return base64.standard_b64encode(file.serialized_pb).decode()


def _error(code: int, message: str) -> dict[str, Any]:
    return {"error_code": code, "message": message}


@contextmanager
def pretended(tls: ssl.SSLContext | None = None) -> Iterator[Pretended]:
    """A registry that answers at its `url`."""
    registry = Pretended()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self, body: dict[str, Any] | None = None) -> None:
            registry.asked.append((self.path, self.headers.get("Authorization", "")))
            status, content = registry.answer(self.path, body)
            data = content if isinstance(content, bytes) else json.dumps(content).encode()
            self.send_response(status)
            if status in (301, 302, 307):
                self.send_header("Location", data.decode())
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            self.do_GET(json.loads(self.rfile.read(length)))

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    registry.url = f"http{'s' * bool(tls)}://localhost:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield registry
    finally:
        server.shutdown()
        server.server_close()
