"""Attributes that may be fields, and the options that say so."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from flink_app.data.validate.validation import Validation
from tests.flink_app.data.validate.test_advice import examined, settings_in


def about_items(tmp_path: Path, text: str, *settings: str) -> Validation:
    (tmp_path / "events").touch()
    path = tmp_path / "items.csv"
    path.write_text(text, encoding="utf-8")
    own = ["items.kind=files", f'items.paths=["{path}"]', "items.format=csv"]
    return examined(tmp_path / "events", [*own, *settings])


ITEMS = "item,Bezeichnung,Kategorie,Preis,Stück,Bestand\nmug,Becher,Küche,12.5,3,ja\npot,Topf,,9,2,"


def attributes_of(found: Validation) -> Any:
    return next((check for check in found.checks if check.name == "attributes"), None)


def test_fields_of_items_under_other_names_are_named(tmp_path: Path) -> None:
    before = attributes_of(about_items(tmp_path, ITEMS))
    assert before.status == "WARN"
    settings = settings_in(before.advice)
    fields = {"title": "Bezeichnung", "categories": "Kategorie", "price": "Preis"}
    fields["available"] = "Bestand"
    assert {*settings} == {f"items.fields.{field}={name}" for field, name in fields.items()}
    after = attributes_of(about_items(tmp_path, ITEMS, *settings))
    assert (after.status, after.advice) == ("PASS", "") and "Stück" in after.found


def test_an_option_that_would_cost_lines_is_not_advised(tmp_path: Path) -> None:
    text = ITEMS.replace("12.5", "teuer").replace(",ja", ",vielleicht")
    settings = settings_in(attributes_of(about_items(tmp_path, text)).advice)
    assert {one.partition("=")[0].rpartition(".")[2] for one in settings} == {"title", "categories"}


def test_attributes_beside_fields_are_all_right(tmp_path: Path) -> None:
    found = attributes_of(about_items(tmp_path, "item,title,colour\nmug,Mug,red\n"))
    assert (found.status, found.found) == ("PASS", "1 attribute: colour")
    assert attributes_of(about_items(tmp_path, "item,title\nmug,Mug\n")) is None


def test_items_of_nothing_but_attributes(tmp_path: Path) -> None:
    text = "item,xa,xb\nmug,Mug,red\n"
    found = attributes_of(about_items(tmp_path, text))
    assert found.status == "WARN"
    settings = settings_in(found.advice, {"NAME": "xa"})
    assert attributes_of(about_items(tmp_path, text, *settings)).status == "PASS"


def test_changes_of_rows_are_told_to_be_items_or_events(tmp_path: Path) -> None:
    path = tmp_path / "products.jsonl"
    row = {"sku": "mug", "name": "Mug", "stock": 0}
    path.write_text(json.dumps({"op": "c", "after": row, "source": {"table": "products"}}))
    lines = examined(path, []).checks[0]
    assert "changes of a database's rows, as Debezium writes them" in lines.advice
    items, _, events = lines.advice.partition("; if they are events")
    (tmp_path / "events").touch()
    settings = settings_in(items, {"NAME": "sku"})
    found = attributes_of(examined(tmp_path / "events", settings))
    settings += settings_in(found.advice)
    assert settings[-1] == "items.fields.available=stock"
    after = examined(tmp_path / "events", settings)
    assert {check.status for check in after.checks} == {"PASS"}
    columns = [*settings_in(events, {"NAME": "sku"}), "source.fields.user=name"]
    assert examined(path, columns).events == 1
