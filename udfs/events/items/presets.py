"""How shops, feeds, databases and data sets write what they say of an item.

In: their documentation, named above each. Out: `ITEM_PRESETS`, by name.
"""

from __future__ import annotations

from msgspec.structs import replace

from udfs.events.item_preset import OWN, ItemPreset

_GENRES = (
    *("Action", "Adventure", "Animation", "Children's", "Comedy", "Crime", "Documentary", "Drama"),
    *("Fantasy", "Film-Noir", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi", "Thriller"),
    *("War", "Western"),
)
_WORDS = {"categories": "|", "tags": "|"}

_MOVIES = ItemPreset(
    format="csv",
    more=(),
    split=_WORDS,
    none=("unknown", "(no genres listed)"),
)

# https://support.google.com/merchants/answer/7052112: product data specification. In a text feed
# an attribute may be written with blanks or underscores.
_GOOGLE = ItemPreset(
    format="csv",
    delimiter="",
    fields={
        "item": "id",
        "title": "title",
        "text": "description",
        "categories": "product_type|product type|google_product_category|google product category",
        "price": "sale_price|sale price|price",
        "provider": "brand",
        "image": "image_link|image link",
        "available": "availability",
        "expires": "expiration_date|expiration date",
    },
    more=(
        *("color", "size", "gender", "age_group", "material", "pattern", "condition", "link"),
        *("item_group_id", *(f"custom_label_{number}" for number in range(5))),
    ),
    split={"categories": ">"},
    html=True,
)


def _attribute(name: str) -> str:
    """Where Google's Content API, and its successor in two versions, have an attribute."""
    return f"{name}|productAttributes.{name}|attributes.{name}"


# https://help.shopify.com/en/manual/products/import-export/using-csv: one row for each variant and
# image of a product, of which the first has its title; Handle is its name in addresses.
_SHOPIFY_CSV = ItemPreset(
    format="csv",
    fields={
        "item": "Handle|URL handle",
        "title": "Title",
        "text": "Body (HTML)|Description",
        "categories": "Type|Product Category",
        "tags": "Tags",
        "price": "Variant Price|Price",
        "provider": "Vendor",
        "image": "Image Src|Product image URL",
        "hidden": "!Status|!Published|!Published on online store",
    },
    more=("Option1 Name", "Option1 Value", "Option2 Name", "Option2 Value"),
    filled="Title",
    split={"categories": ">", "tags": ","},
    html=True,
)

# https://shopify.dev/docs/api/admin-rest/latest/resources/product: as webhooks and /products.json
# send it
_SHOPIFY = ItemPreset(
    each="products",
    fields={
        "item": "id",
        "ts": "updated_at",
        "title": "title",
        "text": "body_html",
        "categories": "product_type",
        "tags": "tags",
        "price": "variants[].price",
        "provider": "vendor",
        "image": "image.src|images[].src",
        "available": "variants[*].available|variants[*].inventory_quantity",
        "hidden": "!status",
        "published": "published_at",
    },
    more=("handle",),
    split={"tags": ","},
    html=True,
)

# https://github.com/woocommerce/woocommerce/wiki/Product-CSV-Import-Schema: variations have a
# parent; terms are between commas, their levels between >.
_WOOCOMMERCE_CSV = ItemPreset(
    format="csv",
    fields={
        "item": "ID|SKU",
        "title": "Name",
        "text": "Description|Short description",
        "categories": "Categories",
        "tags": "Tags",
        "price": "Sale price|Regular price",
        "provider": "Brands",
        "image": "Images",
        "available": "In stock?",
        "hidden": "!Published",
    },
    more=("SKU", "Visibility in catalog"),
    filled="!Parent",
    split={"categories": ",>", "tags": ",", "image": ","},
    html=True,
)

# https://woocommerce.github.io/woocommerce-rest-api-docs/#products: as webhooks send it
_WOOCOMMERCE = ItemPreset(
    fields={
        "item": "id",
        "ts": "date_modified_gmt|date_created_gmt",
        "title": "name",
        "text": "description|short_description",
        "categories": "categories",
        "tags": "tags",
        "price": "price",
        "provider": "brands[].name",
        "image": "images[].src",
        "available": "stock_status",
        "hidden": "!status",
    },
    more=("sku", "catalog_visibility"),
    html=True,
)

ITEM_PRESETS: dict[str, ItemPreset] = {
    "millirec": replace(OWN, split={}),
    # https://grouplens.org/datasets/movielens/100k/: u.item; a flag for each genre
    "movielens": replace(
        _MOVIES,
        delimiter="|",
        quote="",
        encoding="latin-1",
        header="no",
        columns=("item", "title", "published", "video", "url", "unknown", *_GENRES),
        fields={"item": "item", "title": "title", "published": "published"},
        flags=_GENRES,
    ),
    # https://files.grouplens.org/datasets/movielens/ml-1m-README.txt: movies.dat
    "movielens-dat": replace(
        _MOVIES,
        delimiter="::",
        quote="",
        encoding="latin-1",
        header="no",
        columns=("MovieID", "Title", "Genres"),
        fields={"item": "MovieID", "title": "Title", "categories": "Genres"},
    ),
    # https://files.grouplens.org/datasets/movielens/ml-latest-README.html: movies.csv
    "movielens-csv": replace(
        _MOVIES,
        columns=("movieId", "title", "genres"),
        fields={"item": "movieId", "title": "title", "categories": "genres"},
    ),
    # https://gorse.io/docs/concepts/data-source: items; labels are a list or an object
    "gorse": ItemPreset(
        fields={
            "item": "ItemId",
            "title": "Comment",
            "categories": "Categories",
            "tags": "Labels",
            "hidden": "IsHidden",
            "published": "Timestamp",
        },
        more=(),
    ),
    # https://github.com/metarank/metarank/blob/master/doc/event-schema.md: item metadata event
    "metarank": ItemPreset(
        fields={"item": "item", "ts": "timestamp"},
        only={"event": ("item",)},
        shape="named",
    ),
    "shopify": _SHOPIFY,
    "shopify-csv": _SHOPIFY_CSV,
    "woocommerce": _WOOCOMMERCE,
    "woocommerce-csv": _WOOCOMMERCE_CSV,
    "google": _GOOGLE,
    # https://developers.google.com/shopping-content/reference/rest/v2.1/products and
    # https://developers.google.com/merchant/api/reference/rest/products_v1/accounts.products
    "google-json": ItemPreset(
        each="resources",
        fields={
            "item": "offerId|id",
            "title": _attribute("title"),
            "text": _attribute("description"),
            "categories": f"{_attribute('productTypes')}|{_attribute('googleProductCategory')}",
            "price": f"{_attribute('salePrice')}|{_attribute('price')}",
            "provider": _attribute("brand"),
            "image": _attribute("imageLink"),
            "available": _attribute("availability"),
            "expires": _attribute("expirationDate"),
        },
        more=("color", "gender", "ageGroup", "material", "condition", "link", "itemGroupId"),
        split={"categories": ">"},
        html=True,
    ),
    # https://debezium.io/documentation/reference/stable/connectors/postgresql.html#postgresql-events
    # and https://debezium.io/documentation/reference/stable/transformations/event-flattening.html;
    # Oracle has columns in capitals, MongoDB an _id
    "debezium": ItemPreset(
        fields={"item": "id|_id|ID", "deleted": "deleted|is_deleted|deleted_at"}, shape="change"
    ),
    # https://amazon-reviews-2023.github.io/: item metadata; and the fields of
    # https://nijianmo.github.io/amazon/, whose prices hold all kinds of text
    "amazon": ItemPreset(
        fields={
            "item": "parent_asin|asin",
            "title": "title",
            "text": "description|features|feature",
            "categories": "categories|category|main_category|main_cat",
            "price": "price",
            "provider": "store|brand",
            "image": "images[].large|imageURLHighRes[]|imageURL[]",
        },
        more=("average_rating", "rating_number"),
        loose=("price",),
        html=True,
    ),
}
"""How lines about items are read, by name."""
