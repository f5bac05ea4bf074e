"""deploy/compose.yaml is a valid Compose file, bound to loopback, whose commands exist."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from compose_spec import PyCompose

from flink_app.config import load

FILE = Path(__file__).resolve().parents[2] / "deploy" / "compose.yaml"


def decoded(text: str) -> dict[str, Any]:
    return msgspec.yaml.decode(text, type=dict[str, Any])


def valid(compose: dict[str, Any]) -> None:
    """Raises ValueError if the specification does not allow it."""
    # Without merge keys, which the decoder has resolved.
    PyCompose.from_yaml(msgspec.yaml.encode(compose).decode()).validate()


def test_the_file_is_valid() -> None:
    valid(decoded(FILE.read_text()))


@pytest.mark.parametrize(
    ("right", "wrong", "named"),
    [
        ("read_only: true", "read_onli: true", "read_onli"),
        ("condition: service_healthy", "condition: service_helthy", "service_helthy"),
        ("source: alerts", "source: alertz", "alertz"),
    ],
)
def test_a_mistake_is_refused(right: str, wrong: str, named: str) -> None:
    text = FILE.read_text()
    assert right in text
    with pytest.raises(ValueError, match=named):
        valid(decoded(text.replace(right, wrong)))


def test_ports_are_published_on_loopback_only() -> None:
    services = decoded(FILE.read_text())["services"]
    published = [port for service in services.values() for port in service.get("ports", [])]
    assert len(published) == 4
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_the_environment_configures_the_job() -> None:
    given = decoded(FILE.read_text())["x-container"]["environment"]
    config = load(None, [], given).config
    assert (config.source.kind, config.source.brokers) == ("kafka", "kafka:9092")
    assert (config.job.shards, config.redis.factors) == (2, True)
