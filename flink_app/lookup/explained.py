"""The job's answer why an item is in a user's list, or is not, in words and as tables.

In: the answer (docs/why.md), what is known of items. Out: the same with sentences; or what a
terminal shows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from flink_app.console.terminal import printable
from flink_app.lookup.reasons import Said, sentence

_LEAST = 0.0005
"""What a feature adds at least to be shown: three decimals are."""


def named(answer: Mapping[str, Any]) -> list[str]:
    """The items that an answer names."""
    because = answer.get("why", {}).get("because", ())
    events = [one["item"] for one in answer.get("events", ()) if "item" in one]
    return [*dict.fromkeys([answer["item"], *because, *events])]


def with_words(answer: Mapping[str, Any], said: Said) -> dict[str, Any]:
    """The answer with a `text` in each fact and in `why`, and `sentences`."""
    found = dict(answer)
    if why := answer.get("why"):
        found["why"] = {**why, "text": sentence(answer["item"], why, said)}
    found["facts"] = [
        {**fact, "text": said.text(f"fact.{fact['fact']}", **_places(fact))}
        for fact in answer.get("facts", ())
    ]
    found["sentences"] = [*_sentences(found, said)]
    return found


def _places(fact: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fact.items() if name != "fact"}


def _sentences(answer: Mapping[str, Any], said: Said) -> Iterator[str]:
    listed, item = answer.get("list", {}), said.title(answer["item"])
    place, why = listed.get("place"), answer.get("why")
    if place is None:
        yield said.text("absent", item=item)
    else:
        yield said.text("place", item=item, place=place, length=listed["length"])
    if why:
        yield why["text"]
        if "chance" in why:
            yield said.text("chance", chance=f"{why['chance']:.0%}")
    yield from (fact["text"] for fact in answer["facts"])
    if place is not None:
        decide = [said.title(one) for one in answer.get("without", ())]
        yield from (said.text("without", item=one) for one in decide)
        if not decide and answer.get("events"):
            yield said.text("without_none")


def shown(answer: Mapping[str, Any], said: Said) -> RenderableType:
    """An answer with its words for people.

    Args:
        answer: of `with_words`.
    """
    head = [Text(printable(one)) for one in answer["sentences"]]
    parts: list[RenderableType] = [*head]
    if ranker := answer.get("ranker"):
        last = ranker["last"]
        needed = "" if last is None else f", {last:.3f} for the last place of a list"
        many = f"place {ranker['place']} of {ranker['candidates']} candidates"
        parts += [Text(), Text(f"the ranker: {many}{needed}"), _sum(ranker)]
    if len(steps := answer.get("steps", ())) > 1:
        places = (f"{one['step']} {one['place'] or '-'}" for one in steps)
        parts.append(Text(printable("place after each step: " + ", ".join(places))))
    for rule in answer.get("rules", ()):
        told = ", ".join(f"{name} {value}" for name, value in rule.items())
        parts.append(Text(printable(f"a rule holds for it: {told}")))
    if events := answer.get("events"):
        parts += [Text(), _events(events, said)]
    return Group(*parts)


def _sum(ranker: Mapping[str, Any]) -> Table:
    made = Table(box=box.SIMPLE_HEAD)
    made.add_column("feature")
    for name in ("value", "weight", "adds"):
        made.add_column(name, justify="right")
    for one in ranker["parts"]:
        numbers = (f"{one[name]:.3f}" for name in ("value", "weight", "adds"))
        made.add_row(Text(printable(one["feature"])), *numbers)
    if ranker["rest"]:
        made.add_row("the rest", "", "", f"{ranker['rest']:.3f}")
    made.add_section()
    made.add_row("together", "", "", f"{ranker['logit']:.3f}")
    return made


def _events(events: list[Mapping[str, Any]], said: Said) -> Table:
    made = Table(box=box.SIMPLE_HEAD)
    made.add_column("without the event on")
    made.add_column("place", justify="right")
    made.add_column("together", justify="right")
    made.add_column("it adds")
    for one in events:
        taken = said.title(one["item"]) if "item" in one else one["key"]
        liked = "" if one["liked"] else " (disliked)"
        logit = f"{one['logit']:.3f}" if "logit" in one else ""
        pairs = one.get("adds", {}).items()
        adds = ", ".join(f"{name} {x:+.3f}" for name, x in pairs if abs(x) >= _LEAST)
        place = "-" if one["place"] is None else str(one["place"])
        made.add_row(Text(printable(taken + liked)), place, logit, Text(printable(adds)))
    return made
