from __future__ import annotations

import json

import numpy as np

from flink_app.simulator.item_lines import encode_item
from flink_app.simulator.shop.assortment import Catalogue
from flink_app.simulator.shop.descriptions import Telling, fields


def test_an_item_event_has_the_documented_fields() -> None:
    catalogue = Catalogue(np.random.default_rng(5), 30, 0.8)
    event = json.loads(encode_item(13, 99, fields(catalogue, 13, 88, Telling(True, True))))
    assert " ".join(event) == (
        "kind item ts title text categories tags price currency provider available published "
        "attributes image vector"
    )
    assert (event["kind"], event["item"], event["ts"]) == ("item", "i13", 99)
    assert event["categories"] == ["garden"]
    assert event["title"].startswith(event["provider"])
    assert len(event["vector"]) == 16
    assert fields(catalogue, 13, 88).keys().isdisjoint({"image", "vector"})
