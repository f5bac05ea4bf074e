"""What the driver's errors mean: said at once, or waited for."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import pytest

from udfs.errors import ConfigError
from udfs.options.cassandra import Cassandra
from udfs.stores import cassandra_connection
from udfs.stores.cassandra_connection import address, passing, refusal, require_driver, words

pytest.importorskip("cassandra")

from cassandra import AuthenticationFailed, InvalidRequest, OperationTimedOut, Unauthorized
from cassandra.cluster import NoHostAvailable

OPTIONS = Cassandra(hosts=["c1", "c2"], user="ann", password="hidden", keyspace="shop")
AWAY = ConnectionRefusedError(111, "refused")


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (AuthenticationFailed("no"), "MILLIREC_CASSANDRA_PASSWORD"),
        (NoHostAvailable("none", {"c1": AuthenticationFailed("no")}), "cassandra.user"),
        (Unauthorized("no"), "GRANT SELECT and MODIFY"),
        (InvalidRequest("Keyspace 'shop' does not exist"), "cassandra-schema --apply"),
        (ssl.SSLError(1, "wrong version"), "cassandra.ssl"),
    ],
)
def test_what_trying_again_does_not_help_is_one_sentence(error: Exception, advice: str) -> None:
    said = str(refusal(error, OPTIONS))
    assert advice in said and "c1, c2, port 9042" in said
    assert "hidden" not in said


def test_what_tls_says_is_told_although_the_driver_makes_another_error_of_it() -> None:
    by_driver = OSError(1, "Tried connecting to [('127.0.0.1', 9042)]. Last error: wrong version")
    given = NoHostAvailable("none", {"c1": by_driver})
    encrypted = Cassandra(hosts=["c1"], ssl=True)
    assert "cassandra.ssl_ca" in str(refusal(given, encrypted))
    assert refusal(given, OPTIONS) is None


@pytest.mark.parametrize(
    "error",
    [
        OperationTimedOut(),
        AWAY,
        NoHostAvailable("none", {"c1": AWAY}),
        NoHostAvailable("none", {}),
        NoHostAvailable("none", {"c1": AWAY, "c2": AuthenticationFailed("starting")}),
    ],
)
def test_what_passes_is_waited_for(error: Exception) -> None:
    assert refusal(error, OPTIONS) is None
    assert passing(error)
    assert words(error)


def test_the_cause_is_told_in_a_line() -> None:
    assert "refused" in words(NoHostAvailable("none", {"c1": AWAY}))
    assert not passing(KeyError("x"))
    assert address(OPTIONS) == "c1, c2, port 9042"


def test_a_missing_driver_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cassandra_connection, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"pip install 'millirec\[cassandra\]'"):
        require_driver()


def test_certificates_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    options = Cassandra(hosts=["127.0.0.1"], ssl=True, ssl_ca=str(tmp_path / "absent.pem"))
    with pytest.raises(ConfigError, match=r"cassandra\.ssl_ca is"):
        cassandra_connection.session(options)


def test_a_process_connects_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []
    monkeypatch.setattr(cassandra_connection, "_sessions", {})
    monkeypatch.setattr(
        cassandra_connection, "_connect", lambda *given: made.append(given) or object()
    )
    first = cassandra_connection.session(OPTIONS)
    assert cassandra_connection.session(OPTIONS) is first
    assert cassandra_connection.session(Cassandra(hosts=["other"])) is not first
    assert len(made) == 2
