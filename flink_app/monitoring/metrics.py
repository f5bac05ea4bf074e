"""The one table of Prometheus metrics: name, type, labels, and which field of `stats` it is.

In: the fields of the Redis hash `stats`, as `udfs.accounts.fields` writes them. Out: samples, in
base units. `flink_app.monitoring.collector` hands them to Prometheus; `flink_app.monitoring.render`
writes the table into docs/monitoring.md.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Literal, NamedTuple

_MINUTE_S = 60.0
_MOST = 64
"""Samples of one metric at most: a faulty `stats` cannot flood Prometheus with labels."""
_LABEL = "(?!ratings:|mismatch:)[a-z0-9_-]{1,63}"
"""Ratings have measures too, but are not a list; sizes that do not fit are not a variant."""


class Metric(NamedTuple):
    """A metric and where it comes from.

    Attributes:
        name: as Prometheus has it. kind: its type. help: one sentence.
        source: a field of `stats`, in which `<x>` matches any word and becomes the label x; or the
            product of two fields, or a field minus others. "" if the collector has the value.
        scale: one unit of the source, in the metric's unit.
        labels: labels with a constant value.
        recent: it covers the last minute, and is left out if the job has been silent for longer.
    """

    name: str
    kind: Literal["counter", "gauge"]
    help: str
    source: str = ""
    scale: float = 1.0
    labels: Mapping[str, str] = {}
    recent: bool = False

    @property
    def label_names(self) -> tuple[str, ...]:
        """The names of its labels."""
        return (*dict.fromkeys(re.findall(r"<(\w+)>", self.source)), *self.labels)


class Sample(NamedTuple):
    """A value of a metric, with its labels' values in the order of `label_names`."""

    metric: Metric
    labels: tuple[str, ...]
    value: float


def _counter(name: str, source: str, text: str, scale: float = 1.0) -> Metric:
    return Metric(f"millirec_{name}_total", "counter", text, source, scale)


def _gauge(name: str, source: str, text: str, scale: float = 1.0) -> Metric:
    return Metric(f"millirec_{name}", "gauge", text, source, scale)


def _recent(name: str, source: str, text: str, scale: float = 1.0, **labels: str) -> Metric:
    text = f"{text}, over the last minute."
    return Metric(f"millirec_{name}", "gauge", text, source, scale, labels, recent=True)


def _outcomes(measure: str, text: str) -> tuple[Metric, ...]:
    """A counter of what became of lists, by each group with few names."""
    return tuple(
        Metric(
            f"millirec_list_{measure}_total",
            "counter",
            f"{text}, by place, model, chance or hour of the list.",
            f"attribution:{group}:<name>:{measure}",
            labels={"by": group},
        )
        for group in ("position", "model", "placed", "hour")
    )


def _experiments(measure: str, text: str) -> Metric:
    """A counter of what users of a variant did."""
    source = f"experiment:<experiment>:<variant>:{measure}"
    return _counter(f"experiment_{measure}", source, f"{text}, by variant of an experiment.")


def _lift(name: str, end: str, text: str) -> Metric:
    source = f"experiment:<experiment>:<variant>:<goal>:{end}"
    return _gauge(f"experiment_{name}_ratio", source, text)


UP = _gauge("up", "", "1 if Redis answered, 0 if not.")
FALLS = _counter(
    "quality_falls", "", "Falls of the served lists' recall@10 that ADWIN has detected."
)
FELL = _gauge(
    "quality_fell_timestamp_seconds",
    "",
    "Unix time of the last of these falls; 0 if there was none.",
)

