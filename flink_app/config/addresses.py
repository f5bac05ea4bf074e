"""Addresses of Kafka's brokers in the configuration, checked for their form.

In: the text of an option. Out: nothing, or a ConfigError that names the option.
"""

from __future__ import annotations

import re

from udfs.errors import ConfigError

_BROKER = re.compile(r"(\w+://)?(\[[0-9a-fA-F:]+\]|[^\s:/\[\]]+):\d{1,5}")


def check_brokers(name: str, brokers: str) -> None:
    """Raise ConfigError unless the option `name` holds host:port, several with commas between.

    >>> check_brokers("source.brokers", "kafka:9092, [::1]:9092")
    """
    for broker in brokers.split(","):
        if not _BROKER.fullmatch(broker.strip()):
            raise ConfigError(
                f'{name} has "{broker}": write host:port, several separated by commas.'
            )
