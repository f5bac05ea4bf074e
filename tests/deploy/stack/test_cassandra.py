"""A real Cassandra behind a job on the real stack: killed under load, and nothing is lost. It asks
for a password, and what comes to it is encrypted."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    load_pem_private_key,
)
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates
from cryptography.x509 import load_pem_x509_certificate
from msgspec.structs import replace

import deploy.stack.cassandra
from deploy.download import fetch, pinned
from deploy.stack import Stack
from flink_app.config import load
from flink_app.connections.cassandra import apply_schema
from flink_app.data.rights import kept_of
from flink_app.local.ports import free_port
from flink_app.serve.second_source import SecondSource
from tests.deploy.stack.cluster import Cluster, package
from tests.flink_app.serve.servers import serving
from tests.waiting import wait_for
from udfs.errors import ServiceError
from udfs.lists.keys import RECEIPT, digest
from udfs.options.cassandra import Cassandra
from udfs.stores.cassandra_connection import session
from udfs.stores.cassandra_schema import schema
from udfs.stores.cassandra_store import CassandraStore

pytestmark = pytest.mark.stack
USERS = 60
_GUARDED = """
authenticator: PasswordAuthenticator
client_encryption_options: {{enabled: true, optional: true, keystore: {keys}, \
keystore_password: secret, store_type: PKCS12}}
"""


def guarded(folder: Path) -> Path:
    """Templates of a node that asks for a password and has a certificate, besides `ca.pem`, by
    which it is checked. That TLS is optional to it lets the stack ask whether it is ready."""
    templates = folder / "templates"
    shutil.copytree(deploy.stack.cassandra.TEMPLATES, templates)
    authority = trustme.CA()
    authority.cert_pem.write_to_path(templates / "ca.pem")
    issued = authority.issue_cert("127.0.0.1")
    keys = serialize_key_and_certificates(
        b"node",
        load_pem_private_key(issued.private_key_pem.bytes(), None),  # type: ignore[arg-type]
        load_pem_x509_certificate(issued.cert_chain_pems[0].bytes()),
        None,
        BestAvailableEncryption(b"secret"),
    )
    (templates / "keys.p12").write_bytes(keys)
    with (templates / "cassandra.yaml").open("a") as file:
        file.write(_GUARDED.format(keys=templates / "keys.p12"))
    return templates


def refused(options: Cassandra, **given: Any) -> str:
    """What is said about other options for the same node."""
    with pytest.raises(ServiceError) as error:
        apply_schema(replace(options, **given), [])
    return str(error.value)


@pytest.fixture
def options(
    running: Stack, jars: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Cassandra]:
    """A Cassandra with tables, which ends with the test."""
    try:
        import cassandra  # noqa: F401

        fetch(pinned("cassandra"), jars)
    except (ImportError, ServiceError) as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"cassandra-driver and the jars of Cassandra are needed: {error}")
    templates = guarded(tmp_path)
    monkeypatch.setattr(deploy.stack.cassandra, "TEMPLATES", templates)
    running.up(["cassandra"])
    try:
        options = Cassandra(
            hosts=["127.0.0.1"],
            port=running.ports.cassandra,
            user="cassandra",
            password="cassandra",
            ssl=True,
            ssl_ca=str(templates / "ca.pem"),
        )
        wait_for(lambda: _welcome(options), 60)
        assert "cassandra.ssl_ca" in refused(options, ssl_ca="")
        assert "MILLIREC_CASSANDRA_PASSWORD" in refused(options, password="wrong")
        with pytest.raises(ServiceError, match="cassandra-schema --apply"):
            CassandraStore(options).start()
        for _ in range(2):  # a second time it changes nothing
            apply_schema(options, schema(options.keyspace, 1))
        yield options
    finally:
        running.down(["cassandra"])


def _welcome(options: Cassandra) -> bool:
    """Whether it knows its first user, whom it makes soon after it has started."""
    try:
        apply_schema(options, [])
    except ServiceError:
        return False
    return True


def events(begin: int, end: int) -> list[str]:
    """Numbered events of `USERS` users, each at a time of its own."""
    now = time.time_ns() // 1_000_000
    found = []
    for n in range(begin, end):
        event = {"user": f"u{n % USERS}", "item": f"i{n * 7 % 50}", "type": "view", "id": f"e{n}"}
        found.append(json.dumps(event | {"ts": now - 100_000 + n}))
    return found


class Tables:
    """What Cassandra has."""

    def __init__(self, options: Cassandra) -> None:
        self._session = session(options)

    def ids(self) -> dict[str, str]:
        """The id of each user's list."""
        rows = self._session.execute("SELECT user, list FROM millirec.lists", timeout=60.0)
        return {row.user: json.loads(row.list)["id"] for row in rows}

    def events(self) -> Counter[str]:
        """How many events of each user there are."""
        rows = self._session.execute("SELECT user FROM millirec.history", timeout=60.0)
        return Counter(row.user for row in rows)


