"""What a restored job's items are, read as user learners read them: from the feed in Redis."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from flink_app.config import Config
from udfs.feed.reader import FeedReader
from udfs.memory.catalogue import Catalogue
from udfs.memory.users import Users
from udfs.options.rules import Rule
from udfs.ranking.recommender import Recommender
from udfs.stores.redis_feed import RedisFeed
from udfs.stores.redis_writer import RedisSettings, RedisWriter


def in_state(
    url: str, dimensions: int = 32, shards: int = 2, rules: Sequence[Rule] = ()
) -> Recommender:
    """The items as the item learners have published them from restored state."""
    catalogue = Catalogue(dimensions, 1, 1000)
    settings = replace(Config().settings, rules=[*rules])
    models = Recommender(settings, catalogue, Users(dimensions, 1, 10, 10))
    feed = RedisFeed(RedisWriter(RedisSettings(url)), "")
    FeedReader(feed, shards, False, 30.0).start(models)
    return models


def counted(models: Recommender) -> tuple[dict[str, int], set[tuple[str, str]]]:
    """Events by item, and (item, item) that were taken together."""
    catalogue, neighbours = models.catalogue, models.neighbours
    living = catalogue.living_slots()
    events = dict(zip(catalogue.names(living), catalogue.events[living].tolist(), strict=True))
    pairs = {
        (str(catalogue.ids[slot]), str(catalogue.ids[other]))
        for slot in living.tolist()
        for other in neighbours.get_row(slot).slots.tolist()
    }
    return events, pairs


def together(events: list[dict[str, str]]) -> set[tuple[str, str]]:
    """Pairs of different items of a user: fewer than `item_cf.neighbours` for each item, and no
    user has more than `item_cf.window`."""
    taken: dict[str, dict[str, None]] = {}
    for each in events:
        taken.setdefault(each["user"], {})[each["item"]] = None
    assert max(map(len, taken.values())) <= Config().item_cf.window
    return {(a, b) for items in taken.values() for a in items for b in items if a != b}
