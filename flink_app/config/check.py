"""Checks whether a job can run with a configuration: what depends on several options.

In: a `Config` whose options are each valid. Out: nothing, or a ConfigError that says which options
do not fit together, and what to write.
"""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import datetime
from urllib.parse import urlsplit

import msgspec

from flink_app.config.addresses import check_brokers
from flink_app.config.attribution import check_attribution
from flink_app.config.cassandra import check_cassandra
from flink_app.config.experiments import check_experiments
from flink_app.config.hints import hint
from flink_app.config.input_options import Source
from flink_app.config.item_options import Items
from flink_app.config.lists_topic import check_lists_topic
from flink_app.config.masking import masked
from flink_app.config.noise import check_noise
from flink_app.config.paths import flink_uri, is_inside, is_local
from flink_app.config.pseudonyms import check_pseudonyms
from flink_app.config.ranker_log import check_ranker_log
from flink_app.config.reranking import check_rerank
from flink_app.config.schema_registry import check_schema_registry
from flink_app.config.topics import topics
from flink_app.config.tree import Config
from udfs.errors import ConfigError
from udfs.events.settings import RATING
from udfs.options.runtime import Job
from udfs.options.sources import evident, silent, testable, words
from udfs.rules.rules import Rules
from udfs.stores import redis_cluster
from udfs.stores.sentinels import Sentinels


def check(config: Config) -> None:
    """Raise ConfigError unless a job can run with `config`.

    Names of presets and fields are checked by `udfs.events.presets`; files, Redis and Kafka later.

    >>> from flink_app.config import load
    >>> check(load(None, ["source.paths=u.data"], {}).config)
    >>> check(load(None, ["source.paths=u.data", "job.parallelism=16"], {}).config)
    Traceback (most recent call last):
    udfs.errors.ConfigError: job.parallelism is 16 and job.shards is 1: raise job.shards to at \
least 16, or some subtasks would have nothing to do. It cannot change while a job keeps its state: \
set it to the most subtasks you may ever need.
    """
    _check_source("source", config.source)
    _check_items(config)
    _check_events(config)
    _check_redis(config.redis.url)
    _check_models(config)
    _check_dead_letters(config)
    check_lists_topic(config)
    check_ranker_log(config)
    check_attribution(config)
    check_experiments(config)
    check_schema_registry(config)
    _check_sizes(config.job)
    _check_paths(config)
    _check_rules(config)
    check_rerank(config)
    check_cassandra(config)
    check_noise(config)
    check_pseudonyms(config)
    if config.state.restore == "latest" and not config.state.checkpoints:
        raise ConfigError(
            'state.restore is "latest" but state.checkpoints is empty: name the folder in which '
            "to look for the newest checkpoint."
        )


def _check_models(config: Config) -> None:
    served = config.lists.model
    if config.model.loss == "squared" and config.events.zero_weight == "ignore":
        raise ConfigError(
            'model.loss is "squared" but events.zero_weight is "ignore", so ratings of weight 0 '
            "would never be learned: set events.zero_weight = learn (with millirec evaluate, leave "
            "--positive out)."
        )
    for section in ("ranker", "sequence"):
        if served != "ranker" and config.of(section).model:
            raise ConfigError(
                f'{section}.model is set but lists.model is "{served}", which asks no other model: '
                'set lists.model = "ranker", or leave it out.'
            )
    for name in config.quality.models:
        if name not in testable():
            meant = hint(name, testable(), f"choose from {', '.join(testable())}.")
            raise ConfigError(f'quality.models: "{name}" is not a model to be tested: {meant}')
        if served in silent() and name not in silent():
            counting = words(["ranker", *(source.name for source in evident())])
            raise ConfigError(
                f'quality.models has "{name}" but lists.model is "{served}", which does not count '
                f"which items go together: serve {counting}, or leave it out."
            )


