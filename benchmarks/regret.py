"""`python -m benchmarks.regret`: what the served lists miss, on a platform whose truth is known.

In: options. Out: a table, and `benchmarks/out/regret.json`, of another scenario than the shop
`regret-<scenario>.json`. Regret is 1 − the expected clicks of the served lists / those of the best
lists, which hold each user's unseen items with the highest true affinity at that moment. 0 is
perfect.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from benchmarks.served import RIVALS, Shown, Trial, run
from flink_app.config import Config
from flink_app.simulator.scenarios import SCENARIOS, scenario
from flink_app.simulator.settings import WorldSettings
from udfs.options.sources import models

OUT = Path(__file__).parent / "out"
STRETCHES = 20
_POSITIVE = ("view", "click", "cart", "purchase")


_OWN = {kind: weight for kind, weight in Config().events.weights.items() if weight}


def _weights(**weights: float) -> tuple[str, ...]:
    return tuple(f"events.weights.{kind}={weight}" for kind, weight in weights.items())


OWN = "own weights"
Variants = dict[str, tuple[tuple[str, ...], tuple[str, ...]]]
SHOP: Variants = {
    OWN: ((), ()),
    "half of them": (_weights(**{kind: weight / 2 for kind, weight in _OWN.items()}), ()),
    "twice as much": (_weights(**{kind: weight * 2 for kind, weight in _OWN.items()}), ()),
    "1 for every liking": (_weights(**dict.fromkeys(_POSITIVE, 1.0)), ()),
    "1 for every type": (
        _weights(**dict.fromkeys((*_POSITIVE, "dislike", "impression"), 1.0)),
        (),
    ),
    "dislikes ignored": ((), ("dislike",)),
    "impressions ignored": ((), ("impression",)),
    "impressions −0.05": (_weights(impression=-0.05), ()),
    "impressions consume": (
        ('lists.consumed_types=["view", "click", "cart", "purchase", "dislike", "impression"]',),
        (),
    ),
}
"""Treatments of event types: settings on top of the defaults, and the types that are not sent. A
shop needs no settings; other scenarios begin with their own."""
_VIDEO = scenario("video")
VIDEO: Variants = {
    OWN: (tuple(_VIDEO.choices), ()),
    "every watch the same": ((_VIDEO.types[0], *_VIDEO.options), ()),
    "watches alone": (tuple(_VIDEO.choices), ("rating", "favourite")),
}
_SOCIAL = scenario("social")
SOCIAL: Variants = {
    OWN: (tuple(_SOCIAL.choices), ()),
    "nobody is followed": ((*_SOCIAL.choices, "social.share=0"), ()),
    "every fifth place": ((*_SOCIAL.choices, "social.share=0.2"), ()),
    "a half-life of an hour": ((*_SOCIAL.choices, "model.popularity_half_life_s=3600"), ()),
    "own posts too": ((*_SOCIAL.choices, "lists.exclude_own=false"), ()),
}
VARIANTS: dict[str, Variants] = {"shop": SHOP, "video": VIDEO, "social": SOCIAL}
MODELS = ("ranker", *models())
COMPARED = ("ranker", "item-cf", "mf")
"""Models that are run with the first variants; others run only with millirec's own weights, and
the remaining variants only with the ranker."""
_FIRST = (
    OWN,
    "half of them",
    "twice as much",
    "1 for every liking",
    "dislikes ignored",
    "impressions ignored",
)


_SMALL: dict[str, Any] = {"users": 160, "items": 400, "traffic": 0.02, "new_users": 0.001}
_OWN_SETTINGS: dict[str, dict[str, Any]] = {
    "shop": {"session_views": 4},
    "social": {"session_views": 4, "items": 240, "traffic": 0.1, "new_items": 0.08},
}


def world_of(name: str, seed: int) -> WorldSettings:
    """A small world: in a shop, 20 sessions of 4 views per block, 11 days of simulated time in 100
    blocks; on a social network five times the life of a post."""
    return scenario(name).settings(**{**_SMALL, **_OWN_SETTINGS.get(name, {})}, seed=seed)


def variants_of(name: str) -> Variants:
    """What is compared: for a scenario without variants of its own, its settings alone."""
    return VARIANTS.get(name) or {OWN: (tuple(scenario(name).choices), ())}


def regret(
    got: NDArray[np.float64], shown: Shown, stretches: int = 1, blocks: int | None = None
) -> NDArray[np.float64]:
    """1 − Σ got / Σ best in each stretch of the blocks: float64[stretches], NaN without lists.

    Args:
        got: float64[n], expected clicks of n lists. blocks: their number, by default up to the
            last one with lists in `shown`.
    """
    total = blocks or int(shown.blocks.max()) + 1
    at = shown.blocks * stretches // total
    best = np.bincount(at, shown.rivals[:, RIVALS.index("best")], stretches)
    earned = np.bincount(at, got, stretches)
    return np.where(best > 0, 1 - earned / np.where(best > 0, best, 1.0), np.nan)


def _one(job: tuple[str, str, Trial]) -> dict[str, Any]:
    variant, model, trial = job
    shown = run(trial)
    curve = regret(shown.served, shown, STRETCHES, trial.blocks)
    rivals = {name: regret(shown.rivals[:, k], shown)[0] for k, name in enumerate(RIVALS)}
    return {
        "variant": variant,
        "model": model,
        "seed": trial.world.seed,
        "regret": round(float(regret(shown.served, shown)[0]), 5),
        "curve": np.round(curve, 4).tolist(),
        "rivals": {name: round(float(value), 5) for name, value in rivals.items()},
        "lists": len(shown.served),
        "events": shown.events,
    }


def main() -> None:
    """Run, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenario", choices=[*SCENARIOS], default="shop")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--blocks", type=int, default=100, help="20 lists each")
    parser.add_argument(
        "--upset", type=float, default=0.5, help="share of users who change half-way"
    )
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    options = parser.parse_args()
    jobs = [
        (
            variant,
            model,
            Trial(
                world=world_of(options.scenario, seed),
                settings=(*settings, f"lists.model={model}"),
                muted=muted,
                blocks=options.blocks,
                upset=options.upset,
            ),
        )
        for variant, (settings, muted) in variants_of(options.scenario).items()
        for model in _models(variant)
        for seed in range(1, options.seeds + 1)
    ]
    with ProcessPoolExecutor(options.processes) as pool:
        runs = []
        for row in pool.map(_one, jobs):
            runs.append(row)
            print(
                f"{len(runs)} of {len(jobs)}: {row['variant']}, {row['model']}, {row['regret']}",
                file=sys.stderr,
            )
    OUT.mkdir(exist_ok=True)
    figures = {"options": vars(options), "runs": runs}
    suffix = "" if options.scenario == "shop" else f"-{options.scenario}"
    written = OUT / f"regret{suffix}.json"
    written.write_text(json.dumps(figures, indent=1) + "\n")
    report(runs)
    print(f"written: {written}")


