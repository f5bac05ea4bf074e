"""How other systems write an event: a table of field names.

In: nothing. Out: `PRESETS`, from which `udfs.events.resolve` makes what a decoder follows.
"""

from __future__ import annotations

from udfs.events.preset import FIELDS, Preset


def _movielens(delimiter: str, *columns: str) -> Preset:
    """MovieLens: user, item, rating from half a star to five, seconds since 1970."""
    return Preset(
        format="csv",
        delimiter=delimiter,
        quote="" if delimiter == "::" else '"',
        columns=columns,
        fields=dict(zip(("user", "item", "value", "ts"), columns, strict=True)),
        default_type="rating",
        rating_range=(0.5, 5.0),
    )


PRESETS: dict[str, Preset] = {
    "millirec": Preset(
        format="json",
        columns=FIELDS,  # for the same events as CSV
        fields={field: field for field in FIELDS},
    ),
    # https://grouplens.org/datasets/movielens/: u.data of 100K, ratings.csv, ratings.dat of 1M
    "movielens": _movielens("\t", "user", "item", "rating", "ts"),
    "movielens-csv": _movielens(",", "userId", "movieId", "rating", "timestamp"),
    "movielens-dat": _movielens("::", "UserID", "MovieID", "Rating", "Timestamp"),
    # https://gorse.io/docs/concepts/data-source: feedback
    "gorse": Preset(
        format="json",
        fields={"user": "UserId", "item": "ItemId", "type": "FeedbackType", "ts": "Timestamp"},
        types={"read": "view", "star": "like"},
    ),
    # https://github.com/metarank/metarank/blob/master/doc/event-schema.md: interaction events
    "metarank": Preset(
        format="json",
        fields={"user": "user", "item": "item", "type": "type", "ts": "timestamp", "id": "id"},
        types={"add-to-cart": "cart"},
    ),
    # https://segment.com/docs/connections/spec/ecommerce/v2/: track calls about one product
    "segment": Preset(
        format="json",
        fields={
            "user": "userId",
            "item": "properties.product_id",
            "type": "event",
            "ts": "timestamp",
            "id": "messageId",
        },
        types={
            "Product Viewed": "view",
            "Product Clicked": "click",
            "Product Added": "cart",
            "Product Added to Wishlist": "favourite",
            "Order Completed": "purchase",  # of one product; without product_id it is rejected
        },
    ),
    # https://docs.aws.amazon.com/personalize/latest/dg/interactions-datasets.html
    "personalize": Preset(
        format="csv",
        columns=("USER_ID", "ITEM_ID", "TIMESTAMP", "EVENT_TYPE", "EVENT_VALUE"),
        fields={
            "user": "USER_ID",
            "item": "ITEM_ID",
            "type": "EVENT_TYPE",
            "ts": "TIMESTAMP",
            "value": "EVENT_VALUE",
        },
    ),
    # https://www.kaggle.com/datasets/retailrocket/ecommerce-dataset: events.csv. A transaction
    # has a row per item, all with its number: that is no id of an event.
    "retail": Preset(
        format="csv",
        columns=("timestamp", "visitorid", "event", "itemid", "transactionid"),
        fields={"user": "visitorid", "item": "itemid", "type": "event", "ts": "timestamp"},
        types={"addtocart": "cart", "transaction": "purchase"},
    ),
    # https://tianchi.aliyun.com/dataset/46: user behaviour, to the hour
    "tianchi": Preset(
        format="csv",
        columns=("user_id", "item_id", "behavior_type", "user_geohash", "item_category", "time"),
        fields={"user": "user_id", "item": "item_id", "type": "behavior_type", "ts": "time"},
        types={"1": "view", "2": "favourite", "3": "cart", "4": "purchase"},
    ),
}
