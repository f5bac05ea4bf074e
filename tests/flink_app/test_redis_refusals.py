"""Every command that touches Redis, with every kind of refusal: one sentence, exit code 3.

A real redis-server refuses where one can be made to; a few fakes say what it cannot be made to say.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import redis
import trustme

from flink_app import cli, main
from flink_app.commands.every import app
from flink_app.config import load
from flink_app.local.ports import free_port
from flink_app.local.redis_server import RedisServer
from flink_app.monitoring.exporter import Stats
from tests.flink_app.serve.servers import serving
from tests.waiting import wait_for
from udfs.errors import ServiceError
from udfs.stores.redis_writer import RedisSettings, RedisWriter

EVENTS = "events.jsonl"
FOLDER = ["--set", "source.kind=directory", "--set", "source.paths=."]
READERS = {
    "get": ["get", "ann"],
    "similar": ["similar", "a"],
    "report": ["report"],
    "redis-usage": ["redis-usage"],
    "forget": ["forget", "ann", *FOLDER],
    "export": ["export", "ann", *FOLDER],
    "why": ["why", "ann", "kettle", *FOLDER],
    "experiment": ["experiment", "report"],
}
WRITERS = {
    "run": ["run", EVENTS],
    "demo": ["demo"],
    "flink run": [],
}
SUBMIT = ["--set", "source.kind=files", "--set", f"source.paths={EVENTS}"]
SERVERS = {"serve", "metrics"}
APART = {
    "evaluate",
    "simulate",
    "validate",
    "replay",
    "lines",
    "fetch",
    "import",
    "cassandra-schema",
    "items",
    "graph",
    "package",
    "config",
}
"""Commands that ask no configured Redis."""


def test_every_command_is_in_one_of_the_tables() -> None:
    names = {name for name in app if not name.startswith("-")}
    assert names == {*READERS, *WRITERS, *SERVERS, *APART} - {"flink run"}


class Refusing(NamedTuple):
    """A Redis that refuses: how to reach it, what is said, and what readers may still do."""

    url: str
    said: str
    reads: bool = False


@contextlib.contextmanager
def configured(client: Any, said: str, reads: bool = False, **options: Any) -> Iterator[Refusing]:
    before = {name: client.config_get(name)[name] for name in options}
    for name, value in options.items():
        client.config_set(name, value)
    try:
        yield Refusing(_url(client), said, reads)
    finally:
        admin = client
        if "requirepass" in options:
            admin = redis.Redis.from_url(_url(client), password=options["requirepass"])
        for name, value in before.items():
            admin.config_set(name, value)


def _url(client: Any, login: str = "", database: int = 0) -> str:
    port = client.connection_pool.connection_kwargs["port"]
    return f"redis://{login}127.0.0.1:{port}/{database}"


@contextlib.contextmanager
def user(client: Any, *rules: str) -> Iterator[Refusing]:
    client.execute_command("ACL", "SETUSER", "who", "reset", "on", ">geheim", *rules)
    try:
        yield Refusing(_url(client, "who:geheim@"), "does not allow its user to do this")
    finally:
        client.acl_deluser("who")


@contextlib.contextmanager
def replica(client: Any, stale: str) -> Iterator[Refusing]:
    with RedisServer() as server, redis.Redis.from_url(server.url) as other:
        if stale == "yes":
            other.replicaof("127.0.0.1", client.connection_pool.connection_kwargs["port"])
            wait_for(lambda: other.info("replication")["master_link_status"] == "up")
            yield Refusing(server.url, "is a read-only replica", reads=True)
        else:
            other.config_set("replica-serve-stale-data", "no")
            other.replicaof("127.0.0.1", free_port())
            yield Refusing(server.url, "replica")


@contextlib.contextmanager
def unsaved(client: Any, folder: Path) -> Iterator[Refusing]:
    (folder / "dump.rdb").mkdir(parents=True)
    client.set("x", "1")
    with configured(client, "its own disk", True, dir=str(folder), save="3600 1") as found:
        with contextlib.suppress(redis.ResponseError):
            client.bgsave()
        wait_for(lambda: client.info("persistence")["rdb_last_bgsave_status"] == "err")
        yield found
    (folder / "dump.rdb").rmdir()
    client.bgsave()
    wait_for(lambda: client.info("persistence")["rdb_last_bgsave_status"] == "ok")


@contextlib.contextmanager
def saying(answer: bytes, said: str, context: ssl.SSLContext | None = None) -> Iterator[Refusing]:
    """A server that answers whatever it gets with the same, or speaks TLS."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=talk, args=(connection,), daemon=True).start()

    def talk(connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            if context:
                connection = context.wrap_socket(connection, server_side=True)
            while connection.recv(4096):
                connection.sendall(answer)

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield Refusing(f"redis://:geheim@127.0.0.1:{listener.getsockname()[1]}/0", said)
    finally:
        listener.close()


def _tls() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    return context


def over_tls(found: Refusing) -> Refusing:
    return found._replace(url=found.url.replace("redis:", "rediss:"))


HTTP = b"HTTP/1.1 400 Bad Request\r\n\r\n"
MADE: dict[str, Callable[[Any, Path], Any]] = {
    "replica": lambda client, _: replica(client, "yes"),
    "replica alone": lambda client, _: replica(client, "no"),
    "no command": lambda client, _: user(client, "~*", "+ping", "-@all"),
    "no key": lambda client, _: user(client, "~other:*", "allchannels", "+@all", "-scan"),
    "no password": lambda client, _: configured(
        client, "asks for a password", requirepass="secret"
    ),
    "wrong password": lambda client, _: contextlib.nullcontext(
        Refusing(_url(client, "who:geheim@"), "does not accept the password")
    ),
    "password too many": lambda client, _: contextlib.nullcontext(
        Refusing(_url(client, ":geheim@"), "has no password, and was sent one")
    ),
    "no database": lambda client, _: contextlib.nullcontext(
        Refusing(_url(client, database=99), "has no database of that number")
    ),
    "full memory": lambda client, _: configured(client, "its memory is full", True, maxmemory=1),
    "full disk": unsaved,
    "no replicas": lambda client, _: configured(
        client, "too few replicas", True, **{"min-replicas-to-write": 1}
    ),
    "no cluster": lambda client, _: contextlib.nullcontext(
        Refusing(_url(client).replace("redis:", "redis+cluster:"), "is not a Redis Cluster")
    ),
    "cluster node": lambda *_: saying(
        b"-ERR SELECT is not allowed in cluster mode\r\n", "is a node of a Redis Cluster"
    ),
    "moved": lambda *_: saying(b"-MOVED 1 127.0.0.1:1\r\n", "is a node of a Redis Cluster"),
    "loading": lambda *_: saying(
        b"-LOADING Redis is loading the dataset in memory\r\n", "is still loading its data"
    ),
    "many clients": lambda *_: saying(
        b"-ERR max number of clients reached\r\n", "takes no more connections"
    ),
    "protected": lambda *_: saying(
        b"-DENIED Redis is running in protected mode because protected mode is enabled\r\n",
        "is in protected mode",
    ),
    "http": lambda *_: saying(HTTP, "so that it is no Redis"),
    "tls only": lambda *_: saying(b"", "closes the connection", _tls()),
    "certificate": lambda *_: _mapped(over_tls, saying(b"", "has a certificate", _tls())),
    "no tls": lambda *_: _mapped(over_tls, saying(HTTP, "does not speak TLS")),
    "no host": lambda *_: contextlib.nullcontext(
        Refusing("redis://:geheim@no.such.host.invalid:1/0", "that no name server knows")
    ),
    "nobody": lambda *_: contextlib.nullcontext(
        Refusing(f"redis://:geheim@127.0.0.1:{free_port()}/0", "does not answer")
    ),
}


@contextlib.contextmanager
def _mapped(change: Callable[[Refusing], Refusing], made: Any) -> Iterator[Refusing]:
    with made as found:
        yield change(found)


@pytest.fixture(params=MADE)
def refusing(
    request: pytest.FixtureRequest, redis_client: Any, tmp_path: Path
) -> Iterator[Refusing]:
    with MADE[request.param](redis_client, tmp_path / "redis") as found:
        yield found


@pytest.fixture
def logging_kept() -> Iterator[None]:
    """`millirec run` sends all logging to its file."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level


@pytest.mark.usefixtures("logging_kept")
def test_each_command_says_what_where_and_what_to_do(
    refusing: Refusing,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REDIS_URL", refusing.url)
    monkeypatch.setenv("MILLIREC_REDIS_TIMEOUT_S", "0.5")
    (tmp_path / EVENTS).write_text('{"user":"ann","item":"a"}\n')
    for name, command in {**READERS, **WRITERS}.items():
        with pytest.raises(SystemExit) as ended:
            cli.main(command) if command else main.main(SUBMIT)
        told = capsys.readouterr().err
        assert "Traceback" not in told and "geheim" not in told, name
        if refusing.reads and name in READERS:
            assert ended.value.code in (0, 1, 3 if name == "report" else 1), (name, told)
            continue
        assert ended.value.code == 3, (name, told)
        said = [line for line in told.splitlines() if line.startswith("error: ")]
        assert len(said) == 1, (name, told)
        _assert_sentence(said[0].removeprefix("error: "), refusing, name)


def _assert_sentence(said: str, refusing: Refusing, name: str = "") -> None:
    where = RedisSettings(refusing.url).address
    assert said.startswith(f"Redis at {where} ") and refusing.said in said, (name, said)
    assert said.endswith(".") and said.count(". ") >= 1, (name, said)


def test_a_server_starts_and_answers_503_with_the_sentence(refusing: Refusing) -> None:
    # Only a server that never answers is waited for in vain: others may be slow to refuse.
    timeout_s = 1 if "does not answer" in refusing.said else 20
    with serving(refusing.url, f"serve.timeout_s={timeout_s}", "serve.stale_s=0") as client:
        for path in ("/recommend/ann", "/popular", "/stats", "/items?id=a", "/similar/a"):
            answer = client.get(path)
            if refusing.reads:
                assert answer.status_code in (200, 404), path
                continue
            assert answer.status_code == 503, path
            detail = answer.json()["detail"]
            assert "geheim" not in detail
            assert detail.endswith(" What was asked for is not remembered.")
            _assert_sentence(
                detail[: -len(" What was asked for is not remembered.")], refusing, path
            )
        ready = client.get("/health/ready")
        assert ready.status_code == (200 if refusing.reads else 503)
        assert client.get("/health/live").status_code == 200


def test_metrics_say_it_once(refusing: Refusing, capsys: pytest.CaptureFixture[str]) -> None:
    settings = [f"redis.url={refusing.url}", "redis.timeout_s=0.5"]
    stats = Stats(load(None, settings, {}))
    if refusing.reads:
        assert stats.read() == {}
        return
    for _ in range(2):
        with pytest.raises(ServiceError) as told:
            stats.read()
        _assert_sentence(str(told.value), refusing)
    assert capsys.readouterr().err == f"warning: {told.value}\n"


def test_a_writer_waits_and_then_says_it(refusing: Refusing) -> None:
    settings = RedisSettings(refusing.url, timeout_s=0.5, retry_s=0.2)
    with pytest.raises(ServiceError, match="geheim|" + refusing.said) as told:
        RedisWriter(settings).send([("SET", "a", "1")])
    assert "geheim" not in str(told.value)
