"""Writes the table of metrics into docs/monitoring.md.

In: `flink_app.monitoring.metrics`. Out: the file, with the table between its marks renewed, by
`python -m flink_app.monitoring.render`.
"""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

from flink_app.monitoring.flink_metrics import FLINK
from flink_app.monitoring.metrics import LEFT_OUT, METRICS

FILE = Path(__file__).parents[2] / "docs" / "monitoring.md"


def markdown() -> str:
    """The table of metrics, the fields that are not a metric, and Flink's own counters."""
    parts = ["| metric | type | labels | what | from `stats` |\n|---|---|---|---|---|\n"]
    for name, rows in groupby(METRICS, key=lambda metric: metric.name):
        same = list(rows)
        labels = ", ".join(f"`{label}`" for label in same[0].label_names)
        sources = ", ".join(f"`{row.source}`" for row in same if row.source) or "the exporter"
        parts.append(f"| `{name}` | {same[0].kind} | {labels} | {same[0].help} | {sources} |\n")
    parts.append("\nFields of `stats` that are not a metric:\n\n| field | instead |\n|---|---|\n")
    parts += [f"| `{field}` | {why} |\n" for field, why in LEFT_OUT.items()]
    parts.append(
        "\nFlink's own metrics, from its reporter:\n\n| metric | operator | what |\n|---|---|---|\n"
    )
    parts += [f"| `{name}` | {operator} | {what} |\n" for name, (operator, what) in FLINK.items()]
    return "".join(parts)


def renewed(document: str) -> str:
    """The document with the table between its marks brought up to date."""
    start, end = "<!-- metrics -->\n", "<!-- /metrics -->"
    head, _, rest = document.partition(start)
    return f"{head}{start}\n{markdown()}\n{end}{rest.partition(end)[2]}"


if __name__ == "__main__":
    FILE.write_text(renewed(FILE.read_text(encoding="utf-8")), encoding="utf-8")
