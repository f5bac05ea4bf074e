"""Checks where the job writes what the ranker ranked.

In: a `Config`. Out: nothing, or a ConfigError that says what to write.
"""

from __future__ import annotations

import re

from flink_app.config.addresses import check_brokers
from flink_app.config.paths import is_inside
from flink_app.config.topics import topics
from flink_app.config.tree import Config
from udfs.errors import ConfigError
from udfs.models.options import KAFKA

_NAME = re.compile(r"[a-zA-Z0-9._-]{1,249}")


def check_ranker_log(config: Config) -> None:
    """Raise ConfigError unless `ranker.log` can be written, if it is set.

    >>> from flink_app.config import load
    >>> check_ranker_log(load(None, ["ranker.log=kafka:ranked"], {}).config)
    >>> check_ranker_log(load(None, ["ranker.log=a", "lists.model=mf"], {}).config)
    Traceback (most recent call last):
    udfs.errors.ConfigError: ranker.log is "a" but lists.model is "mf": only the ranker ranks \
candidates by features. Leave ranker.log empty, or set lists.model = "ranker".
    """
    ranker = config.ranker
    if not ranker.log:
        return
    if config.lists.model != "ranker":
        raise ConfigError(
            f'ranker.log is "{ranker.log}" but lists.model is "{config.lists.model}": only the '
            "ranker ranks candidates by features. Leave ranker.log empty, or set "
            'lists.model = "ranker".'
        )
    if not ranker.train_per_s:
        raise ConfigError(
            f'ranker.log is "{ranker.log}" but ranker.train_per_s is 0: what is logged is of the '
            "events that the ranker learns from. Set ranker.train_per_s to how many a second."
        )
    if ranker.log.startswith(KAFKA):
        _check_topic(config)
    for name, section in (("source", config.source), ("items", config.items)):
        for path in section.paths if section.kind in ("files", "directory") else ():
            if ranker.log_folder and is_inside(ranker.log_folder, path):
                raise ConfigError(
                    f'ranker.log is "{ranker.log}", inside "{path}" of {name}.paths: its files '
                    "would be read as events. Choose a folder outside."
                )


def _check_topic(config: Config) -> None:
    topic, brokers = config.ranker.log_topic, config.source.brokers
    if not _NAME.fullmatch(topic):
        raise ConfigError(
            f'ranker.log is "{config.ranker.log}": after {KAFKA} comes the name of a topic, '
            'letters, digits, ".", "_" and "-", 249 at most.'
        )
    check_brokers("source.brokers", brokers)
    same = [one.what for one in topics(config) if (one.brokers, one.name) == (brokers, topic)]
    if len(same) > 1:
        raise ConfigError(
            f'ranker.log is "{config.ranker.log}", and "{topic}" is the topic of the {same[0]} '
            "too: choose another topic."
        )
