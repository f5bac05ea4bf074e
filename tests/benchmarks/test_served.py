"""What a trial tells the learner of posts and of whom users follow, and what lists then have."""

from __future__ import annotations

import numpy as np

from benchmarks.regret import regret
from benchmarks.served import RIVALS, Stage, Trial, run
from flink_app.simulator.scenarios import SCENARIOS
from flink_app.simulator.social.interest import GONE
from flink_app.simulator.social.settings import SocialSettings

WORLD = SocialSettings(
    users=160, items=240, session_views=4, seed=2, traffic=0.1, new_items=0.08, new_users=0.0
)
CHOICES = tuple(SCENARIOS["social"].choices)


def test_lists_have_no_post_that_is_over_or_own_and_followers_get_what_is_followed() -> None:
    stage = Stage(Trial(world=WORLD, settings=CHOICES))
    everybody = np.arange(WORLD.users)
    for block in range(25):
        stage._play(block)
    stage._tell(stage.world.news(int(stage._now)), int(stage._now))
    truth = stage.world.affinities(everybody)
    lists = stage._lists(everybody)
    assert min(map(len, lists)) == 10
    assert all((truth[user, listed] > GONE).all() for user, listed in enumerate(lists))
    follows = stage.learner.models.social.follows.of
    assert len(follows) == WORLD.users
    authors = [[stage.world.item(f"i{item}", 0)["provider"] for item in listed] for listed in lists]
    users = stage.learner.users
    hits = [
        sum(f"author:{author}" in follows[users.find(f"u{user}")] for author in of)
        for user, of in enumerate(authors)
    ]
    assert np.mean(hits) > 2, "two places of ten at least"


def test_without_the_option_authors_see_their_own_posts() -> None:
    types = tuple(SCENARIOS["social"].types)
    stage = Stage(Trial(world=WORLD, settings=types))
    for block in range(25):
        stage._play(block)
    lists = stage._lists(np.arange(WORLD.users))
    own = [
        stage.world.item(f"i{item}", 0)["provider"] == f"u{user}"
        for user, listed in enumerate(lists)
        for item in listed
    ]
    assert any(own)


def test_posts_that_are_served_miss_less_than_popular_ones() -> None:
    shown = run(Trial(world=WORLD, settings=CHOICES, blocks=60))
    mine = float(regret(shown.served, shown)[0])
    rivals = [float(regret(shown.rivals[:, k], shown)[0]) for k in range(len(RIVALS))]
    popular, random = rivals[RIVALS.index("popular")], rivals[RIVALS.index("random")]
    assert mine < 0.85 * min(popular, random)
    assert np.all(shown.served <= shown.rivals[:, RIVALS.index("best")] + 1e-6)
