"""Names of the simulated shop: identifiers and categories from a number, and the words of titles.

In: an item's or a user's number (0, 1, 2, …). Out: its id ("i204", "u17") and its category. Which
words describe an item is decided in `wording`, by its latent vector.
"""

from __future__ import annotations

from udfs.errors import MillirecError


def _words(text: str) -> tuple[str, ...]:
    """The words of a text; a hyphen becomes a space within a name."""
    return tuple(word.replace("-", " ") for word in text.split())


NOUNS = {
    "kitchen": _words("Kettle Saucepan Toaster Whisk Teapot Skillet Colander Breadbin Mug Carafe"),
    "garden": _words("Trowel Planter Bench Rake Lantern Secateurs Hose Birdhouse Barrow Trellis"),
    "books": _words(
        "Novel Atlas Cookbook Almanac Biography Thriller Anthology Diary Primer Memoir"
    ),
    "music": _words("Ukulele Metronome Headphones Turntable Recorder Drum Flute Tuner Banjo Cajon"),
    "sport": _words("Racket Kettlebell Yoga-Mat Helmet Goggles Football Snorkel Paddle Bat Rope"),
    "toys": _words("Puzzle Kite Marble-Run Train Puppet Yo-Yo Robot Rocking-Horse Dice Top"),
    "clothing": _words("Jumper Raincoat Scarf Cardigan Trousers Shirt Beanie Gloves Dress Gilet"),
    "shoes": _words(
        "Boots Trainers Sandals Loafers Brogues Slippers Clogs Pumps Wellies Plimsolls"
    ),
    "lighting": _words(
        "Lamp Chandelier Candle Torch Nightlight Spotlight Sconce Pendant Bulb Shade"
    ),
    "office": _words(
        "Notebook Stapler Desk Chair Fountain-Pen Planner Easel Lectern Inkwell Binder"
    ),
    "travel": _words("Suitcase Rucksack Tent Compass Hammock Flask Umbrella Duffel Stove Blanket"),
    "pets": _words("Collar Aquarium Cat-Tree Basket Lead Feeder Perch Kennel Hutch Brush"),
}
LOOKS = _words(
    "Amber Classic Compact Copper Crimson Feather Folding Heritage Indigo Ivory "
    "Linen Lunar Mosaic Oak Pocket Quiet Rustic Slate Velvet Willow"
)
MAKERS = _words(
    "Alderby Brackwell Corrin Dunfold Elmsworth Fennick Garrowby Holt&Wren "
    "Inverlea Jessamy Kestrel Lowmoor Marlowe Nettlefield Orrin Pellworth"
)

CATEGORIES: tuple[str, ...] = tuple(NOUNS)
"""The shop's 12 categories; item n belongs to category n mod 12, so all are of equal size."""

TRAITS = _words(
    "sturdy gentle bright quick warm smooth playful elegant rugged light cosy modern "
    "vintage clever soft bold slim fresh natural precise portable festive durable roomy"
)
NOUNS_EACH = 10
"""Nouns of each category."""


def category(number: int) -> str:
    """The category of item `number` (at least 0).

    >>> category(0), category(12), category(13)
    ('kitchen', 'kitchen', 'garden')
    """
    return CATEGORIES[number % len(CATEGORIES)]


def number_of(name: str, letter: str, count: int) -> int:
    """The number in an id such as "u17", which must be below `count`.

    Raises MillirecError for an id that the shop does not have.

    >>> number_of("u17", "u", 100)
    17
    """
    digits = name[1:]
    if name[:1] == letter and digits.isascii() and digits.isdigit():
        number = int(digits)
        if number < count and f"{letter}{number}" == name:
            return number
    raise MillirecError(
        f"The simulated shop has no {name!r}: its ids go from {letter}0 to {letter}{count - 1}."
    )
