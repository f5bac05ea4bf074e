"""The forms of data sets that recommenders are measured on.

In: their documentation, named above each. Out: `DATA_SETS`, part of
`udfs.events.presets.PRESETS`.
"""

from __future__ import annotations

from udfs.events.preset import Preset


def _ratings(
    columns: str, fields: tuple[str, ...], delimiter: str = ",", least: float = 1.0
) -> Preset:
    """Ratings of up to five stars as CSV; `fields` holds the columns of user, item, value, ts."""
    return Preset(
        format="csv",
        delimiter=delimiter,
        quote="" if delimiter == "::" else '"',
        columns=tuple(columns.split()),
        fields=dict(zip(("user", "item", "value", "ts"), fields, strict=True)),
        default_type="rating",
        rating_range=(least, 5.0),
    )


def _movielens(delimiter: str, *columns: str) -> Preset:
    """MovieLens: user, item, rating from half a star to five, seconds since 1970."""
    return _ratings(" ".join(columns), columns, delimiter, least=0.5)


def _reviews(user: str, item: str, value: str, ts: str, **more: str) -> Preset:
    """Reviews of one to five stars as JSON."""
    return Preset(
        format="json",
        fields={"user": user, "item": item, "value": value, "ts": ts, **more},
        default_type="rating",
        rating_range=(1.0, 5.0),
    )


DATA_SETS: dict[str, Preset] = {
    # https://grouplens.org/datasets/movielens/: u.data of 100K, ratings.csv, ratings.dat of 1M
    "movielens": _movielens("\t", "user", "item", "rating", "ts"),
    "movielens-csv": _movielens(",", "userId", "movieId", "rating", "timestamp"),
    "movielens-dat": _movielens("::", "UserID", "MovieID", "Rating", "Timestamp"),
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
    # https://rees46.com/en/datasets, on Kaggle as "eCommerce behavior data from multi category
    # store" and "eCommerce Events History in Cosmetics Shop"; a removal says nothing sure
    "rees46": Preset(
        format="csv",
        columns=(
            *("event_time", "event_type", "product_id", "category_id", "category_code", "brand"),
            *("price", "user_id", "user_session"),
        ),
        fields={
            "user": "user_id",
            "item": "product_id",
            "type": "event_type",
            "ts": "event_time",
            "session": "user_session",
        },
        only={"event_type": ("view", "cart", "purchase")},
    ),
    # https://competitions.codalab.org/competitions/11161: train-item-views.csv of the CIKM Cup
    # 2016, to the day; most sessions have no user, "NA"
    "diginetica": Preset(
        format="csv",
        delimiter=";",
        columns=("sessionId", "userId", "itemId", "timeframe", "eventdate"),
        fields={"user": "userId", "item": "itemId", "ts": "eventdate", "session": "sessionId"},
        default_type="view",
    ),
    # https://github.com/rn5l/session-rec: prepared data; a session stands for its user
    "session-rec": Preset(
        format="csv",
        delimiter="\t",
        columns=("SessionId", "ItemId", "Time"),
        fields={"user": "SessionId", "item": "ItemId", "ts": "Time"},
    ),
    # https://github.com/otto-de/recsys-dataset: a session, which stands for its user, a line
    "otto": Preset(
        format="json",
        fields={
            "user": "session",
            "item": "events[].aid",
            "type": "events[].type",
            "ts": "events[].ts",
        },
        each="events[]",
        types={"clicks": "click", "carts": "cart", "orders": "purchase"},
    ),
    # https://github.com/msnews/msnews.github.io/blob/master/assets/doc/introduction.md:
    # behaviors.tsv. The numbers of impressions begin again in each file: they are no ids.
    "mind": Preset(
        format="csv",
        delimiter="\t",
        quote="",
        columns=("impression_id", "user", "time", "history", "impressions"),
        fields={"user": "user", "item": "impressions", "type": "impressions", "ts": "time"},
        each="impressions",
        types={"0": "impression", "1": "click"},
        default_type="impression",
        time_format="%m/%d/%Y %I:%M:%S %p",
    ),
    # https://www.kaggle.com/competitions/h-and-m-personalized-fashion-recommendations/data:
    # transactions_train.csv, to the day; an item bought twice that day has two rows
    "h-and-m": Preset(
        format="csv",
        columns=("t_dat", "customer_id", "article_id", "price", "sales_channel_id"),
        fields={"user": "customer_id", "item": "article_id", "ts": "t_dat"},
        default_type="purchase",
    ),
    # https://amazon-reviews-2023.github.io/: reviews, and the ratings alone
    "amazon": _reviews("user_id", "parent_asin", "rating", "timestamp"),
    "amazon-csv": _ratings(
        "user_id parent_asin rating timestamp", ("user_id", "parent_asin", "rating", "timestamp")
    ),
    # https://nijianmo.github.io/amazon/: reviews of 2018, and the ratings alone (without a header)
    "amazon-2018": _reviews("reviewerID", "asin", "overall", "unixReviewTime"),
    "amazon-2018-csv": _ratings(
        "item user rating timestamp", ("user", "item", "rating", "timestamp")
    ),
    # http://ocelma.net/MusicRecommendationDataset/lastfm-1K.html: a track without an id is known by
    # its name
    "lastfm": Preset(
        format="csv",
        delimiter="\t",
        quote="",
        columns=("userid", "timestamp", "artid", "artname", "traid", "traname"),
        fields={"user": "userid", "item": "traid|traname", "ts": "timestamp"},
        default_type="play",
    ),
    # https://www.kaggle.com/datasets/tamber/steam-video-games: steam-200k.csv, without a header and
    # without times; the value is 1 or the hours of play
    "steam": Preset(
        format="csv",
        columns=("user-id", "game-title", "behavior-name", "value", "zero"),
        fields={"user": "user-id", "item": "game-title", "type": "behavior-name"},
    ),
    # https://mengtingwan.github.io/data/goodreads.html: interactions; 0 stars are no rating
    "goodreads": Preset(
        format="json",
        fields={"user": "user_id", "item": "book_id", "value": "rating", "ts": "date_updated"},
        default_type="rating",
        rating_range=(1.0, 5.0),
        time_format="%a %b %d %H:%M:%S %z %Y",
        only={"rating": ("1", "2", "3", "4", "5")},
    ),
    # https://www.yelp.com/dataset/documentation/main: review.json
    "yelp": _reviews("user_id", "business_id", "stars", "date", id="review_id"),
    # http://www2.informatik.uni-freiburg.de/~cziegler/BX/: BX-Book-Ratings.csv, in latin-1; 1 to
    # 10 is a rating, 0 that the user had the book
    "book-crossing": Preset(
        format="csv",
        delimiter=";",
        columns=("User-ID", "ISBN", "Book-Rating"),
        fields={
            "user": "User-ID",
            "item": "ISBN",
            "type": "Book-Rating",
            "value": "Book-Rating",
        },
        types={"0": "view"} | dict.fromkeys(map(str, range(1, 11)), "rating"),
        rating_range=(1.0, 10.0),
    ),
}
