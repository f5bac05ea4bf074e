from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest

from flink_app.simulator.social.interest import GONE
from flink_app.simulator.social.lines import KINDS
from flink_app.simulator.social.names import TOPICS
from flink_app.simulator.social.settings import SocialSettings
from flink_app.simulator.social.social import Social
from flink_app.simulator.world import Reaction
from udfs.errors import MillirecError

SMALL = SocialSettings(users=120, items=150, seed=3, traffic=0.05, new_items=0.05)


def pass_blocks(world: Social, blocks: int, began: int = SMALL.start_ms) -> list[Any]:
    """All lines of so many blocks, decoded: those of news before the events that follow."""
    now, number, told = float(began), 0, list[bytes]()
    for _ in range(blocks):
        actions = world.advance()
        times = now + np.cumsum(world.gaps(len(actions)))
        told += world.news(int(now))
        told += world.lines(actions, times.astype(int).tolist(), number, "")
        number, now = number + len(actions), float(times[-1]) if len(times) else now
    return [msgspec.json.decode(line) for line in told]


def test_the_same_settings_give_the_same_world() -> None:
    one, other = Social(SMALL), Social(SMALL)
    told = pass_blocks(one, 6)
    other.respond("u1", ["i1", "i2"])  # reading changes nothing
    assert told == pass_blocks(other, 6)
    assert told != pass_blocks(Social(msgspec.structs.replace(SMALL, seed=4)), 6)


def test_every_post_is_described_once_before_its_first_event_and_soon_over() -> None:
    world, known = Social(SMALL), dict[str, Any]()
    follows = dict[str, Any]()
    for line in pass_blocks(world, 60, SMALL.start_ms + 1):
        if line.get("kind") == "item":
            assert line["item"] not in known
            known[line["item"]] = line
        elif line.get("kind") == "profile":
            follows[line["user"]] = line["follows"]
        else:
            post = known[line["item"]]
            assert line["type"] in KINDS and post["provider"] != line["user"]
            assert post["published"] <= line["ts"]
            # Two blocks, of 50 minutes here, may begin before the world looks at the clock.
            assert line["ts"] - post["expires"] < 3 * 3_600_000
    assert len(known) == world.items > 2 * SMALL.items, "most posts are new"
    assert len(follows) == world.users
    assert 0 < world.available.sum() < world.items / 2, "most are over"


def test_in_simulated_time_a_line_says_when_a_post_is_over() -> None:
    world, known, over = Social(SMALL), set[str](), set[str]()
    for line in pass_blocks(world, 60):
        if line.get("kind") != "item":
            continue
        assert "expires" not in line, "a job that reads it would hide all"
        if line.get("available") is False:
            assert line["item"] in known - over and not line.keys() & {"title", "text"}
            over.add(line["item"])
        else:
            assert line["item"] not in known
            known.add(line["item"])
    gone = {f"i{number}" for number in np.flatnonzero(~world.available).tolist()}
    assert over == gone and len(gone) > 50


def test_the_truth_knows_what_is_over_and_whose_posts_are_own() -> None:
    world = Social(SMALL)
    pass_blocks(world, 40)
    users = np.array([0, 5, 50])
    found = world.affinities(users)
    assert found.shape == (3, world.items)
    np.testing.assert_array_equal(found[1], world.affinity("u5"))
    assert (found[:, ~world.available] == GONE).all()
    own = [world.item(f"i{n}", 0)["provider"] == "u5" for n in range(world.items)]
    assert (found[1, own] == GONE).all()
    names = [f"i{n}" for n in range(world.items)]
    chances = world.click_probability("u5", names)
    assert (chances[found[1] == GONE] == 0).all() and chances.max() > 0.1
    assert world.respond("u5", [names[n] for n in np.flatnonzero(found[1] == GONE)[:9]]) is None
    assert world.popularity.sum() == pytest.approx(1)
    np.testing.assert_array_equal(world.popularity > 0, world.available)


def test_interest_passes_with_the_hours() -> None:
    world = Social(msgspec.structs.replace(SMALL, drift=0.0))
    began = SMALL.start_ms
    world.news(began)
    before = world.affinity("u5")
    world.news(began + 3_600_000)
    after, live = world.affinity("u5"), world.available
    assert (after[live] < before[live])[before[live] > GONE].all()
    world.news(began)  # time does not go back
    np.testing.assert_array_equal(world.affinity("u5"), after)
    newest = max(range(world.items), key=lambda n: world.item(f"i{n}", 0)["published"])
    assert world.caption(f"i{newest}").endswith("min")
    assert len(world.caption("i0")) <= 8


def test_time_begins_with_the_first_news_and_ages_go_on_from_there() -> None:
    world = Social(SMALL)
    world.advance()
    late = SMALL.start_ms + 10 * 365 * 86_400_000
    told = [msgspec.json.decode(line) for line in world.news(late)]
    posts = [line for line in told if line["kind"] == "item"]
    assert len(posts) == world.items
    assert all(post["published"] <= late < post["expires"] for post in posts)


def test_tastes_can_change_abruptly_and_users_arrive() -> None:
    world = Social(msgspec.structs.replace(SMALL, new_users=0.05))
    before = world.affinity("u5")
    world.unsettle(1.0)
    there = np.isfinite(before)
    assert np.abs(world.affinity("u5")[there] - before[there]).max() > 0.2
    pass_blocks(world, 20)
    assert world.users > SMALL.users
    assert world.affinity(f"u{world.users - 1}").max() > GONE


def test_shares_make_cascades() -> None:
    world = Social(SMALL)
    told = pass_blocks(world, 60)
    shares = [line["item"] for line in told if line.get("type") == "share"]
    assert shares
    assert world._posts.shares.sum() == len(shares)
    before = world.affinity("u5")
    live = int(np.flatnonzero(before > GONE)[0])
    for kind in ("view", "share"):
        assert world.affinity("u5")[live] == before[live]
        world.heed(1, live, Reaction(0, kind))
    assert world.affinity("u5")[live] > before[live]


def test_what_a_page_shows() -> None:
    world = Social(SMALL)
    fields = world.item("i17", 86_400_000 * 20_000)
    assert fields["title"] == world.title("i17") and len(fields["title"]) <= 40
    assert fields["categories"] == [world.category("i17")] and world.category("i17") in TOPICS
    assert not world.is_new("i17")
    assert world.objections(np.random.default_rng(1), world.advance(), np.zeros(3)).sum() == 0  # type: ignore[arg-type]
    for unknown in ("i99999", "x1"):
        with pytest.raises(MillirecError, match="simulated social network has no"):
            world.title(unknown)


def test_a_single_user_has_nothing_to_read_and_the_network_goes_on() -> None:
    world = Social(msgspec.structs.replace(SMALL, users=1, items=1, new_users=0.0))
    told = pass_blocks(world, 5)
    assert {line["kind"] for line in told} == {"item", "profile"}


def test_posts_without_descriptions() -> None:
    world = Social(msgspec.structs.replace(SMALL, metadata=False))
    kinds = {msgspec.json.decode(line)["kind"] for line in world.news(SMALL.start_ms)}
    assert kinds == {"profile"}
