"""Gives the table of metrics to Prometheus: a collector for its client library.

In: what reads the Redis hash `stats`. Out: at each scrape, the metrics of
`flink_app.monitoring.metrics`. In a server of your own:

    registry = prometheus_client.CollectorRegistry()
    registry.register(StatsCollector(lambda: client.hgetall("stats")))
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from prometheus_client import Metric as Family
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector
from redis import RedisError

from flink_app.monitoring.metrics import FALLS, FELL, METRICS, UP, Metric, Sample, numbers, samples
from udfs.errors import MillirecError

if TYPE_CHECKING:
    from flink_app.monitoring.drift import Drift


class StatsCollector(Collector):
    """Reads `stats` at each scrape; Redis away: `millirec_up` is 0 and nothing else is there.

    Args:
        read: the hash, {} if there is none; may raise `redis.RedisError` or `MillirecError`.
        drift: watches the quality, at each scrape.
    """

    def __init__(
        self, read: Callable[[], Mapping[bytes, bytes]], drift: Drift | None = None
    ) -> None:
        self._read, self._drift = read, drift
        self._held: dict[tuple[str, tuple[str, ...]], float] = {}
        self._lock = threading.Lock()  # scrapes may overlap

    def describe(self) -> Iterator[Family]:
        """The families, without samples."""
        yield from _families([])

    def collect(self) -> Iterator[Family]:
        """The families that have samples."""
        with self._lock:
            found = self._samples(time.time())
        return (family for family in _families(found) if family.samples)

    def _samples(self, now_s: float) -> list[Sample]:
        try:
            stats = self._read()
        except (RedisError, MillirecError):
            return [Sample(UP, (), 0.0)]
        found = [self._steady(sample) for sample in samples(numbers(stats), now_s)]
        self._held = {(sample.metric.name, sample.labels): sample.value for sample in found}
        if self._drift is not None:
            tests = _count(found, "millirec_quality_tests_total", "served")
            hits = _count(found, "millirec_quality_hits_total", "served", "10")
            self._drift.look(tests, hits, now_s)
            found.append(Sample(FALLS, (), float(self._drift.falls)))
            found.append(Sample(FELL, (), self._drift.fell_at))
        return [Sample(UP, (), 1.0), *found]

    def _steady(self, sample: Sample) -> Sample:
        """A counter that went back a little stays where it was until it has caught up.

        A job that failed goes back to its checkpoint, and so do its totals. Prometheus would take
        that for a counter that was reset, and its whole value for the increase of one scrape.
        """
        if sample.metric.kind != "counter":
            return sample
        held = self._held.get((sample.metric.name, sample.labels), 0.0)
        return sample._replace(value=held) if held / 2 < sample.value < held else sample


def _count(found: list[Sample], name: str, *labels: str) -> int:
    return int(sum(s.value for s in found if (s.metric.name, s.labels) == (name, labels)))


def _families(found: list[Sample]) -> Iterator[Family]:
    families = {metric.name: _family(metric) for metric in METRICS}
    for sample in found:
        families[sample.metric.name].add_metric(sample.labels, sample.value)
    yield from families.values()


def _family(metric: Metric) -> CounterMetricFamily | GaugeMetricFamily:
    kind = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
    return kind(metric.name, metric.help, labels=metric.label_names)
