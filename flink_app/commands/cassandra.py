"""The command `millirec cassandra-schema`: its arguments; the CQL is in `udfs.stores`."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from flink_app.commands.app import ConfigFile, Settings, app
from flink_app.config import load
from udfs.errors import ConfigError


@app.command(name="cassandra-schema")
def cassandra_schema(
    *,
    apply: Annotated[
        bool, Parameter(negative=(), help="Make what is missing, instead of printing the CQL.")
    ] = False,
    replication: Annotated[
        int,
        Parameter(
            validator=Number(gte=1, lte=100),
            help="How many nodes of each data centre hold each row of a new keyspace.",
        ),
    ] = 3,
    config: ConfigFile = None,
    settings: Settings = [],  # noqa: B006  (cyclopts makes a new list)
) -> None:
    """Print the tables that lists and histories need in Cassandra, or make them.

    Nothing else makes tables. A keyspace or a table that exists stays as it is.

    Examples:
        millirec cassandra-schema --config shop.toml | cqlsh
        millirec cassandra-schema --apply --replication 1 --set cassandra.hosts=127.0.0.1
    """
    from flink_app.connections.cassandra import apply_schema
    from udfs.stores.cassandra_schema import schema

    options = load(config, settings).config.cassandra
    statements = schema(options.keyspace, replication)
    if not apply:
        print("\n\n".join(statements))
        return
    if not options.hosts:
        raise ConfigError("cassandra.hosts is empty: name the nodes in which to make the tables.")
    apply_schema(options, statements)
    print(f"the keyspace {options.keyspace} has the tables lists and history")
