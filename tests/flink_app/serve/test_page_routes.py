"""Which files the page is made of, by the look that the configuration names."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from flink_app.config import load
from flink_app.serve.page_routes import FOLDER
from tests.flink_app.serve.servers import serving
from udfs.errors import ConfigError

LOOKS = ("shop", "video", "social")
_IMPORT = re.compile(r"^(?:import|export)\b[^;]*? from '\./([\w.]+)';", re.MULTILINE)


@pytest.mark.parametrize("look", LOOKS)
def test_a_look_is_a_script_and_a_style_sheet(redis_url: str, look: str) -> None:
    with serving(redis_url, f"serve.page={look}") as client:
        script, style = client.get("/page/look.js"), client.get("/page/look.css")
        assert script.text == f"export * from './{look}.js';\n"
        assert script.headers["content-type"].startswith("text/javascript")
        assert style.text == (FOLDER / f"{look}.css").read_text("utf-8")
        for answer in (script, style, client.get("/")):
            assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_without_a_look_there_is_no_page(redis_url: str) -> None:
    with serving(redis_url, 'serve.page=""') as client:
        assert client.get("/").status_code == client.get("/page/look.js").status_code == 404


def test_a_look_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"serve\.page"):
        load(None, ["serve.page=market"], {})


@pytest.mark.parametrize("script", sorted(FOLDER.glob("*.js")), ids=lambda path: path.name)
def test_scripts_import_what_is_there(script: Path) -> None:
    there = {path.name for path in FOLDER.iterdir()} | {"words.js", "look.js"}
    assert {*_IMPORT.findall(script.read_text("utf-8"))} <= there


def test_each_script_is_used_by_a_look_or_meant_for_others() -> None:
    used, found = {"main.js", "visitor.js"}, {f"{look}.js" for look in LOOKS} | {"main.js"}
    while found:
        used |= found
        texts = [(FOLDER / name).read_text("utf-8") for name in found if (FOLDER / name).is_file()]
        found = {name for text in texts for name in _IMPORT.findall(text)} - used
    assert {path.name for path in FOLDER.glob("*.js")} <= used
