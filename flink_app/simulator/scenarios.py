"""The worlds that there are, by name: what `--scenario` chooses.

In: a name. Out: a `Scenario`: the world's class and settings, those of the demo, what its job is
told, and the words that a terminal uses for it.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from typing import Any

import msgspec

from flink_app.simulator.settings import WorldSettings
from flink_app.simulator.shop.settings import OUTAGES, ShopSettings
from flink_app.simulator.shop.shop import Shop
from flink_app.simulator.social.settings import SocialSettings
from flink_app.simulator.social.social import Social
from flink_app.simulator.video.platform import VideoPlatform
from flink_app.simulator.video.settings import VideoSettings
from flink_app.simulator.world import World
from udfs.errors import ConfigError


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """What a terminal calls things.

    Attributes:
        place: the world, after "the". people: its users. takes, took, deed: what they do with an
            item that they like, as verbs after one user's name and as a noun.
    """

    place: str
    people: str
    takes: str
    took: str
    deed: str


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of platform.

    Attributes:
        world: makes one from its settings. settings: their class. demo: those of the demo.
        types: what any job must be told to know its event types, as for `--set`.
        options: what its job is told besides, the same as in examples/<name>/millirec.toml.
        taken: the fields of the event that a user sends who takes an item of a list.
        rate: events per second during the demo's show.
        described: settings of a world that describes its items, where nobody says otherwise.
    """

    world: Callable[[Any], World]
    settings: type[WorldSettings]
    demo: WorldSettings
    types: tuple[str, ...] = ()
    options: tuple[str, ...]
    taken: dict[str, Any]
    words: Words
    rate: float = 500.0
    described: dict[str, Any] = {}

    @property
    def choices(self) -> list[str]:
        """All that its job is told, as for `--set`."""
        return [*self.types, *self.options]

    def given(self, **chosen: Any) -> WorldSettings:
        """The settings with what was chosen; what is None or False is left as it is.

        Raises ConfigError for a value out of range, or a setting that this world does not have.
        """
        chosen = {
            name: value
            for name, value in chosen.items()
            if value is not None and value is not False  # 0 is a choice, and equals False
        }
        for name in chosen:
            if name not in self.settings.__struct_fields__:
                raise ConfigError(
                    f"The simulated {self.settings.place} has no {name}: leave --{name} out."
                )
        return self.settings(**({**self.described, **chosen} if "metadata" in chosen else chosen))


# No users arrive in a demo, because it reads the world's truth while another thread advances it;
# items may: one every two seconds of the show.
SCENARIOS: dict[str, Scenario] = {
    "shop": Scenario(
        world=Shop,
        settings=ShopSettings,
        demo=ShopSettings(
            users=600,
            items=360,
            new_users=0.0,
            new_items=0.001,
            outages=OUTAGES,
            searches=0.05,
            metadata=True,
        ),
        # The weight of a click is as high as possible below that of a purchase.
        options=(
            "events.weights.click=1.6",
            'lists.consumed_types=["click", "purchase", "dislike"]',
        ),
        taken={"type": "click"},
        words=Words(place="shop", people="shoppers", takes="clicks", took="clicked", deed="click"),
        described={"outages": OUTAGES},
    ),
    "video": Scenario(
        world=VideoPlatform,
        settings=VideoSettings,
        demo=VideoSettings(users=1000, items=1000, new_users=0.0, new_items=0.005, metadata=True),
        types=("events.weights.watch=1", "events.fractions.watch=0.2"),
        options=(
            "events.rating_neutral=3",
            "events.rating_scale=2",
            'lists.consumed_types=["watch", "rating", "dislike"]',
            "serve.page=video",
        ),
        taken={"type": "watch", "value": 0.95},
        words=Words(
            place="video platform", people="viewers", takes="watches", took="watched", deed="play"
        ),
        rate=100.0,  # what somebody watches is gone from the lists, so that they last for hours
    ),
    "social": Scenario(
        world=Social,
        settings=SocialSettings,
        # A time-lapse: posts live for five minutes.
        demo=SocialSettings(users=600, items=360, new_users=0.0, new_items=0.006, lifetime_s=300.0),
        types=("events.weights.comment=2.0", "events.weights.share=2.0"),
        options=(
            "lists.exclude_own=true",
            "social.share=0.5",
            "state.item_expiry_days=2",
            "serve.page=social",
        ),
        taken={"type": "like"},
        words=Words(
            place="social network", people="users", takes="likes", took="liked", deed="like"
        ),
        rate=200.0,  # as many new posts as each user reads
    ),
}


def scenario(name: str) -> Scenario:
    """The scenario of a name; ConfigError, with the most similar name, if there is none.

    >>> scenario("shop").words.people
    'shoppers'
    """
    found = SCENARIOS.get(name)
    if found is None:
        near = difflib.get_close_matches(name, SCENARIOS, n=1)
        hint = f"did you mean {near[0]}?" if near else f"choose one of {', '.join(SCENARIOS)}."
        raise ConfigError(f"There is no scenario {name!r}: {hint}")
    return found


def scenario_of(settings: WorldSettings) -> Scenario:
    """The scenario whose world these settings are of."""
    [found] = [one for one in SCENARIOS.values() if one.settings is type(settings)]
    return found


def open_world(settings: WorldSettings) -> World:
    """A new world of these settings, whose class says which kind it is."""
    return scenario_of(settings).world(settings)