METRICS = (
    UP,
    _gauge(
        "stats_timestamp_seconds",
        "at",
        "Unix time at which the job last wrote its totals.",
        scale=1e-3,
    ),
    _counter("source_lines", "lines", "Lines, or Kafka messages, that the source handed over."),
    _counter("lines_received", "received", "Events read; a line is one unless it holds several."),
    _counter("events_learned", "learned", "Events learned."),
    _counter("events_duplicate", "duplicates", "Events dropped as duplicates."),
    _counter("dead_letters", "dead:<reason>", "Rejected lines, by reason."),
    _counter(
        "lines_ignored",
        "ignored",
        "Blank lines, headers, what is no interaction, and events of weight 0 if so configured.",
    ),
    _counter("items_described", "described", "What was said of items and users, and taken."),
    _counter("events_refused", "refused", "Events from before their user was forgotten."),
    _counter("events_opted_out", "opted_out", "Events of users who are not to be learned from."),
    _gauge(
        "lines_pending",
        "received − learned − duplicates − dead − ignored − described − refused − opted_out",
        "Events read but not yet accounted for.",
    ),
    _counter("batches", "batches", "Pieces of micro-batches that were learned."),
    _counter(
        "batch_wait_seconds",
        "waited_ms",
        "Time from the start of their windows to learning; divided by the batches: the lag.",
        scale=1e-3,
    ),
    _recent(
        "freshness_seconds",
        "freshness_p50_ms",
        "Time from an event to its list in Redis",
        scale=1e-3,
        quantile="0.5",
    ),
    _recent(
        "freshness_seconds",
        "freshness_p99_ms",
        "Time from an event to its list in Redis",
        scale=1e-3,
        quantile="0.99",
    ),
    _counter(
        "stage_seconds",
        "stage:<stage>_us",
        "Time spent by the user learners, by stage.",
        scale=1e-6,
    ),
    _counter("lists_written", "lists", "Lists written."),
    _counter("users_met", "users", "Users seen for the first time."),
    _gauge("items", "items", "Known items."),
    _gauge("encoder_waiting", "encoder:waiting", "Items' texts and images that wait for vectors."),
    _counter("encoder_failures", "encoder:failed:<reason>", "Images or texts that got no vector."),
    _counter("encoder_seconds", "encoder:spent:<kind>_us", "Time for texts and images.", 1e-6),
    _counter("encoder_vectors", "encoder:made:<kind>", "Vectors made, or found in the cache."),
    _counter("own_model_lists", "model:<name>:lists", "Lists that your own models were asked for."),
    _counter("own_model_seconds", "model:<name>:us", "Time that they took.", 1e-6),
    _counter("own_model_lists_without", "model:<name>:without", "Lists made without them."),
    _counter("own_model_failures", "model:<name>:failed", "Calls that failed."),
    _counter("own_model_rests", "model:<name>:slow", "Times a model was so slow that it rests."),
    _counter("own_model_loads", "model:<name>:loaded", "Files that were loaded again."),
    _counter("own_model_refusals", "model:<name>:refused", "Changed files that cannot be used."),
    _counter("crowd", "crowd:<what>", "Events held back from learning, and users that led to it."),
    _counter("feed_bytes", "feed:<what>_bytes", "Bytes of the item feed, written and read."),
    _counter(
        "ratings_tested",
        "total_quality:ratings:tests",
        "Ratings that were predicted before being learned.",
    ),
    _recent(
        "ratings_rmse",
        "quality:ratings:rmse",
        "Root mean squared error of these predictions, on the ratings' own scale",
    ),
    _counter(
        "quality_tests",
        "total_quality:<list>:tests",
        "Tests of a list, each before its event is learned.",
    ),
    _counter(
        "quality_hits",
        "total_quality:<list>:recall@<k> × total_quality:<list>:tests",
        "Tests with the item among the first k; divided by the tests, they are recall@k.",
    ),
    _recent("quality_mrr_ratio", "quality:<list>:mrr@10", "MRR@10"),
    _recent("quality_ndcg_ratio", "quality:<list>:ndcg@10", "NDCG@10"),
    _recent(
        "quality_novelty_bits",
        "quality:<list>:novelty@10",
        "Novelty@10, −log₂ of an item's share of all events",
    ),
    _gauge(
        "quality_coverage_ratio",
        "total_quality:<list>:coverage@10",
        "Share of all items that have been among the first 10 of a tested list.",
    ),
    _counter(
        "quality_new_items",
        "total_quality:new_items",
        "Tests of items without an earlier event, which no list could contain.",
    ),
    _counter(
        "quality_unknown_users",
        "total_quality:unknown_users",
        "Events that were not tests because the user was new.",
    ),
    _counter(
        "quality_repeats",
        "total_quality:repeats",
        "Events that were not tests because the user had already had the item, or it is their own.",
    ),
    *_outcomes("views", "Items of lists that were seen"),
    *_outcomes("clicks", "Items of lists that were clicked"),
    *_outcomes("conversions", "Items of lists that were put into the cart or bought"),
    *_outcomes("value", "What these were worth"),
    _recent(
        "exposure_ratio",
        "exposure:<rule>:shown",
        "Share of what lists show that the items of a rule have",
    ),
    _recent("exposure_wanted_ratio", "exposure:<rule>:wanted", "What the rule asks for"),
    _gauge(
        "list_examined_ratio",
        "attribution:position:<place>:examined",
        "How likely a place is looked at, against the first one.",
    ),
    _counter(
        "list_unknown",
        "attribution:unknown_<what>",
        "Events whose list is not kept any more, or whose item is not in it.",
    ),
    _experiments("served", "Users who got a list"),
    _experiments("users", "Users who looked at a list"),
    _experiments("lists", "Lists that were looked at"),
    _experiments("views", "Items of lists that were seen"),
    _experiments("clicks", "Items of lists that were clicked"),
    _experiments("conversions", "Items of lists that were put into the cart or bought"),
    _experiments("value", "What these were worth"),
    _lift("lift", "lift", "How much more of a goal there is than in the first variant."),
    _lift("lift_low", "low", "The lower end of the interval of that, which holds at all times."),
    _lift("lift_high", "high", "The upper end of it."),
    _gauge(
        "experiment_decided_timestamp_seconds",
        "experiment:<experiment>:<variant>:since",
        "Unix time at which the goal was decided; not there before.",
        scale=1e-3,
    ),
    _gauge(
        "experiment_mismatch_p",
        "experiment:<experiment>:mismatch_p",
        "How likely variants ever get users as unevenly as they have.",
    ),
    _gauge(
        "experiment_mismatch_timestamp_seconds",
        "experiment:<experiment>:mismatch:since",
        "Unix time at which that fell below .001: something is broken; not there before.",
        scale=1e-3,
    ),
    FALLS,
    FELL,
)

