"""Alerts and dashboard refer to existing metrics and labels, and the alerts fire as intended."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

import promql_parser as promql
import pytest
from ruamel.yaml import YAML

from flink_app.monitoring.flink_metrics import FLINK, FLINK_LABELS
from flink_app.monitoring.metrics import METRICS
from tests.documents import ROOT

ALERTS = ROOT / "deploy" / "prometheus" / "alerts.yml"
PROMETHEUS = ROOT / "deploy" / "prometheus" / "prometheus.yml"
DASHBOARD = ROOT / "deploy" / "grafana" / "millirec.json"
SCRAPED = {"job", "instance"}  # labels that Prometheus adds
LABELS = {metric.name: {*metric.label_names} for metric in METRICS} | {"up": set()}
LABELS |= {name: {*FLINK_LABELS} for name in FLINK}


class Refers(NamedTuple):
    """A metric, and the labels by which an expression selects or groups it."""

    metric: str
    labels: set[str]


def refers(expression: str) -> tuple[list[Refers], set[str]]:
    """The metrics of a PromQL expression, and all labels that it groups or matches by."""
    metrics: list[Refers] = []
    labels: set[str] = set()

    def see(node: Any) -> None:
        if isinstance(node, promql.VectorSelector):
            metrics.append(Refers(node.name, {m.name for m in node.matchers.matchers}))
        elif isinstance(node, promql.AggregateExpr) and node.modifier:
            labels.update(node.modifier.labels)
        elif isinstance(node, promql.BinaryExpr) and node.modifier and node.modifier.matching:
            labels.update(node.modifier.matching.labels)

    promql.walk(promql.parse(re.sub(r"\$__\w+", "5m", expression)), see)
    return metrics, labels


def alerts() -> dict[str, dict[str, Any]]:
    groups = YAML(typ="safe").load(ALERTS)["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"]}


def dashboard() -> Any:
    return json.loads(DASHBOARD.read_text(encoding="utf-8"))


def expressions() -> dict[str, str]:
    found = {name: rule["expr"] for name, rule in alerts().items()}
    for panel in dashboard()["panels"]:
        for target in panel["targets"]:
            found[f"{panel['title']} {target['refId']}"] = target["expr"]
    for note in dashboard()["annotations"]["list"]:
        found[note["name"]] = note["expr"]
    return found


@pytest.mark.parametrize("expression", expressions().values(), ids=expressions())
def test_an_expression_refers_to_existing_metrics_and_labels(expression: str) -> None:
    metrics, labels = refers(expression)
    assert metrics
    for metric in metrics:
        assert metric.metric in LABELS, metric.metric
        assert metric.labels <= LABELS[metric.metric] | SCRAPED, metric
    assert labels <= set().union(*(LABELS[metric.metric] for metric in metrics)) | SCRAPED


def test_an_unknown_metric_or_label_would_be_found() -> None:
    metrics, labels = refers(
        'sum by (x) (rate(nothing_total{y="1"}[$__rate_interval])) > on (z) up'
    )
    assert metrics == [Refers("nothing_total", {"y"}), Refers("up", set())]
    assert labels == {"x", "z"}


def test_every_metric_of_the_dashboard_s_variables_exists() -> None:
    queries = [v["query"] for v in dashboard()["templating"]["list"] if v["type"] == "query"]
    assert queries
    for query in queries:
        metric, label = re.fullmatch(r"label_values\((\w+), (\w+)\)", query).groups()  # type: ignore[union-attr]
        assert metric in LABELS
        assert label in SCRAPED | LABELS[metric]


def test_the_legends_name_existing_labels() -> None:
    for panel in dashboard()["panels"]:
        for target in panel["targets"]:
            used = set(re.findall(r"\{\{\s*(\w+)\s*\}\}", target["legendFormat"]))
            [*known] = {label for m in refers(target["expr"])[0] for label in LABELS[m.metric]}
            assert used <= {*known}, panel["title"]


def test_panels_do_not_overlap_and_have_the_fields_that_grafana_needs() -> None:
    taken: set[tuple[int, int]] = set()
    panels = dashboard()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    for panel in panels:
        assert panel["type"] in {"stat", "timeseries"}
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        assert panel["fieldConfig"]["defaults"]["unit"]
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert max(x for x, _ in cells) < 24
        assert not cells & taken, panel["title"]
        taken |= cells


@pytest.mark.parametrize("name", alerts())
def test_an_alert_says_what_is_wrong_and_what_to_do(name: str) -> None:
    rule = alerts()[name]
    assert re.fullmatch("Millirec[A-Z][A-Za-z]+", name)
    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert rule["annotations"].keys() == {"summary", "action"}
    for page, topic in re.findall(r"See docs/(\w+\.md), ([^;.]+)", rule["annotations"]["action"]):
        headings = (ROOT / "docs" / page).read_text(encoding="utf-8").lower()
        assert f"\n## {topic}\n" in headings, topic


def promtool(*arguments: str | Path) -> str:
    """The output of Prometheus' own checker, which is in Debian's package prometheus."""
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("promtool is not installed (Debian and Ubuntu: apt install prometheus)")
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_prometheus_accepts_its_configuration_and_the_alerts() -> None:
    assert f"{len(alerts())} rules found" in promtool("check", "config", PROMETHEUS)


def test_each_alert_fires_when_it_should_and_only_then() -> None:
    file = Path(__file__).with_name("alerts_test.yml")
    text = file.read_text(encoding="utf-8")
    for name in alerts():
        fired = re.search(rf"alertname: {name}\n\s+exp_alerts: \[\{{", text)
        assert fired, f"{name} fires in no test"
    assert "SUCCESS" in promtool("test", "rules", file)
