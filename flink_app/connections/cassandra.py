"""Makes the tables in Cassandra.

In: the section of the configuration, and CQL. Out: tables, or a ServiceError that names the address
without credentials.
"""

from __future__ import annotations

from collections.abc import Sequence

from udfs.errors import ConfigError, ServiceError
from udfs.options.cassandra import Cassandra
from udfs.stores.cassandra_connection import address, refusal, session, words


def apply_schema(options: Cassandra, statements: Sequence[str]) -> None:
    """Carry out statements, each of which changes nothing that exists.

    Raises:
        ConfigError: the driver is not installed. ServiceError: Cassandra does not answer, or
            refuses.
    """
    try:
        connected = session(options)
        for statement in statements:
            connected.execute(statement, timeout=60.0)
    except ConfigError:
        raise
    except Exception as error:
        raise refusal(error, options) or ServiceError(
            f"Cassandra at {address(options)} has not made the tables ({words(error)}): is it up, "
            "and is that its address? What was made already stays; run it again."
        ) from error
