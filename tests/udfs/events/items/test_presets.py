"""An example of each preset's lines, as its documentation shows them, becomes the item it means."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from udfs.events.items import ItemReader, ReadItems
from udfs.events.items.presets import ITEM_PRESETS
from udfs.events.items.resolve import resolve_items
from udfs.events.resolve import resolve
from udfs.events.settings import DecodeSettings

NOW = 1_764_000_000_000


def read(preset: str, *lines: Any, file: Path | None = None) -> ReadItems:
    settings = DecodeSettings(
        preset=resolve("millirec"), weights={"click": 1.0}, items=resolve_items(preset)
    )
    texts = [one if isinstance(one, str) else json.dumps(one) for one in lines]
    files = [str(file)] * len(texts) if file else ()
    return ItemReader(settings).decode(texts, NOW, files)


def table(tmp_path: Path, preset: str, *lines: str) -> ReadItems:
    file = tmp_path / "items.csv"
    file.write_text("".join(f"{line}\n" for line in lines))
    return read(preset, *lines, file=file)


def items(found: ReadItems) -> dict[str, dict[str, Any]]:
    assert not found.rejected, found.rejected
    return {change.item: change.fields for change in found.changes}


def test_movielens() -> None:
    genres = "0|0|0|1|1|1" + "|0" * 13
    toy = f"1|Toy Story (1995)|01-Jan-1995||http://us.imdb.com/M?Toy|{genres}"
    none = "267|unknown||||1" + "|0" * 18
    assert items(read("movielens", toy, none)) == {
        "1": {
            "title": "Toy Story (1995)",
            "published": 788_918_400_000,
            "categories": ["Animation", "Children's", "Comedy"],
        },
        "267": {"title": "unknown", "categories": None},
    }
    dat = read("movielens-dat", "1::Toy Story (1995)::Animation|Comedy")
    assert items(dat)["1"] == {"title": "Toy Story (1995)", "categories": ["Animation", "Comedy"]}


def test_movies_csv_is_read_by_its_header(tmp_path: Path) -> None:
    rows = ("movieId,title,genres", '4,"Kid, The (1921)",Comedy', "5,X,(no genres listed)")
    found = table(tmp_path, "movielens-csv", *rows)
    assert items(found) == {
        "4": {"title": "Kid, The (1921)", "categories": ["Comedy"]},
        "5": {"title": "X", "categories": None},
    }
    assert found.ignored == 1


def test_gorse() -> None:
    item = {
        "ItemId": "300",
        "IsHidden": True,
        "Categories": ["thriller"],
        "Timestamp": "2024-05-01T12:00:00Z",
        "Labels": ["90s", "blue"],
        "Comment": "Heat",
    }
    assert items(read("gorse", item))["300"] == {
        "title": "Heat",
        "categories": ["thriller"],
        "tags": ["90s", "blue"],
        "hidden": True,
        "published": 1_714_564_800_000,
    }
    named = items(read("gorse", item | {"Labels": {"genre": ["a"]}}))["300"]
    assert (named.get("tags"), named["attributes"]) == (None, {"genre": ["a"]})


def test_metarank() -> None:
    event = {
        "event": "item",
        "id": "81f46c34",
        "timestamp": "1599391467000",
        "item": "item1",
        "fields": [
            {"name": "title", "value": "You favourite cat"},
            {"name": "color", "value": ["white", "black"]},
            {"name": "is_cute", "value": True},
        ],
    }
    found = read("metarank", event, {"event": "user", "user": "ann"})
    assert items(found)["item1"] == {
        "title": "You favourite cat",
        "attributes": {"color": ["white", "black"], "is_cute": True},
    }
    assert (found.changes[0].ts, found.ignored) == (1_599_391_467_000, 1)


PRODUCT = {
    "id": 632910392,
    "title": "IPod Nano",
    "body_html": "<p>It's <b>small</b> &amp; light</p>",
    "vendor": "Apple",
    "product_type": "Players",
    "updated_at": "2024-05-01T12:00:00-04:00",
    "published_at": "2007-12-31T19:00:00-05:00",
    "handle": "ipod-nano",
    "status": "active",
    "tags": "Emotive, Music",
    "variants": [
        {"price": "199.00", "inventory_quantity": 0},
        {"price": "249.00", "inventory_quantity": 3},
    ],
    "images": [{"src": "https://cdn.example/ipod.png"}],
    "image": None,
}


def test_shopify() -> None:
    ipod = items(read("shopify", PRODUCT))["632910392"]
    assert ipod == {
        "title": "IPod Nano",
        "text": "It's small & light",
        "categories": ["Players"],
        "tags": ["Emotive", "Music"],
        "price": 199.0,
        "provider": "Apple",
        "image": "https://cdn.example/ipod.png",
        "available": True,
        "hidden": False,
        "published": 1_199_145_600_000,
        "attributes": {"handle": "ipod-nano"},
    }
    whole = read("shopify", {"products": [PRODUCT, PRODUCT | {"id": 2, "status": "draft"}]})
    assert [change.item for change in whole.changes] == ["632910392", "2"]
    assert whole.changes[1].fields["hidden"] is True


def test_shopify_csv_has_further_rows_for_variants_and_images(tmp_path: Path) -> None:
    found = table(
        tmp_path,
        "shopify-csv",
        "Handle,Title,Body (HTML),Vendor,Product Category,Type,Tags,Published,Option1 Name,"
        "Option1 Value,Variant Price,Image Src,Status",
        'tee,Example T-Shirt,<p>Soft</p>,Acme,Apparel > Shirts,,"men, cotton",true,Size,S,19.99,'
        "https://cdn.example/tee.jpg,active",
        "tee,,,,,,,,,M,21.99,https://cdn.example/other.jpg,",
    )
    assert items(found)["tee"] == {
        "title": "Example T-Shirt",
        "text": "Soft",
        "categories": ["Apparel", "Shirts"],
        "tags": ["men", "cotton"],
        "price": 19.99,
        "provider": "Acme",
        "image": "https://cdn.example/tee.jpg",
        "hidden": False,
        "attributes": {"Option1 Name": "Size", "Option1 Value": "S"},
    }
    assert (len(found.changes), found.ignored) == (1, 2)


def test_woocommerce(tmp_path: Path) -> None:
    found = table(
        tmp_path,
        "woocommerce-csv",
        "ID,Type,SKU,Name,Published,Visibility in catalog,Short description,In stock?,Sale price,"
        "Regular price,Categories,Tags,Images,Parent",
        '44,"variable",V-1,Hoodie,1,visible,Warm,1,,45,"Clothing > Hoodies, Sale",warm,'
        '"https://a/1.jpg, https://a/2.jpg",',
        '45,"variation, virtual",V-2,Hoodie - red,1,visible,,0,,45,,,,id:44',
        "46,simple,S-1,Cap,-1,visible,,0,16,18,,,,",
    )
    assert items(found)["44"] == {
        "title": "Hoodie",
        "text": "Warm",
        "categories": ["Clothing", "Hoodies", "Sale"],
        "tags": ["warm"],
        "price": 45.0,
        "image": "https://a/1.jpg",
        "available": True,
        "hidden": False,
        "attributes": {"SKU": "V-1", "Visibility in catalog": "visible"},
    }
    cap = items(found)["46"]
    assert (cap["price"], cap["available"], cap["hidden"]) == (16.0, False, True)
    assert len(found.changes) == 2
    hoodie = {
        "id": 44,
        "name": "Hoodie",
        "status": "publish",
        "price": "45",
        "stock_status": "outofstock",
        "categories": [{"id": 9, "name": "Clothing", "slug": "clothing"}],
        "tags": [],
        "images": [{"src": "https://a/1.jpg"}],
    }
    assert items(read("woocommerce", hoodie))["44"] == {
        "title": "Hoodie",
        "categories": ["Clothing"],
        "tags": None,
        "price": 45.0,
        "image": "https://a/1.jpg",
        "available": False,
        "hidden": False,
    }


def test_google(tmp_path: Path) -> None:
    header = "id title description google_product_category product_type image_link availability"
    cells = ["TV-1", "A TV", "It's big", "Electronics > TVs", "Home > TV", "https://a/tv.png"]
    found = table(
        tmp_path,
        "google",
        "\t".join([*header.split(), "price", "brand", "color"]),
        "\t".join([*cells, "in_stock", "1,299.00 USD", "Acme", "black"]),
        "\t".join(["TV-2", "B", *[""] * 4, "out of stock", "5 EUR", "", ""]),
    )
    assert items(found)["TV-1"] == {
        "title": "A TV",
        "text": "It's big",
        "categories": ["Home", "TV"],
        "price": 1299.0,
        "currency": "USD",
        "provider": "Acme",
        "image": "https://a/tv.png",
        "available": True,
        "attributes": {"color": "black"},
    }
    assert items(found)["TV-2"]["available"] is False
    content = {
        "offerId": "TV-1",
        "title": "A TV",
        "productTypes": ["Home > TV"],
        "price": {"value": "5.50", "currency": "EUR"},
        "availability": "in stock",
    }
    merchant = {
        "offerId": "TV-2",
        "productAttributes": {
            "title": "B",
            "price": {"amountMicros": "5500000", "currencyCode": "EUR"},
            "availability": "OUT_OF_STOCK",
        },
    }
    both = items(read("google-json", {"resources": [content, merchant]}))
    assert both["TV-1"] == {
        "title": "A TV",
        "categories": ["Home", "TV"],
        "price": 5.5,
        "currency": "EUR",
        "available": True,
    }
    assert both["TV-2"] == {"title": "B", "price": 5.5, "currency": "EUR", "available": False}


def test_debezium() -> None:
    source = {"connector": "postgresql", "ts_ms": NOW - 10, "table": "products"}
    row = {"id": 7, "name": "Kettle", "price": 9.5, "colour": "red", "brand": None}
    created = {"payload": {"op": "c", "before": None, "after": row, "source": source, "ts_ms": NOW}}
    gone = {"op": "d", "before": {"id": 7, "price": "?"}, "after": None, "ts_ms": NOW}
    found = read(
        "debezium",
        created,
        gone,
        "null",
        {"schema": {}, "payload": None},
        {"op": "u", "source": {}},
    )
    assert [(change.item, change.ts) for change in found.changes] == [("7", NOW - 10), ("7", NOW)]
    assert found.changes[0].fields == {
        "title": "Kettle",
        "price": 9.5,
        "provider": None,
        "attributes": {"colour": "red"},
        "deleted": False,
    }
    assert found.changes[1].fields == {"deleted": True}
    assert found.ignored == 2
    assert ["'after'" in bad.detail for bad in found.rejected] == [True]


def test_amazon() -> None:
    product = {
        "main_category": "All Beauty",
        "title": "Brush",
        "average_rating": 4.8,
        "rating_number": 10,
        "features": ["Soft"],
        "description": [],
        "price": "$5.99",
        "images": [{"thumb": "https://a/t.jpg", "large": "https://a/l.jpg", "hi_res": None}],
        "store": "Howard",
        "categories": [],
        "details": {"Brand": "Howard"},
        "parent_asin": "B01CUPMQZE",
    }
    found = items(read("amazon", product, product | {"parent_asin": "B2", "price": "—"}))
    assert found["B01CUPMQZE"] == {
        "title": "Brush",
        "text": "Soft",
        "categories": ["All Beauty"],
        "price": 5.99,
        "provider": "Howard",
        "image": "https://a/l.jpg",
        "attributes": {"average_rating": 4.8, "rating_number": 10.0},
    }
    assert "price" not in found["B2"]


@pytest.mark.parametrize("preset", sorted(ITEM_PRESETS))
def test_own_lines_are_read_whatever_the_preset(preset: str) -> None:
    own = {"kind": "item", "item": "a", "title": "T", "colour": "red"}
    found = items(read(preset, own))
    assert found == {"a": {"title": "T", "attributes": {"colour": "red"}}}
    assert [change.item for change in read(preset, [own, own]).changes] == ["a", "a"]
    assert read(preset, "{", "5", "", "null", "a,b").received == 5
