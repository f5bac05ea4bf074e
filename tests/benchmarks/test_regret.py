"""The measure of regret, on small shops."""

from __future__ import annotations

from functools import lru_cache

import msgspec
import numpy as np
import pytest

from benchmarks.regret import OWN, regret, variants_of, world_of
from benchmarks.served import RIVALS, Shown, Stage, Trial, run
from flink_app.simulator import ShopSettings
from flink_app.simulator.scenarios import SCENARIOS
from flink_app.simulator.video.platform import VideoPlatform

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


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_scenario_has_a_small_world_and_its_own_settings(name: str) -> None:
    assert isinstance(world_of(name, 2), SCENARIOS[name].settings)
    assert world_of(name, 2).users == 160
    settings, muted = variants_of(name)[OWN]
    assert list(settings) == ([] if name == "shop" else SCENARIOS[name].choices)
    assert muted == ()


def test_viewers_find_what_they_like_and_the_next_episode() -> None:
    settings, _ = variants_of("video")[OWN]
    stage = Stage(Trial(world=world_of("video", 1), settings=settings, blocks=30))
    shown = stage.run()
    assert {"watch", "rating", "favourite", "impression"} == shown.events.keys()
    assert regret(shown.served, shown)[0] < 0.8 * rival(shown, "popular")
    truth = stage.world.affinities(np.arange(stage.world.users))
    assert isinstance(stage.world, VideoPlatform)
    following = stage.world._now.following
    waiting = np.flatnonzero(following >= 0)
    waiting = waiting[truth[waiting, following[waiting]] > 0.8]
    own, popular = stage._lists(waiting), stage._lists(waiting, "popular")
    found, by_chance = (
        np.mean([following[user] in row for user, row in zip(waiting, lists, strict=True)])
        for lists in (own, popular)
    )
    assert len(waiting) > 20
    assert found > 0.5
    assert found > 3 * by_chance
