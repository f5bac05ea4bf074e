"""Headers that are read like the other lines, and the option that skips them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.flink_app.data.validate.test_advice import examined, settings_in


@pytest.mark.parametrize(
    ("text", "given"),
    [
        ("Kunde,Artikel,Datum\nann,mug,2024-05-01\nbob,tea,2024-05-02\n", "user,item,ts"),
        ("Kunde,Artikel,Datum\nann,mug,2024-05-01\nbob,tea,2024-05-02\n", "user,item,"),
        ("kd,art\nann,17\nbob,18\n", "user,item"),
        ("A,B,C,D,E,F\nann,mug,view,2024-05-01,,\nbob,tea,view,2024-05-02,,\n", ""),
    ],
)
def test_a_header_with_other_names_is_skipped_by_the_option(
    text: str, given: str, tmp_path: Path
) -> None:
    path = tmp_path / "events.csv"
    path.write_text(text)
    settings = ["source.format=csv"]
    if given:
        settings.append(f"source.columns={given.split(',')}".replace("'", '"'))
    found = examined(path, settings)
    (header,) = (check for check in found.checks if check.name == "header")
    assert header.status == "WARN" and text.partition("\n")[0].replace(",", ", ") == header.example
    found = examined(path, [*settings, *settings_in(header.advice)])
    assert (found.events, found.lines) == (2, 3)
    assert not {"header", "bad_time"} & {check.name for check in found.checks}


@pytest.mark.parametrize(
    "text",
    [
        "ann,mug\nbob,tea\n",  # no header
        "user,item\nann,17\n",
        "ann,17\nbob,18\n",
        "kd,art\n",
        "a,b\nann,17\nkd,art\na,18\n",  # two lines that are no header of each other
    ],
)
def test_what_is_no_header_with_other_names(text: str, tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    path.write_text(text)
    found = examined(path, ["source.format=csv", 'source.columns=["user","item"]'])
    assert "header" not in {check.name for check in found.checks}


def test_a_guess_of_the_columns_skips_the_header_too(tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    path.write_text("kd;art;wann\nann;mug;2024-05-01\nbob;tea;2024-05-02\n")
    advice = examined(path, []).checks[0].advice
    assert examined(path, settings_in(advice)).events == 2
