from __future__ import annotations

import msgspec
import numpy as np
import pytest

from flink_app.config import load
from flink_app.graph.event_settings import decode_settings
from flink_app.simulator.actions import Actions
from flink_app.simulator.item_lines import encode_item
from flink_app.simulator.scenarios import SCENARIOS
from flink_app.simulator.social import lines
from flink_app.simulator.social.names import COMMENTS, TOPICS
from flink_app.simulator.social.posts import Posts
from flink_app.simulator.truth import FACTORS
from udfs.events.decode import Decoder
from udfs.events.items import ItemReader

NOW = 1_704_067_200_000
DAY = 86_400_000.0


@pytest.fixture
def settings() -> object:
    return decode_settings(load(None, SCENARIOS["social"].choices, {}).config)


@pytest.fixture
def posts() -> Posts:
    rng = np.random.default_rng(1)
    found = Posts(rng, DAY)
    found.write(np.arange(20), rng.standard_normal((20, FACTORS)).astype(np.float32), old=True)
    return found


def test_the_job_reads_all_events_and_nothing_of_comments(settings: object) -> None:
    columns = np.array([[1, 2, 3, 4], [5, 6, 7, 8], [0, 1, 2, 3], [0, 0, 1, 1]])
    told = lines.encode(Actions(*columns), [NOW] * 4, 10, "r-")
    events = [msgspec.json.decode(line) for line in told]
    assert [event["type"] for event in events] == [*lines.KINDS]
    assert [event["id"] for event in events] == [f"r-e{n}" for n in range(10, 14)]
    assert [event.get("text") in COMMENTS for event in events] == [False, False, True, False]
    found = Decoder(settings).decode([line.decode() for line in told], NOW)  # type: ignore[arg-type]
    assert found.users == ["u1", "u2", "u3", "u4"] and not found.rejected
    assert found.weights.min() > 0


def test_the_job_reads_what_a_post_is(settings: object, posts: Posts) -> None:
    told = [encode_item(n, NOW, lines.fields(posts, n, NOW)) for n in range(20)]
    read = ItemReader(settings).decode([line.decode() for line in told], NOW)  # type: ignore[arg-type]
    assert not read.rejected and len(read.changes) == 20
    for number, change in enumerate(read.changes):
        fields = change.fields
        assert fields["provider"] == f"u{number}" and fields["categories"][0] in TOPICS
        assert fields["text"].startswith(fields["title"].removesuffix("…"))
        assert fields["published"] <= NOW < fields["expires"] <= NOW + 1.5 * DAY
        assert len(fields["tags"]) == 3
