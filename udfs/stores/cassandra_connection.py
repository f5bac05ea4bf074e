"""Connections to Cassandra: made once in a process, and what their errors mean.

In: the section of the configuration. Out: a session of `cassandra-driver`, whose statements are
prepared. A process has one for each cluster, because the driver's threads outlive the operators
that write by it. The driver is imported when the first is made: jobs without Cassandra need none.
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import Sequence
from importlib.util import find_spec
from threading import Lock
from typing import Any

import msgspec

from udfs.errors import ConfigError, ServiceError
from udfs.options.cassandra import Cassandra

REQUEST_S = 10.0
"""How long a request may take before it is sent again, seconds."""
_CONNECT_S = 5.0
_sessions: dict[bytes, Any] = {}
_lock = Lock()


def require_driver() -> None:
    """Raise ConfigError if the driver is not installed.

    >>> require_driver() if find_spec("cassandra") else None
    """
    if find_spec("cassandra") is None:
        raise ConfigError(
            "cassandra.hosts is set, but the package cassandra-driver is not installed: pip install"
            " 'millirec[cassandra]', on every machine that runs a part of the job; or leave "
            "cassandra.hosts empty."
        )


def address(options: Cassandra) -> str:
    """Where the cluster is, without credentials.

    >>> address(Cassandra(hosts=["a", "b"], password="secret"))
    'a, b, port 9042'
    """
    return f"{', '.join(options.hosts)}, port {options.port}"


def session(options: Cassandra) -> Any:
    """The process's session, connected if it is not yet. It has no keyspace of its own: where that
    is missing, the driver would call it a node that is away.

    Raises:
        ConfigError: the driver is not installed. Others: see `refusal`.
    """
    require_driver()
    name = msgspec.msgpack.encode(options)
    with _lock:
        if name not in _sessions:
            _sessions[name] = _connect(options)
        return _sessions[name]


def prepared(session: Any, texts: Sequence[str], options: Cassandra) -> dict[str, Any]:
    """Statements of `cassandra_schema`, prepared; errors as in `refusal`."""
    return {text: session.prepare(text.format(keyspace=options.keyspace)) for text in texts}


def _connect(options: Cassandra) -> Any:
    from cassandra import ConsistencyLevel
    from cassandra.auth import PlainTextAuthProvider
    from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile
    from cassandra.policies import (
        ConstantReconnectionPolicy,
        DCAwareRoundRobinPolicy,
        TokenAwarePolicy,
    )

    logging.getLogger("cassandra").setLevel(logging.ERROR)  # what matters is said here in words
    profile = ExecutionProfile(
        load_balancing_policy=TokenAwarePolicy(DCAwareRoundRobinPolicy()),
        consistency_level=ConsistencyLevel.name_to_value[options.consistency],
        request_timeout=REQUEST_S,
    )
    given = PlainTextAuthProvider(options.user, options.password) if options.user else None
    cluster = Cluster(
        options.hosts,
        port=options.port,
        protocol_version=4,  # of Cassandra 3.11 and newer; otherwise the driver tries them all
        auth_provider=given,
        execution_profiles={EXEC_PROFILE_DEFAULT: profile},
        reconnection_policy=ConstantReconnectionPolicy(1.0, max_attempts=None),
        connect_timeout=_CONNECT_S,
        control_connection_timeout=_CONNECT_S,
        ssl_context=_tls(options) if options.ssl else None,
    )
    try:
        return cluster.connect()
    except BaseException:
        cluster.shutdown()
        raise


def _tls(options: Cassandra) -> ssl.SSLContext:
    """Certificates and the names in them are checked.

    Raises:
        ConfigError: cassandra.ssl_ca cannot be read.
    """
    try:
        return ssl.create_default_context(cafile=options.ssl_ca or None)
    except OSError as error:
        raise ConfigError(
            f"cassandra.ssl_ca is {options.ssl_ca}, which holds no certificates that can be read "
            f"({error.strerror}): name a file in the form PEM."
        ) from error


def refusal(error: BaseException, options: Cassandra) -> ServiceError | None:
    """What an error of the driver means, if trying again does not help; None: it may.

    Errors of a node that is away, late, overloaded or starting pass.
    """
    if isinstance(error, ConfigError):
        return ServiceError(str(error))
    from cassandra import AuthenticationFailed, InvalidRequest, Unauthorized
    from cassandra.cluster import NoHostAvailable
    from cassandra.protocol import SyntaxException

    if isinstance(error, NoHostAvailable):
        found = [one for one in dict(error.errors or {}).values() if isinstance(one, Exception)]
        refused = [said for one in found if (said := refusal(one, options))]
        return refused[0] if refused and len(refused) == len(found) else None
    where = f"Cassandra at {address(options)}"
    if isinstance(error, AuthenticationFailed):
        return ServiceError(
            f"{where} does not accept the user {options.user!r}: set cassandra.user, and the "
            "password by the variable MILLIREC_CASSANDRA_PASSWORD."
        )
    if isinstance(error, Unauthorized):
        return ServiceError(
            f"{where} does not allow the user {options.user!r} this: GRANT SELECT and MODIFY ON "
            f"KEYSPACE {options.keyspace} to it."
        )
    # The driver turns what TLS says into an OSError with TLS's own number, which is errno 1.
    tls = options.ssl and getattr(error, "errno", 0) == ssl.SSL_ERROR_SSL
    if isinstance(error, ssl.SSLError) or tls:
        return ServiceError(
            f"{where} cannot be trusted, or does not use TLS ({error}): see cassandra.ssl "
            "and cassandra.ssl_ca."
        )
    if isinstance(error, InvalidRequest | SyntaxException):
        return ServiceError(
            f"{where} has no tables of millirec in the keyspace {options.keyspace}, or others: "
            f"{error}. Make them by `millirec cassandra-schema --apply`."
        )
    return None


def passing(error: BaseException) -> bool:
    """Whether an error is the driver's or the network's, so that trying again may help."""
    from cassandra import DriverException
    from cassandra.cluster import NoHostAvailable
    from cassandra.connection import ConnectionException
    from cassandra.protocol import ErrorMessage

    known = DriverException, NoHostAvailable, ConnectionException, ErrorMessage, OSError
    return isinstance(error, known)


def words(error: BaseException) -> str:
    """What an error says of the cause, in a line, without what was written."""
    causes = getattr(error, "errors", None)
    if isinstance(causes, dict) and causes:
        return words(next(one for one in causes.values()))
    return f"{type(error).__name__}: {error}".splitlines()[0][:200]
