"""What Prometheus gets: all of `stats`, or that Redis is away."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
import redis
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from flink_app.monitoring.collector import StatsCollector
from flink_app.monitoring.drift import Drift
from flink_app.monitoring.metrics import METRICS
from udfs.errors import ServiceError


class Stats:
    """A hash that can change or be away."""

    def __init__(self, **fields: float) -> None:
        self.fields: Mapping[str, float] = fields
        self.error: Exception | None = None

    def read(self) -> dict[bytes, bytes]:
        if self.error:
            raise self.error
        return {name.encode(): str(value).encode() for name, value in self.fields.items()}


def scraped(registry: CollectorRegistry) -> dict[str, float]:
    text = generate_latest(registry).decode()
    families = text_string_to_metric_families(text)
    return {sample.name: sample.value for family in families for sample in family.samples}


@pytest.fixture
def stats() -> Stats:
    return Stats(at=0, received=1000, learned=900)


@pytest.fixture
def registry(stats: Stats) -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(StatsCollector(stats.read))
    return registry


def test_registering_asks_nobody_and_shows_all_names() -> None:
    stats = Stats()
    stats.error = AssertionError("asked")
    registry = CollectorRegistry(auto_describe=True)
    registry.register(StatsCollector(stats.read))
    with pytest.raises(ValueError, match="Duplicated"):
        registry.register(StatsCollector(stats.read))


def test_a_scrape_has_what_is_there(registry: CollectorRegistry) -> None:
    assert scraped(registry) == {
        "millirec_up": 1,
        "millirec_stats_timestamp_seconds": 0,
        "millirec_lines_received_total": 1000,
        "millirec_events_learned_total": 900,
        "millirec_lines_pending": 100,
    }
    assert {metric.name for metric in METRICS} >= scraped(registry).keys()


@pytest.mark.parametrize("error", [redis.ConnectionError("away"), ServiceError("away")])
def test_redis_away(registry: CollectorRegistry, stats: Stats, error: Exception) -> None:
    stats.error = error
    assert scraped(registry) == {"millirec_up": 0}
    stats.error = None
    assert scraped(registry)["millirec_up"] == 1


def test_no_job_yet(registry: CollectorRegistry, stats: Stats) -> None:
    stats.fields = {}
    assert scraped(registry) == {"millirec_up": 1}


def test_a_job_that_goes_back_to_its_checkpoint_is_no_new_counter(
    registry: CollectorRegistry, stats: Stats
) -> None:
    name = "millirec_events_learned_total"
    told = []
    for learned in (900, 850, 899, 901, 3, 4):
        stats.fields = {"learned": learned}
        told.append(scraped(registry)[name])
    assert told == [900, 900, 900, 901, 3, 4]


def test_a_gauge_may_fall(registry: CollectorRegistry, stats: Stats) -> None:
    for items in (100, 90):
        stats.fields = {"items": items}
        assert scraped(registry)["millirec_items"] == items


def test_falls_of_quality_are_told_from_the_start() -> None:
    stats = Stats()
    registry = CollectorRegistry()
    registry.register(StatsCollector(stats.read, Drift()))
    tests = hits = 0
    for share, wanted in ((0.3, {0}), (0.1, {1, 2, 3})):
        for _ in range(200):
            tests, hits = tests + 20, hits + int(20 * share)
            stats.fields = {
                "total_quality:served:tests": tests,
                "total_quality:served:recall@10": hits / tests,
            }
            found = scraped(registry)
        assert found["millirec_quality_falls_total"] in wanted
        assert (found["millirec_quality_fell_timestamp_seconds"] > 0) == (wanted != {0})
