"""Reads what the ranker ranked (`ranker.log`), and orders its candidates by a policy.

In: a folder of Parquet files, or a file of JSON lines. Out: `off_policy.Logged`, the places that a
policy gives, and how lists end.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from flink_app.config.hints import hint
from flink_app.evaluate.off_policy import Logged
from udfs.errors import ConfigError
from udfs.ranking.own_network import OwnNetwork

BUILT_IN = "ranker"
"""The policy that keeps the order of the built-in ranker as it was."""


class Rankings(NamedTuple):
    """What was read.

    Attributes:
        log: see there. names: of its features, in order. length: of the longest list.
    """

    log: Logged
    names: list[str]
    length: int


def read(paths: Sequence[Path]) -> Rankings:
    """The rows of which it is known where candidates stood.

    Raises:
        ConfigError: a file cannot be read, or is no log of the ranker.
    """
    rows = [row for path in paths for row in _rows(path) if any(row["position"])]
    names = sorted(set[str]().union(*(row["features"] for row in rows)))
    sizes = [len(row["items"]) for row in rows]
    users: dict[str, int] = {}
    whose = [
        users.setdefault(row.get("user") or f"\0{at}", len(users)) for at, row in enumerate(rows)
    ]
    parts = [
        np.column_stack([_column(row, name) for name in names])
        if names
        else np.zeros((len(row["items"]), 0))
        for row in rows
    ]
    place = _flat(row["position"] for row in rows)
    log = Logged(
        np.repeat(np.arange(len(rows)), sizes),
        np.array(whose, np.int64),
        place.astype(np.int64),
        _flat(row["propensity"] for row in rows),
        _flat([item == row["taken"] for item in row["items"]] for row in rows) > 0,
        np.concatenate(parts) if parts else np.zeros((0, len(names))),
    )
    return Rankings(log, names, int(place.max(initial=0)))


def places(rankings: Rankings, policy: str) -> NDArray[np.int64]:
    """The place that a policy gives each candidate, int64[c], from 1; 0: it is in no list.

    Args:
        policy: `BUILT_IN`, the name of a feature, of which the larger is better, or an ONNX file.

    Raises:
        ConfigError: there is no such policy.
    """
    log, names = rankings.log, rankings.names
    if policy == BUILT_IN:
        scores = -np.arange(len(log.lists), dtype=np.float64)
    elif policy in names:
        scores = log.features[:, names.index(policy)]
    elif policy.endswith(".onnx"):
        network = OwnNetwork(Path(policy), names)
        scores = network.run(log.features[:, network.pick].astype(np.float32)).astype(np.float64)
    else:
        known = [BUILT_IN, *names]
        meant = hint(policy, known, f"choose from {', '.join(known)}, or name an .onnx file.")
        raise ConfigError(f"--policy {policy} is not a policy: {meant}")
    order = np.lexsort((np.arange(len(scores)), -scores, log.lists))
    first = np.searchsorted(log.lists, log.lists)
    found = np.empty(len(scores), np.int64)
    found[order] = np.arange(len(scores)) - first[order] + 1
    return np.where(found <= rankings.length, found, 0)


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    try:
        if path.is_dir() or path.suffix == ".parquet":
            import pyarrow.parquet as pq

            found = pq.read_table(path).to_pylist()
            # A map comes as a list of pairs.
            rows = [{**row, "features": dict(row["features"])} for row in found]
        else:
            rows = [msgspec.json.decode(line) for line in path.read_bytes().splitlines() if line]
        _ = [(row["items"], row["position"], row["propensity"], row["taken"]) for row in rows]
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror or error}.") from None
    except (KeyError, TypeError, ValueError):  # msgspec's and pyarrow's derive from the last
        raise ConfigError(
            f"{path} is not what the ranker ranked: name a folder that ranker.log wrote, or a file "
            "of its rows as JSON lines."
        ) from None
    yield from rows


def _column(row: dict[str, Any], name: str) -> NDArray[np.float64]:
    given = row["features"].get(name)
    return np.zeros(len(row["items"])) if given is None else np.array(given, np.float64)


def _flat(parts: Iterator[Sequence[float]]) -> NDArray[np.float64]:
    return np.array([value for part in parts for value in part], np.float64)