LEFT_OUT = {
    "dead": "the sum of `millirec_dead_letters_total`",
    "events_per_s": "`rate(millirec_events_learned_total[1m])`",
    "lists_per_s": "`rate(millirec_lists_written_total[1m])`",
    "total_freshness_p<percent>_ms": "since the job began: `millirec_freshness_seconds`",
    "quality:<list>:recall@<k>": "hits / tests, each as a rate",
    "quality:<list>:mrr@20": "`millirec_quality_mrr_ratio` has the first ten places",
    "quality:<list>:tests": "`increase(millirec_quality_tests_total[1m])`",
    "quality:ratings:tests": "`increase(millirec_ratings_tested_total[1m])`",
    "quality:<word>": "`increase` of the counter of that name",
    "model:<name>:us_per_list": "time / lists, each as a rate",
    "total_quality:<list>:mrr@20": "since the job began, as all of `total_quality`",
    "total_quality:<list>:<measure>@10": "since the job began; the metrics cover the last minute",
    "attribution:drawn:<place>:<measure>": "`millirec_list_examined_ratio`",
    "attribution:category:<name>:<measure>": "names of your own: `stats`, and the report",
    "attribution:provider:<name>:<measure>": "the same",
    "attribution:segment:<name>:<measure>": "the same",
    "exposure:<rule>:lists": "`millirec_lists_written_total`",
    "total_exposure:<rule>:<measure>": "since the job began; the metrics cover the last minute",
    "experiment:<experiment>:<variant>:<measure>*<other>": "sums of squares, for the intervals",
    "experiment:<experiment>:goal": "no number; the goals of lifts are labels",
    "experiment:<experiment>:control": "no number: the variant without lifts",
    "experiment:<experiment>:definition": "no number: its options",
    "experiment:<experiment>:started": "`millirec experiment report`",
    "experiment:<experiment>:ended": "the same",
    "experiment:<experiment>:waits": "no number: the reason",
    "total_quality:ratings:rmse": "since the job began: `millirec_ratings_rmse`",
}
"""Fields of `stats` that are not a metric, and what to use instead."""


def fits(source: str, field: str) -> re.Match[str] | None:
    """Whether a field of `stats` is what `source` names first; the match has its labels.

    >>> fits("dead:<reason>", "dead:not_json").groupdict()
    {'reason': 'not_json'}
    """
    return _pattern(source.split(" ")[0]).fullmatch(field)


@cache
def _pattern(template: str) -> re.Pattern[str]:
    parts = re.split(r"<(\w+)>", template)
    return re.compile(
        "".join(
            f"(?P<{part}>{_LABEL})" if index % 2 else re.escape(part)
            for index, part in enumerate(parts)
        )
    )


def numbers(stats: Mapping[bytes, bytes]) -> dict[str, float]:
    """The fields of `stats` whose values are finite numbers.

    >>> numbers({b"received": b"3", b"at": b"nan", b"odd": b"x"})
    {'received': 3.0}
    """
    found = {}
    for name, text in stats.items():
        try:
            value = float(text)
        except ValueError:
            continue
        if math.isfinite(value):
            found[name.decode(errors="replace")] = value
    return found


def samples(fields: Mapping[str, float], now_s: float) -> Iterator[Sample]:
    """The samples in the fields of `stats`, in the order of the table.

    Figures of the last minute are left out if the job has been silent for longer.

    >>> [found] = samples({"waited_ms": 250.0}, 0.0)
    >>> found.metric.name, found.labels, found.value
    ('millirec_batch_wait_seconds_total', (), 0.25)
    """
    old = now_s - fields.get("at", 0.0) / 1000 > _MINUTE_S
    for metric in METRICS:
        if not metric.source or (old and metric.recent):
            continue
        found = (fits(metric.source, name) for name in sorted(fields))
        for match in [match for match in found if match][:_MOST]:
            value = _value(metric.source, match, fields)
            if value is not None:
                labels = (*match.groupdict().values(), *metric.labels.values())
                yield Sample(metric, labels, value * metric.scale)


def _value(source: str, match: re.Match[str], fields: Mapping[str, float]) -> float | None:
    """The value of a source whose first field is there; None where a factor of it is not."""
    value = fields[match.string]
    _, times, factor = source.partition(" × ")
    if times:
        name = re.sub(r"<(\w+)>", lambda found: match[found[1]], factor)
        # A mean times its number: a count again, but for rounding.
        return float(round(value * fields[name])) if name in fields else None
    return value - sum(fields.get(name, 0.0) for name in source.split(" − ")[1:])
