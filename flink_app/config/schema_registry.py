"""Checks what is configured of a schema registry, without asking it.

In: a `Config` whose options are each valid. Out: which options name a format that needs it; or a
ConfigError that says what to write.
"""

from __future__ import annotations

import re

from flink_app.config.masking import masked
from flink_app.config.tree import Config
from udfs.errors import ConfigError
from udfs.options.schema_registry import VALUE_FORMATS, ValueFormat

_URL = re.compile(r"https?://[^\s/@?#]+(/[^\s?#]*)?")


def registered_formats(config: Config) -> dict[str, ValueFormat]:
    """The options that name a format whose schemas are in the registry.

    >>> from flink_app.config import load
    >>> registered_formats(load(None, ["source.format=avro"], {}).config)
    {'source.format': 'avro'}
    """
    given: list[tuple[str, str]] = [("source.format", config.source.format)]
    if config.items.kind:
        given.append(("items.format", config.items.format))
    if config.lists_topic.topic:
        given.append(("lists_topic.format", config.lists_topic.format))
    known = {str(name): name for name in VALUE_FORMATS}
    return {option: known[name] for option, name in given if name in known}


def check_schema_registry(config: Config) -> None:
    """Raise ConfigError unless values can be read and written as `config` says.

    >>> from flink_app.config import load
    >>> check_schema_registry(load(None, ["source.kind=kafka", "source.format=avro"], {}).config)
    Traceback (most recent call last):
    udfs.errors.ConfigError: source.format is "avro", but schema_registry.url is empty: set it to \
the address of the registry that has the schemas.
    """
    for option, name in registered_formats(config).items():
        _check_format(option, name, config)
        if not config.schema_registry.url:
            raise ConfigError(
                f'{option} is "{name}", but schema_registry.url is empty: set it to the address of '
                "the registry that has the schemas."
            )
    _check_used(config)
    _check_url(config)


def _check_used(config: Config) -> None:
    """A format of what is neither read nor written was meant to do something."""
    items, lists = config.items, config.lists_topic
    for option, name, needed, used in (
        ("items.format", items.format, "items.kind", items.kind),
        ("lists_topic.format", lists.format, "lists_topic.topic", lists.topic),
    ):
        if name in VALUE_FORMATS and not used:
            raise ConfigError(
                f'{option} is "{name}", but {needed} is empty, so it does nothing: set {needed} '
                f"too, or leave {option} out."
            )


def _check_format(option: str, name: str, config: Config) -> None:
    """Values have schemas in Kafka alone, and no encoding."""
    section = {"source.format": config.source, "items.format": config.items}.get(option)
    if section is None:
        return
    of = option.partition(".")[0]
    if section.kind != "kafka":
        raise ConfigError(
            f'{option} is "{name}", and {of}.kind is "{section.kind}": values with a schema are '
            f'read from Kafka alone. Set {of}.kind = "kafka", or {option} = "json" for lines of '
            "JSON."
        )
    if section.encoding:
        raise ConfigError(
            f'{of}.encoding is "{section.encoding}", but {name} has no other than UTF-8: leave '
            f"{of}.encoding empty."
        )
    if section.preset == "key-value":
        raise ConfigError(
            f'{of}.preset is "key-value", whose values are plain text, and {option} is "{name}": '
            f'name the fields instead, such as {of}.fields.user = "@key".'
        )


def _check_url(config: Config) -> None:
    registry = config.schema_registry
    if registry.url and not _URL.fullmatch(registry.url):
        raise ConfigError(
            f'schema_registry.url is "{masked("schema_registry.url", registry.url)}": it must be '
            "https://host:port or http://host:port, with a path if the registry has one; the "
            "password goes into the variable MILLIREC_SCHEMA_REGISTRY_PASSWORD."
        )
    if registry.password and not registry.user:
        raise ConfigError(
            "schema_registry.password is set without a schema_registry.user: set it too."
        )
