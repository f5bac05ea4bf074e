"""The words of the simulated network: topics, what posts are about, and the names of people.

In: a number (0, 1, 2, …). Out: a name, the text of a comment. Which words a post has is decided in
`wording`, by its latent vector.
"""

from __future__ import annotations

from flink_app.simulator.names import words

SUBJECTS = {
    "cycling": words("commute climb puncture helmet saddle descent tandem bike-lane gears chain"),
    "cooking": words("sourdough dumplings curry ramen risotto chutney pancakes stew pickles pie"),
    "football": words("penalty derby offside keeper transfer corner free-kick final cup bench"),
    "films": words("trailer sequel soundtrack ending premiere remake villain plot-twist cast cut"),
    "photography": words("sunset portrait tripod lens shutter darkroom macro flash grain print"),
    "gardening": words("tomatoes compost roses seedlings slugs lawn greenhouse tulips bees hedge"),
    "gaming": words("speedrun boss-fight patch controller loot quest console save-file map mod"),
    "music": words("chorus vinyl setlist bassline busker encore playlist synth drummer demo"),
    "travel": words("night-train hostel passport ferry border old-town detour backpack fare visa"),
    "science": words("telescope fossil vaccine quasar glacier enzyme comet lab microbe paper"),
    "running": words("marathon blisters parkrun intervals trail stretching pace laces hill taper"),
    "pets": words("kitten puppy vet hamster parrot leash aquarium zoomies sofa tortoise"),
}
"""What posts of each topic are about."""
TOPICS: tuple[str, ...] = tuple(SUBJECTS)
SUBJECTS_EACH = 10
"""Subjects of each topic."""

MOODS = words(
    "wonderful tiny overrated unexpected early chilly noisy homemade honest clumsy brilliant quiet "
    "messy lucky slow muddy famous stubborn shiny forgotten cheap legendary gentle chaotic"
)

SAYINGS = (
    "About the {subject}: {mood}, {other}, and worth every minute.",
    "Three words for the {subject}: {mood}, {other}, unforgettable.",
    "The {subject}! So {mood}, so {other}, and I was there.",
    "Still on the {subject}: {mood}, {other}, {topic} at its best.",
    "Who else saw the {subject}? Properly {mood}, a little {other}.",
    "Unpopular opinion: the {subject}, {mood} and {other}, is what {topic} is about.",
    "So, the {subject}: {mood}, {other}, or both?",
    "Note to self: {mood} beats {other} in {topic}, see the {subject}.",
)
"""The forms of posts."""

COMMENTS = (
    "So true!",
    "Where was this?",
    "I had no idea.",
    "Tell us more.",
    "This made my day.",
    "Same here, twice.",
    "Not sure I agree.",
    "Saving this for later.",
)

_FIRST = words(
    "Ada Bela Carlo Dina Emre Fumi Gita Hugo Ines Jonas Kaya Lars Mina Nils Olga Pavel Quinn Rosa "
    "Sami Tara Ulla Vera Wim Ximena Yusuf Zoe"
)
_LAST = words(
    "Abara Brandt Castel Dufour Eriksen Fabbri Gruber Haddad Ito Jansen Kovacs Lindqvist Moreau "
    "Novak Okafor Petrov Quiroga Rossi Sato Tanaka Usman Varga Weiss"
)


def person(number: int) -> str:
    """The name of user `number` (at least 0), which others may have too.

    >>> person(0), person(1), person(26)
    ('Ada Abara', 'Bela Brandt', 'Ada Dufour')
    """
    return f"{_FIRST[number % len(_FIRST)]} {_LAST[number % len(_LAST)]}"


def comment(number: int) -> str:
    """What a comment says.

    >>> comment(0), comment(8)
    ('So true!', 'So true!')
    """
    return COMMENTS[number % len(COMMENTS)]
