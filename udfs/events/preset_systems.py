"""The forms in which shops, trackers and other recommenders write events.

In: their documentation, named above each. Out: `SYSTEMS`, part of `udfs.events.presets.PRESETS`.
"""

from __future__ import annotations

from udfs.events.preset import Preset

_PRODUCTS = "contexts_com_snowplowanalytics_snowplow_ecommerce_product_1[]"
_ACTION = "unstruct_event_com_snowplowanalytics_snowplow_ecommerce_snowplow_ecommerce_action_1.type"
_INSERTED = (("op", ("c", "r")), ("__op", ("c", "r")), ("__deleted", ("false",)))

SYSTEMS: dict[str, Preset] = {
    # https://gorse.io/docs/concepts/data-source: feedback
    "gorse": Preset(
        format="json",
        fields={"user": "UserId", "item": "ItemId", "type": "FeedbackType", "ts": "Timestamp"},
        types={"read": "view", "star": "like"},
    ),
    # https://github.com/metarank/metarank/blob/master/doc/event-schema.md: the user of an
    # interaction is optional, and so is its session; events of users are none. A ranking is what a
    # user was shown: an impression of each of its items, which names itself as their list. So does
    # an interaction of no ranking, where nobody reads it.
    "metarank": Preset(
        format="json",
        fields={
            "user": "user|session",
            "item": "items[].id|item",
            "type": "type",
            "ts": "timestamp",
            "id": "id",
            "rec": "ranking|id",
            "session": "session",
        },
        each="items[]",
        types={"add-to-cart": "cart"},
        default_type="impression",
        only={"event": ("interaction", "ranking")},
        kind="event",
    ),
    # https://segment.com/docs/connections/spec/ecommerce/v2/: track calls about products. Removing
    # a product, lists that are seen, carts, checkouts and coupons say nothing sure about a taste.
    "segment": Preset(
        format="json",
        fields={
            "user": "userId|anonymousId",
            "item": "properties.products[].product_id|properties.product_id",
            "type": "event",
            "ts": "timestamp|originalTimestamp",
            "value": "properties.rating",
            "id": "messageId",
        },
        each="properties.products[]",
        types={
            "Product Viewed": "view",
            "Product Clicked": "click",
            "Product Added": "cart",
            "Product Added to Wishlist": "favourite",
            "Wishlist Product Added to Cart": "cart",
            "Product Shared": "like",
            "Product Reviewed": "rating",
            "Order Completed": "purchase",
        },
        only={"type": ("track",), "event": ()},
    ),
    # https://support.google.com/analytics/answer/7029846: rows of the BigQuery export, in which
    # integers are strings; https://developers.google.com/analytics/devguides/collection/ga4/ecommerce
    # lists the events about items.
    "ga4": Preset(
        format="json",
        fields={
            "user": "user_id|user_pseudo_id",
            "item": "items[].item_id",
            "type": "event_name",
            "ts": "event_timestamp",
            "session": "ga_session_id",
        },
        each="items[]",
        types={
            "view_item": "view",
            "select_item": "click",
            "add_to_cart": "cart",
            "add_to_wishlist": "favourite",
            "purchase": "purchase",
        },
        only={"event_name": ()},
    ),
    # https://shopify.dev/docs/api/admin-rest/latest/resources/order: one order, as webhooks send it
    "shopify": Preset(
        format="json",
        fields={
            "user": "customer.id|customer.email|email",
            "item": "line_items[].product_id",
            "ts": "created_at",
            "id": "line_items[].id",
        },
        each="line_items[]",
        default_type="purchase",
    ),
    # https://docs.snowplow.io/docs/events/ootb-data/ecommerce-events/: enriched events as JSON, by
    # https://docs.snowplow.io/docs/api-reference/analytics-sdk/
    "snowplow": Preset(
        format="json",
        fields={
            "user": "user_id|domain_userid",
            "item": f"{_PRODUCTS}.id",
            "type": _ACTION,
            "ts": "derived_tstamp|collector_tstamp",
            "id": "event_id",
            "session": "domain_sessionid",
        },
        each=_PRODUCTS,
        types={
            "product_view": "view",
            "list_click": "click",
            "add_to_cart": "cart",
            "transaction": "purchase",
        },
        only={"event_name": ("snowplow_ecommerce_action",), _ACTION: ()},
    ),
    # https://debezium.io/documentation/reference/stable/connectors/postgresql.html#postgresql-events
    # and https://debezium.io/documentation/reference/stable/transformations/event-flattening.html:
    # a row that is inserted, or that was there at first, is an event; what becomes of it is none.
    "debezium": Preset(
        format="json",
        fields={
            "user": "user_id",
            "item": "item_id",
            "ts": "created_at|ts_ms",
            "id": "id",
        },
        only={f"{at}{place}": words for place, words in _INSERTED for at in ("", "payload.")},
        shape="change",
    ),
    # Kafka messages whose key is the user and whose value is the item, as plain text; in files, as
    # https://github.com/edenhill/kcat writes them with -J
    "key-value": Preset(format="json", fields={"user": "key", "item": "payload", "ts": "ts"}),
    # https://docs.aws.amazon.com/personalize/latest/dg/interactions-datasets.html; a column of the
    # sessions is read if the header has one
    "personalize": Preset(
        format="csv",
        columns=("USER_ID", "ITEM_ID", "TIMESTAMP", "EVENT_TYPE", "EVENT_VALUE"),
        fields={
            "user": "USER_ID",
            "item": "ITEM_ID",
            "type": "EVENT_TYPE",
            "ts": "TIMESTAMP",
            "value": "EVENT_VALUE",
            "session": "SESSION_ID",
        },
    ),
}