def _models(variant: str) -> tuple[str, ...]:
    return MODELS if variant == OWN else COMPARED if variant in _FIRST else MODELS[:1]


def _deviation(values: NDArray[np.float64]) -> float:
    return float(values.std(ddof=1)) if len(values) > 1 else 0.0


def _spread(values: NDArray[np.float64]) -> str:
    return f"{values.mean():.3f} ± {_deviation(values):.3f}"


def report(runs: list[dict[str, Any]]) -> None:
    """Print means and standard deviations over seeds as a table."""
    console = Console()

    def of(variant: str, model: str, field: str = "regret") -> NDArray[np.float64]:
        rows = [r for r in runs if (r["variant"], r["model"]) == (variant, model)]
        return np.array([row[field] for row in sorted(rows, key=lambda row: row["seed"])])

    table = Table(title="regret of the served lists; below: difference from own weights")
    table.add_column("", no_wrap=True)
    for model in MODELS:
        table.add_column(model, justify="right")
    for variant in dict.fromkeys(row["variant"] for row in runs):
        cells = []
        for model in MODELS:
            found, own = of(variant, model), of(OWN, model)
            text = _spread(found) if len(found) else ""
            if len(found) and variant != OWN:
                text += f"\n{found.mean() - own.mean():+.3f} ± {_deviation(found - own):.3f}"
            cells.append(text)
        table.add_row(variant, *cells)
    console.print(table)
    rivals = [row["rivals"] for row in runs if (row["variant"], row["model"]) == (OWN, "ranker")]
    for name in RIVALS:
        console.print(f"{name}: {_spread(np.array([row[name] for row in rivals]))}")
    console.print(f"over time, {STRETCHES} stretches, own weights:")
    for model in MODELS:
        curve = np.nanmean(np.array(of(OWN, model, "curve"), np.float64), axis=0)
        console.print(f"{model:8}", " ".join(f"{value:.2f}"[1:] for value in curve))


if __name__ == "__main__":
    main()
