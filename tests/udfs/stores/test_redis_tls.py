"""Redis behind TLS, with its own user: the URL alone configures both.

The embedded Redis is built without TLS, so the end of the encryption is a forwarder before it, as
stunnel is before many a real one; certificate and handshake are real.
"""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from udfs.errors import ServiceError
from udfs.stores.redis_writer import RedisSettings, RedisWriter


async def _pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while data := await source.read(65536):
        target.write(data)
        await target.drain()
    target.close()


@pytest.fixture
def tls_port(redis_client: Any, tmp_path: Path) -> Iterator[int]:
    """A port that speaks TLS as `localhost` for the Redis of the tests; its CA: tmp_path/ca.pem."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    backend = redis_client.connection_pool.connection_kwargs["port"]

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", backend)
        await asyncio.gather(_pump(reader, inner_writer), _pump(inner_reader, writer))

    loop = asyncio.new_event_loop()
    serving = asyncio.start_server(forward, "127.0.0.1", 0, ssl=context)
    server = loop.run_until_complete(serving)
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    yield server.sockets[0].getsockname()[1]
    loop.call_soon_threadsafe(loop.stop)
    thread.join()


def test_lists_are_written_over_tls_by_a_user_with_a_password(
    tls_port: int, redis_client: Any, tmp_path: Path
) -> None:
    redis_client.acl_setuser(
        "ann", enabled=True, passwords=["+s3cret"], keys=["rec:*"], commands=["+set", "+ping"]
    )
    try:
        url = f"rediss://ann:s3cret@localhost:{tls_port}/0?ssl_ca_certs={tmp_path / 'ca.pem'}"
        writer = RedisWriter(RedisSettings(url, retry_s=0))
        assert writer.send([("SET", "rec:bob", "[]")]) == [b"OK"]
        assert redis_client.get("rec:bob") == b"[]"
        with pytest.raises(ServiceError, match="no permissions"):
            writer.send([("SET", "other", "1")])
    finally:
        redis_client.acl_deluser("ann")


def test_an_untrusted_certificate_is_refused(tls_port: int) -> None:
    writer = RedisWriter(RedisSettings(f"rediss://localhost:{tls_port}/0", retry_s=0))
    with pytest.raises(ServiceError, match="certificate verify failed"):
        writer.send([("PING",)])
