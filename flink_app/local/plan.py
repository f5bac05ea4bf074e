"""`millirec graph`: the job's operators, read from the plan that Flink makes of the real graph.

In: a `Config`. Out: `Step`s in the order of the data, as text or as a Mermaid flowchart. Java is
started to plan the SQL; the job is not.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from flink_app.config import Config
from flink_app.console.failures import job_failed
from flink_app.graph.sources import paths_in
from udfs.errors import MillirecError

MICRO_BATCHES = "micro-batches"

WRITES = {
    "user learner": "rec:<user>, similar:<item>, popular, trending",
    "item learner": "feed:*",
    "stats": "stats",
}
"""What operators write to Redis beside the graph."""


class Step(msgspec.Struct, frozen=True):
    """An operator, or several of Flink's that are one to the reader.

    Attributes:
        parallelism: its subtasks.
        inputs: (name of an earlier step, whether its records are distributed by key).
    """

    name: str
    parallelism: int
    inputs: tuple[tuple[str, bool], ...]


def plan(config: Config) -> list[Step]:
    """The steps of the job that `config` describes.

    Raises:
        ConfigError, SourceError, ServiceError: it cannot be built. JobFailed: Flink refuses it.
    """
    from flink_app.local.gateway import JavaGateway

    with tempfile.TemporaryDirectory(prefix="millirec-") as folder:
        # The graph of any input: no line is read.
        path = Path(folder) / "events"
        path.touch() if config.job.strict else path.mkdir()
        for name in ("source", "items"):
            section = getattr(config, name)
            if section.kind in ("files", "directory"):
                paths_in(section, strict=config.job.strict)  # they are there
                given = len(section.paths) or 1
                section = msgspec.structs.replace(section, paths=[str(path)] * given)
                config = msgspec.structs.replace(config, **{name: section})
        with JavaGateway(Path(folder) / "millirec.log", lambda _: None):
            return steps(_execution_plan(config))


def _execution_plan(config: Config) -> str:
    from flink_app.graph.environment import embedded_options, environments, flink_options
    from flink_app.job import build

    state = msgspec.structs.replace(config.state, restore="")
    config = msgspec.structs.replace(config, state=state)
    try:
        stream, tables = environments(embedded_options(config) | flink_options(config))
        build(stream, tables, config)
        return str(stream.get_execution_plan())
    except MillirecError:
        raise
    except Exception as error:
        raise job_failed(str(error)) from error


def steps(execution_plan: str) -> list[Step]:
    """The steps in Flink's JSON plan: its helpers are left out, its SQL operators are one step."""
    nodes: list[dict[str, Any]] = msgspec.json.decode(execution_plan)["nodes"]
    by_id = {node["id"]: node for node in nodes}
    parallelism: dict[str, int] = {}
    inputs: dict[str, dict[str, bool]] = {}
    for node in nodes:
        name = _step_of(node["type"])
        if name is None:
            continue
        parallelism[name] = max(parallelism.get(name, 0), node["parallelism"])
        found = inputs.setdefault(name, {})
        for edge in node.get("predecessors", ()):
            before = _step_of(by_id[edge["id"]]["type"])
            if before not in (None, name):
                found[before] = found.get(before, False) or edge["ship_strategy"] == "HASH"
    return [Step(name, parallelism[name], tuple(inputs[name].items())) for name in inputs]


def _step_of(operator: str) -> str | None:
    """The step that one of Flink's operators belongs to; None for helpers.

    >>> _step_of("Source: source0[1]"), _step_of("GroupWindowAggregate[6]")
    ('source0', 'micro-batches')
    >>> _step_of("dead letters: Writer"), _step_of("user learner"), _step_of("layout: shards=1")
    ('dead letters', 'user learner', None)
    """
    if operator.startswith("layout: "):
        return None
    if operator.startswith("Source: "):
        return re.sub(r"\[\d+\]$", "", operator.removeprefix("Source: "))
    if operator == "TableToDataStream" or re.search(r"\[\d+\]$", operator):
        return MICRO_BATCHES
    return operator.partition(":")[0]


def as_text(graph: Sequence[Step]) -> str:
    """One line a step: name, subtasks, where its records come from, what it writes to Redis."""
    width = max(len(step.name) for step in graph)
    lines = []
    for step in graph:
        sources = ", ".join(name + (" by key" if keyed else "") for name, keyed in step.inputs)
        line = f"{step.name:{width}}  x{step.parallelism}"
        line += f"  <- {sources}" if sources else ""
        line += f"  -> Redis {WRITES[step.name]}" if step.name in WRITES else ""
        lines.append(line)
    return "\n".join(lines)


def as_mermaid(graph: Sequence[Step]) -> str:
    """A flowchart from left to right."""
    names = {step.name: f"n{number}" for number, step in enumerate(graph)}
    lines = ["flowchart LR"]
    lines += [f'  {names[step.name]}["{step.name} x{step.parallelism}"]' for step in graph]
    for step in graph:
        for before, keyed in step.inputs:
            arrow = "-->|by key|" if keyed else "-->"
            lines.append(f"  {names[before]} {arrow} {names[step.name]}")
    lines.append("  redis[(Redis)]")
    for step in graph:
        if step.name in WRITES:
            # Mermaid reads text as HTML.
            text = WRITES[step.name].replace("<", "#lt;").replace(">", "#gt;")
            lines.append(f'  {names[step.name]} -.->|"{text}"| redis')
    return "\n".join(lines)