def _check_rules(config: Config) -> None:
    Rules(config.rules)
    places = [rule.pin for rule in config.rules if rule.pin]
    for place in places:
        if place > config.lists.length:
            raise ConfigError(
                f"a rule has pin = {place}, but lists.length is {config.lists.length}: pin to a "
                "place that lists have."
            )
        if places.count(place) > 1:
            raise ConfigError(
                f"{places.count(place)} rules have pin = {place}: let each pin to another place."
            )


def _check_items(config: Config) -> None:
    items = config.items
    if not items.kind:
        return
    if config.job.strict:
        raise ConfigError(
            "job.strict is true and items.kind is set: the order between two inputs is undefined. "
            "Put the lines about items into the file of events, each with its kind."
        )
    _check_source("items", with_brokers(config))


def with_brokers(config: Config) -> Items:
    """The section of items, with Kafka's address and properties where they are those of events."""
    items, source = config.items, config.source
    return msgspec.structs.replace(
        items,
        brokers=items.brokers or source.brokers,
        properties=items.properties or source.properties,
    )


def _check_source(name: str, source: Source) -> None:
    if source.kind in ("files", "directory") and not any(source.paths):
        what = "files or folders to read" if source.kind == "files" else "folder to watch"
        raise ConfigError(
            f'{name}.kind is "{source.kind}" but {name}.paths is empty: set it to the {what}.'
        )
    if source.kind == "flink" and not source.options.get("connector"):
        raise ConfigError(
            f'{name}.kind is "flink" but {name}.options has no connector: set its name, such as '
            f'connector = "filesystem", and its own options in [{name}.options].'
        )
    if source.kind == "kafka":
        check_brokers(f"{name}.brokers", source.brokers)
        _check_filled(f"{name}.topic", source.topic, f'{name}.kind "kafka"')
        _check_filled(f"{name}.group", source.group, f'{name}.kind "kafka"')


def _check_events(config: Config) -> None:
    events = config.events
    if events.unknown_type == "reject":
        known = [*events.weights, RATING]
        for name, kinds in (
            ("events.default_type", [events.default_type]),
            ("lists.consumed_types", config.lists.consumed_types),
            ("events.fractions", [*events.fractions]),
        ):
            for kind in kinds:
                if kind not in known:
                    meant = hint(kind, known, "give it a weight.")
                    raise ConfigError(f'{name}: "{kind}" has no weight in events.weights: {meant}')
    if RATING in events.fractions:
        raise ConfigError(
            'events.fractions: "rating" has a rule of its own: for ratings from 0 to 1, set '
            "events.rating_neutral and events.rating_scale to 0.5."
        )
    earliest_ms(events.earliest)


def earliest_ms(text: str) -> int:
    """`events.earliest` as milliseconds since 1970.

    Raises:
        ConfigError: it is no time, or has no zone.

    >>> earliest_ms("1990-01-01T00:00:00Z")
    631152000000
    """
    with suppress(msgspec.ValidationError):
        earliest = msgspec.convert(text, datetime)
        if earliest.tzinfo is not None:
            return int(1000 * earliest.timestamp())
    raise ConfigError(
        f'events.earliest is "{text}": it must be a time with its zone, such as '
        "1990-01-01T00:00:00Z."
    )


def _check_redis(url: str) -> None:
    shown = masked("redis.url", url)
    try:
        if Sentinels.parse(url) or redis_cluster.parse(url):
            return
    except ValueError:
        raise ConfigError(
            f'redis.url is "{shown}": with Sentinels it must be '
            "redis+sentinel://host:port,host:port/service/database, of a cluster "
            "redis+cluster://host:port,host:port; rediss+ instead of redis+ for TLS."
        ) from None
    try:
        parts = urlsplit(url)
        whole = parts.scheme == "unix" or (bool(parts.hostname) and parts.port != 0)
    except ValueError:  # a port that is not a number, an unclosed bracket
        whole = False
    if not whole or parts.scheme not in ("redis", "rediss", "unix"):
        raise ConfigError(
            f'redis.url is "{shown}": it must be redis://host:port/database, rediss:// for TLS, '
            "redis+sentinel://host:port,host:port/service/database, "
            "redis+cluster://host:port,host:port, or unix:///path/of/socket; "
            "write a / in the password as %2F."
        )
    # A client silently takes a database that is not a number for database 0.
    if parts.scheme != "unix" and not re.fullmatch(r"/?\d*", parts.path):
        raise ConfigError(f'redis.url is "{shown}": the database after the / must be a number.')


