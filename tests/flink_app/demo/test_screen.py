"""The demo's output, in a terminal and elsewhere."""

from __future__ import annotations

import io

from rich.console import Console

from flink_app.console.totals import Totals
from flink_app.demo.outcome import Outcome, summarise
from flink_app.demo.rounds import Newcomer, Round
from flink_app.demo.screen import Screen
from flink_app.simulator import Shop
from flink_app.simulator.scenarios import scenario

SHOP, WORDS = scenario("shop").demo, scenario("shop").words
BEFORE = [f"i{n}" for n in range(12)]
AFTER = ["i1", "i5", "i2", "i40", "i4", "i6", "i7", "i8", "i9"]
ROUND = Round("u7", ("music", "toys"), "i0", BEFORE, AFTER, 38.4)


def _output(terminal: bool) -> str:
    out = io.StringIO()
    console = Console(file=out, force_terminal=terminal, width=100, color_system=None)
    with Screen(console, Shop(SHOP), WORDS) as screen:
        screen.stage("Starting Java")
        screen.looks(Round("u7", ("music", "toys"), "i0", BEFORE))
        screen.clicks(Round("u7", ("music", "toys"), "i0", BEFORE))
        screen.follows(ROUND)
        screen.figures(Totals(received=1234), 65)
        screen.warn("[Redis] is away")
        screen.keep(ROUND)
        screen.clear()
    return out.getvalue()


def test_outside_a_terminal_each_line_is_printed_once_as_plain_text() -> None:
    output = _output(terminal=False)
    assert "\x1b" not in output
    assert output.count("Starting Java") == 1
    assert "the list follows after 38 ms, 2 of 8 moved up" in output
    shop = Shop(SHOP)
    lines = [line for line in output.splitlines() if line.startswith("  ")][1:]
    assert [shop.title(item) in line for item, line in zip(AFTER, lines, strict=False)] == [
        True
    ] * 8
    endings = [line.split(")")[-1].split() for line in lines]
    assert endings[:5] == [[], ["up", "3"], ["down", "1"], ["in"], ["down", "1"]]
    assert "1:05  1,234 events" in output
    assert "warning: [Redis] is away" in output


def test_in_a_terminal_the_list_changes_in_place_and_one_line_stays() -> None:
    output = _output(terminal=True)
    assert "◀ click" in output
    assert "▲ 3" in output
    assert "✦ in" in output
    assert "2 of 8 moved up after 38 ms" in output


def test_the_summary_has_median_clicks_and_the_outcome_of_every_event() -> None:
    out = io.StringIO()
    slow = Round("u8", (), "i0", BEFORE, AFTER, 80.0)
    outcome = Outcome(
        rounds=[ROUND, slow, ROUND],
        looks=200,
        earned=110,
        earned_by_popular=60,
        published=7,
        newcomers=[
            Newcomer("Fennick [Oak] Mug", "€14.50", "u9", "popular now"),
            *[Newcomer("Oak Kite", "€9.00", "u1", "like Oak Bat")] * 3,
        ],
        written=100,
        totals=Totals(received=99, learned=90, duplicates=4, ignored=1, dead={"not_json": 3}),
    )
    summarise(Console(file=out, width=200), outcome, WORDS)
    output = out.getvalue()
    assert "3 clicks, and lists that followed after 38 ms (median; slowest 80 ms)" in output
    assert "200 shoppers" in output
    assert "55% of them, the popular one from 30%" in output
    assert "7 new items were published meanwhile, 4 of them stand in lists" in output
    assert output.count("new Oak Kite") == 3
    assert "Fennick [Oak] Mug" not in output  # the last three
    accounts = "90 learned + 4 duplicates + 3 dead letters + 1 searches + 2 in progress."
    assert f"100 events = {accounts}" in output
