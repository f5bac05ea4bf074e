"""Checks before a job starts that its schema registry answers, and registers what lists are.

In: a `Config`. Out: the `ListFormat` of its lists, or one sentence.
"""

from __future__ import annotations

from flink_app.config import Config
from flink_app.config.schema_registry import registered_formats
from flink_app.config.topics import shared_topic
from udfs.formats.list_values import SCHEMAS
from udfs.formats.packages import require_packages
from udfs.formats.registry import Registry
from udfs.formats.settings import ListFormat


def require_registry(config: Config) -> None:
    """Check that the registry answers, if values are to be read or written by its schemas.

    Raises:
        ConfigError: a package is not installed. ServiceError: the registry does not answer, or does
            not let the job in.
    """
    formats = registered_formats(config)
    for option, name in formats.items():
        require_packages(option, name)
    if formats:
        Registry(config.schema_registry).check()


def list_format(config: Config) -> ListFormat:
    """How lists go to Kafka, their schema registered under the name of the topic and `-value`.

    Raises:
        ServiceError: the registry does not answer or refuses, or the schema does not go with those
            that are there.
    """
    name = registered_formats(config).get("lists_topic.format")
    if name is None:
        return ListFormat()
    registry, section = Registry(config.schema_registry), config.lists_topic
    ids = {"own": 0, "shared": 0}
    if "user" in section.kinds:
        ids["own"] = registry.registered(f"{section.topic}-value", name, SCHEMAS[name])
    if {*section.kinds} - {"user"}:
        subject = f"{shared_topic(section.topic)}-value"
        ids["shared"] = registry.registered(subject, name, SCHEMAS[name])
    return ListFormat(format=name, **ids)