def _check_dead_letters(config: Config) -> None:
    letters, source = config.dead_letters, config.source
    if letters.kind == "files":
        _check_filled("dead_letters.path", letters.path, 'dead_letters.kind "files"')
        for name, section in (("source", source), ("items", config.items)):
            for path in section.paths if section.kind in ("files", "directory") else ():
                _check_apart(path, letters.path, name)
    if letters.kind == "kafka":
        _check_filled("dead_letters.topic", letters.topic, 'dead_letters.kind "kafka"')
        brokers = letters.brokers or source.brokers
        check_brokers("dead_letters.brokers", brokers)
        for what, *used in topics(config):
            if what in ("events", "items") and used == [brokers, letters.topic]:
                raise ConfigError(
                    f'dead_letters.topic is "{letters.topic}", the topic of the {what}: rejected '
                    "lines would be read again. Choose another topic."
                )


def _check_apart(source: str, letters: str, name: str) -> None:
    """The dead letters must not be where lines are read, or they would be read too."""
    if is_inside(letters, source):
        raise ConfigError(
            f'dead_letters.path is "{letters}", inside "{source}" of {name}.paths: rejected '
            "lines would be read again. Choose a folder outside."
        )


def _check_paths(config: Config) -> None:
    """Flink must be able to name what it writes, and no address may hold keys."""
    named = {"state.checkpoints": config.state.checkpoints, "state.restore": config.state.restore}
    if config.dead_letters.kind == "files":
        named["dead_letters.path"] = config.dead_letters.path
    if config.ranker.log_folder:
        named["ranker.log"] = config.ranker.log_folder
    for option, path in named.items():
        flink_uri(path, option)
    read = [("source.paths", path) for path in config.source.paths]
    read += [("items.paths", path) for path in config.items.paths]
    for option, path in [*named.items(), *read]:
        if not is_local(path) and ":" in urlsplit(path).netloc.rpartition("@")[0]:
            raise ConfigError(
                f'{option} is "{masked(option, path)}", an address with keys in it, which would be '
                "logged and stored: leave them out, and set AWS_ACCESS_KEY_ID and "
                "AWS_SECRET_ACCESS_KEY."
            )


def _check_sizes(job: Job) -> None:
    shards = {"job.shards": job.shards, "job.item_shards": job.item_shards}
    for name, size in {"job.parallelism": job.parallelism, **shards}.items():
        if job.strict and size != 1:
            raise ConfigError(
                f"job.strict is true but {name} is {size}: strict mode needs 1. Leave "
                f"{name} out, or set job.strict = false."
            )
    for name, size in shards.items():
        if job.parallelism > size:
            raise ConfigError(
                f"job.parallelism is {job.parallelism} and {name} is {size}: raise {name} to at "
                f"least {job.parallelism}, or some subtasks would have nothing to do. It cannot "
                "change while a job keeps its state: set it to the most subtasks you may ever need."
            )
        if size > job.max_parallelism:
            raise ConfigError(
                f"{name} is {size} and job.max_parallelism is {job.max_parallelism}: raise "
                f"job.max_parallelism to at least {size}, or lower {name}."
            )


def _check_filled(name: str, value: str, because: str) -> None:
    if not value:
        raise ConfigError(f"{name} is empty: {because} needs it.")
