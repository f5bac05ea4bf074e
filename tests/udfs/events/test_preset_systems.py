"""What shops and trackers write besides events about items, and several items at once."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.udfs.events.test_presets import ACTION, PRODUCTS, decode
from udfs.errors import SourceError
from udfs.events.decode import Decoder, DecodeSettings
from udfs.events.resolve import resolve

ORDER: dict[str, Any] = {
    "type": "track", "event": "Order Completed", "messageId": "m", "userId": "u",
    "timestamp": "2022-08-25T12:51:36.711Z",
    "properties": {"order_id": "o", "products": [{"product_id": "p"}, {"product_id": 7}]},
}  # fmt: skip


def track(event: str, **properties: Any) -> str:
    return json.dumps(ORDER | {"event": event, "properties": properties})


def test_segment_reads_products_and_nothing_else() -> None:
    got = decode(
        "segment",
        json.dumps(ORDER),
        json.dumps({"type": "page", "anonymousId": "a", "name": "Home", "properties": {}}),
        json.dumps({"type": "screen", "userId": "u", "name": "Home"}),
        json.dumps({"type": "identify", "userId": "u", "traits": {"plan": "x"}}),
        json.dumps({"type": "group", "userId": "u", "groupId": "g"}),
        json.dumps({"type": "alias", "userId": "u", "previousId": "a"}),
        track("Signed Up"),
        track("Cart Viewed", products=[{"product_id": "p"}]),
        track("Product List Viewed", products=[{"product_id": "p"}]),
        track("Product Removed", product_id="p"),
        track("Product Reviewed", product_id="p", rating="5"),
    )
    assert (got.users, got.items) == (["u"] * 3, ["p", "7", "p"])
    assert got.ids == ["m#0", "m#1", "m"]
    assert (got.weights.tolist(), got.rejected, got.ignored) == ([4.0, 4.0, 1.0], [], 9)


def test_a_product_event_of_nobody_or_nothing_is_an_error() -> None:
    nobody = json.dumps(ORDER | {"userId": None})
    got = decode("segment", nobody, track("Product Viewed"), track("Order Completed", products=[]))
    assert [(one.index, one.element, one.reason) for one in got.rejected] == [
        (0, 0, "missing_user"), (0, 1, "missing_user"), (1, -1, "missing_item"),
        (2, -1, "missing_item"),
    ]  # fmt: skip


def test_visitors_stand_in_for_users() -> None:
    seen = json.loads(track("product viewed", product_id="p"))
    got = decode(
        "segment",
        json.dumps(seen | {"userId": "", "anonymousId": "a"}),
        json.dumps(seen | {"userId": "u", "anonymousId": "a"}),
        json.dumps({key: seen[key] for key in seen if key != "userId"} | {"anonymousId": "a"}),
    )
    assert got.users == ["a", "u", "a"]


def test_a_type_with_a_weight_counts_in_a_preset_that_does_not_know_it() -> None:
    weights = {"Song Liked": 2.0, "view": 1.0, "click": 1.0}
    decoder = Decoder(DecodeSettings(preset=resolve("segment"), weights=weights))
    lines = [track("Song Liked", product_id="s"), track("Song Skipped", product_id="s")]
    got = decoder.decode(lines, 1_790_000_000_000)
    assert (got.items, got.ignored) == (["s"], 1)


def test_metarank_reads_interactions_by_user_or_session_and_rankings_as_impressions() -> None:
    got = decode(
        "metarank",
        '{"event":"item","id":"a","timestamp":"1661431896000","item":"i","fields":[]}',
        '{"event":"user","id":"b","timestamp":"1661431896000","user":"u","fields":[]}',
        '{"event":"ranking","id":"c","timestamp":"1661431896000","user":"u","session":"s",'
        '"fields":[],"items":[{"id":"i","relevancy":2.0},{"id":"j"}]}',
        '{"event":"interaction","id":"d","ranking":"c","timestamp":"1661431896000","user":"u",'
        '"session":"s","type":"click","item":"i","fields":[]}',
        '{"event":"interaction","id":"e","timestamp":"1661431896000","user":null,"session":"s",'
        '"type":"click","item":"i"}',
        '{"event":"interaction","id":"f","timestamp":"1661431896000","type":"click","item":"i"}',
    )
    assert (got.users, got.ids) == (["u", "u", "u", "s"], ["c#0", "c#1", "d", "e"])
    assert (got.items, got.seen.tolist()) == (["i", "j", "i", "i"], [True, True, False, False])
    assert (got.column("recs")[:3], got.ignored) == (["c", "c", "c"], 2)
    assert [one.reason for one in got.rejected] == ["missing_user"]


def test_ga4_reads_each_item_of_the_events_about_items() -> None:
    def row(name: str, *items: object, **more: object) -> str:
        return json.dumps(
            {
                "event_timestamp": "1661431896711000", "event_name": name, "items": items,
                "user_id": None, "user_pseudo_id": "1.2",
            } | more
        )  # fmt: skip

    got = decode(
        "ga4",
        row("session_start"), row("page_view"), row("view_item_list", {"item_id": "a"}),
        row("purchase", {"item_id": "a"}, {"item_id": "b"}, user_id="u"),
        row("view_item", {"item_id": "c"}), row("view_item"),
    )  # fmt: skip
    assert (got.users, got.items) == (["u", "u", "1.2"], ["a", "b", "c"])
    assert (got.weights.tolist(), got.rejected, got.ignored) == ([4.0, 4.0, 0.25], [], 4)
    assert got.ts.tolist() == [1_661_431_896_711] * 3


def test_shopify_reads_the_products_of_an_order() -> None:
    order = {
        "id": 1, "email": "a@b.c", "created_at": "2022-08-25T14:51:36+02:00", "customer": None,
        "line_items": [{"id": 11, "product_id": 5}, {"id": 12, "product_id": None}],
    }  # fmt: skip
    got = decode("shopify", json.dumps(order), json.dumps(order | {"line_items": []}))
    assert (got.users, got.items, got.ids) == (["a@b.c"], ["5"], ["11"])
    assert (got.ts.tolist(), got.ignored) == ([1_661_431_896_000], 1)
    assert [(one.element, one.reason) for one in got.rejected] == [(1, "missing_item")]


def test_snowplow_reads_the_products_of_ecommerce_actions() -> None:
    def event(kind: str | None, *products: str, name: str = "snowplow_ecommerce_action") -> str:
        action = {ACTION: {"type": kind}} if kind else {}
        own = {PRODUCTS: [{"id": one} for one in products]} if products else {}
        head = {"event_name": name, "event_id": "e", "user_id": "u", "domain_userid": "d"}
        return json.dumps(head | {"derived_tstamp": "2022-08-25T12:51:36.711Z"} | action | own)

    got = decode(
        "snowplow",
        event(None, name="page_view"), event(None, name="page_ping"), event("checkout_step"),
        event("remove_from_cart", "a"), event("transaction", "a", "b"), event("product_view", "c"),
        event("add_to_cart"),
    )  # fmt: skip
    assert (got.items, got.ids) == (["a", "b", "c"], ["e#0", "e#1", "e#0"])
    assert (got.weights.tolist(), got.ignored) == ([4.0, 4.0, 0.25], 4)
    assert [one.reason for one in got.rejected] == ["missing_item"]


@pytest.mark.parametrize("preset", ["segment", "ga4", "shopify", "snowplow", "otto"])
def test_a_line_of_millirecs_own_is_no_event_of_a_preset(preset: str) -> None:
    got = decode(preset, '{"user":"u","item":"i","type":"view"}')
    assert len(got) == 0 and got.received == 1


ROW = {"id": 1, "customer": "u", "sku": "i", "bought_at": "2022-08-25T12:51:36Z"}
SOURCE = {"table": "purchases", "ts_ms": 1_661_431_896_711}
COLUMNS = {"user": "customer", "item": "sku", "ts": "bought_at|ts_ms"}


def test_rows_that_are_inserted_are_events_and_what_becomes_of_them_is_ignored() -> None:
    inserted = [{"op": op, "before": None, "after": ROW, "source": SOURCE} for op in ("c", "r")]
    inserted += [ROW, ROW | {"__op": "c", "__deleted": "false"}]
    inserted += [{"schema": {}, "payload": one} for one in inserted]
    others: list[dict[str, object]] = [
        {"op": "u", "before": ROW, "after": ROW},
        {"op": "d", "before": ROW, "after": None},
        {"op": "t", "before": None, "after": None, "source": SOURCE},
        {"op": "m", "message": {"prefix": "x", "content": ""}},
        ROW | {"__op": "u"},
        ROW | {"__deleted": "true"},
    ]
    others += [{"schema": {}, "payload": one} for one in others]
    lines = [json.dumps(one) for one in [*inserted, *others]]
    got = decode("debezium", *lines, "", fields=COLUMNS)
    assert got.rejected == [] and got.ignored == len(others) + 1
    assert (got.users, got.items, got.ids) == (["u"] * 8, ["i"] * 8, ["1"] * 8)
    assert got.ts.tolist() == [1_661_431_896_000] * 8


def test_a_row_without_a_time_is_of_the_time_of_its_change() -> None:
    row = {"customer": "u", "sku": "i", "bought_at": None}
    change = {"op": "c", "after": row, "source": SOURCE}
    flat = row | {"__source_ts_ms": SOURCE["ts_ms"]}
    lines = [json.dumps(one) for one in (change, {"payload": change}, flat, {"payload": flat})]
    assert decode("debezium", *lines, fields=COLUMNS).ts.tolist() == [SOURCE["ts_ms"]] * 4


def test_columns_that_cannot_be_told_from_the_envelope_are_refused() -> None:
    with pytest.raises(SourceError, match="'item' and 'id' are both read from 'id'"):
        resolve("debezium", fields={"item": "id"})
    with pytest.raises(SourceError, match="inside 'after' of the field 'item'"):
        resolve("debezium", fields={"item": "after"})


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"at": 20_000}, "time_out_of_range"),
        ({"sku": {"scale": 0, "value": "AQ=="}}, "wrong_type"),
    ],
)
def test_values_of_rows_are_read_as_they_stand(row: dict[str, Any], reason: str) -> None:
    """As docs/events.md says, unlike those of items."""
    fields = {"user": "customer", "item": "sku", "ts": "at"}
    after: Any = {"customer": "ann", "sku": "mug", "at": SOURCE["ts_ms"], "id": 1} | row
    change = {"op": "c", "before": None, "after": after, "source": SOURCE}
    document = change | {"after": json.dumps(after)}
    nothing = {"schema": None, "payload": None}
    flat = after | {"op": "sold", "__op": "c"}
    lines = [json.dumps(one) for one in (change, document, nothing, flat)]
    got = decode("debezium", *lines, fields=fields)
    found = [reason, "wrong_type", "missing_user"]
    assert ([bad.reason for bad in got.rejected], got.ignored) == (found, 1)
