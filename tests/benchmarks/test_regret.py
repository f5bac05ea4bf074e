"""The measure of regret, on small shops."""

from __future__ import annotations

from functools import lru_cache

import msgspec
import numpy as np
import pytest

from benchmarks.regret import regret
from benchmarks.served import RIVALS, Shown, Trial, run
from flink_app.simulator import ShopSettings

SHOP = ShopSettings(users=160, items=320, session_views=4, seed=2, traffic=0.02, new_users=0.0)
BLOCKS = 60


@lru_cache
def played(model: str, upset: float = 0.0) -> Shown:
    given = (f"lists.model={model}",)
    return run(Trial(world=SHOP, settings=given, blocks=BLOCKS, upset=upset))


def rival(shown: Shown, name: str) -> float:
    return float(regret(shown.rivals[:, RIVALS.index(name)], shown)[0])


def test_regret_of_the_best_lists_is_0_and_that_of_nothing_1() -> None:
    shown = played("ranker")
    best = shown.rivals[:, RIVALS.index("best")]
    np.testing.assert_allclose(regret(best, shown, 5), 0, atol=1e-12)
    np.testing.assert_allclose(regret(0 * best, shown, 5), 1)
    assert np.all(shown.served <= best + 1e-6)
    assert np.all(shown.rivals <= best[:, None] + 1e-6)


def test_stretches_without_lists_have_no_regret() -> None:
    blocks = np.array([0, 0, 3])
    shown = Shown(
        blocks, np.array([0.5, 0.0, 0.3]), np.full((3, 3), 0.5), {}, blocks, blocks, blocks > 0
    )
    found = regret(shown.served, shown, 4)
    np.testing.assert_allclose(found, [0.5, np.nan, np.nan, 0.4])


@pytest.mark.parametrize("model", ["ranker", "mf"])
def test_served_lists_miss_less_than_popular_ones_and_improve(model: str) -> None:
    shown = played(model)
    mine = float(regret(shown.served, shown)[0])
    assert mine < 0.85 * rival(shown, "popular") < 0.85 * rival(shown, "random")
    early, *_, late = regret(shown.served, shown, 12)
    assert late < 0.95 * early


def test_lists_follow_users_whose_tastes_change() -> None:
    calm, upset = (played("ranker", upset=share) for share in (0.0, 1.0))
    half = BLOCKS // 2
    before = calm.blocks < half
    np.testing.assert_array_equal(calm.served[before], upset.served[before])
    soon, later = regret(upset.served, upset, 12)[[6, 11]]
    assert soon > regret(calm.served, calm, 12)[6] + 0.02
    assert later < soon - 0.02


def test_muted_types_are_not_sent() -> None:
    short = Trial(world=SHOP, settings=("lists.model=mf",), blocks=3)
    assert {"impression", "dislike", "view", "click"} <= run(short).events.keys()
    muted = msgspec.structs.replace(short, muted=("dislike", "impression"))
    assert not run(muted).events.keys() & {"impression", "dislike"}