def in_redis(client: Any) -> dict[str, str]:
    found = {}
    for key in client.scan_iter("rec:*", 1000):
        if value := client.get(key):
            found[key.decode().removeprefix("rec:")] = json.loads(value)["id"]
    return found


def test_lists_and_histories_outlive_a_killed_cassandra_and_an_absent_redis(
    running: Stack,
    cluster: Cluster,
    options: Cassandra,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given = [
        *("cassandra.hosts=127.0.0.1", f"cassandra.port={options.port}"),
        "cassandra.user=cassandra",
        *("cassandra.ssl=true", f"cassandra.ssl_ca={options.ssl_ca}"),
    ]
    archive = package(running, tmp_path / "kept.zip", "kept", *given)
    monkeypatch.setenv("MILLIREC_CASSANDRA_PASSWORD", "cassandra")
    cluster.produce("kept", events(0, 600))
    cluster.submit("-d", "-p", "2", "-pyfs", str(archive), "-pym", "flink_app.main")
    tables = Tables(options)
    wait_for(lambda: tables.events().total() == 600, 240)

    # Killed under load: the job waits, and goes on where it was.
    cluster.produce("kept", events(600, 900))
    running.kill("cassandra")
    cluster.produce("kept", events(900, 1500))
    client = redis.Redis.from_url(running.redis_url)
    wait_for(lambda: len(in_redis(client)) == USERS, 120)
    assert running.revive() == ["cassandra"]
    cluster.produce("kept", events(1500, 1800))
    wanted = Counter({f"u{n}": 1800 // USERS for n in range(USERS)})

    def whole() -> bool:
        try:
            return tables.events() == wanted and tables.ids() == in_redis(client)
        except Exception:  # the driver has not found the node again
            return False

    wait_for(whole, 240)

    # Forgotten here too, lists and history.
    line = {"kind": "forget", "user": "u1", "ts": time.time_ns() // 1_000_000}
    cluster.produce("kept", [json.dumps(line)])
    wait_for(lambda: client.exists(RECEIPT + digest("u1")), 120)
    wait_for(lambda: "u1" not in tables.events() and "u1" not in tables.ids(), 120)

    # What is told of a user, and a server whose Redis is away.
    config = load(None, given, os.environ).config
    told = kept_of(config, "u2", {})
    assert len(told["stored_history"]) == 1800 // USERS
    assert {event["type"] for event in told["stored_history"]} == {"view"}
    assert json.loads(bytes(told["stored_list"]))["id"] == tables.ids()["u2"]
    secret = "cassandra.password=cassandra"
    with serving(f"redis://127.0.0.1:{free_port()}", *given, secret) as http:
        wait_for(lambda: http.get("/recommend/u2").status_code == 200, 60)
        found = http.get("/recommend/u2").json()
        assert (found["known"], found["store"]) == (True, SecondSource.name)
        assert found["id"] == tables.ids()["u2"]
        assert http.get("/recommend/u1").status_code == 503
