"""`millirec evaluate --policy`: what other orders of the lists would have been worth.

In: what the ranker ranked (`ranker.log`), names of policies. Out: a table on standard error, and
figures as JSON, on standard output or in a file.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from flink_app.config.writable import require_file, write_file
from flink_app.evaluate.off_policy import Estimate, Estimates, estimates
from flink_app.evaluate.rankings import places, read
from udfs.errors import ConfigError

COLUMNS = ("ips", "snips", "dr")


def compare(
    files: Sequence[Path], policies: Sequence[str], patience: float, out: Path | None
) -> None:
    """Estimate the clicks per list of each policy.

    Args:
        patience: how likely whoever looks at a place looks at the next one, above 0, at most 1.
        out: where the JSON goes; None: to standard output.

    Raises:
        ConfigError: the files are no log of the ranker, or a policy is none.
    """
    if not 0 < patience <= 1:
        raise ConfigError(f"--patience is {patience}: it must be above 0, and at most 1")
    require_file(out, "--out")
    rankings, found = read(files), dict[str, Estimates]()
    for policy in policies:
        found[policy] = estimates(rankings.log, places(rankings, policy), patience)
    lists = len(rankings.log.users)
    Console(stderr=True).print(_table(found, lists))
    figures = {"lists": lists, "patience": patience, "policies": _figures(found)}
    text = msgspec.json.format(msgspec.json.encode(figures), indent=2)
    if out is None:
        print(text.decode())
    else:
        write_file(out, text + b"\n")


def _table(found: dict[str, Estimates], lists: int) -> Table:
    table = Table(title=f"clicks per list, {lists:,} lists", box=SIMPLE, padding=0, show_edge=False)
    for name in ("policy", *COLUMNS, "known"):
        table.add_column(name, justify="left" if name == "policy" else "right", no_wrap=True)
    for policy, one in found.items():
        cells = [_cell(getattr(one, name)) for name in COLUMNS]
        table.add_row(policy, *cells, f"{one.known:.0%}")
    logged = next(iter(found.values())).logged
    table.caption = f"as served: {_cell(logged)}"
    return table


def _cell(one: Estimate) -> str:
    return f"{one.value:.4f} ± {one.high - one.value:.4f}"


def _figures(found: dict[str, Estimates]) -> dict[str, Any]:
    return {
        policy: {
            name: value._asdict() if isinstance(value, Estimate) else value
            for name, value in one._asdict().items()
        }
        for policy, one in found.items()
    }
