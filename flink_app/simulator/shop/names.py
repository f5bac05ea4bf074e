"""Names of the simulated shop: categories from a number, and the words of titles.

In: an item's number (0, 1, 2, …). Out: its category. Which words describe an item is decided in
`wording`, by its latent vector.
"""

from __future__ import annotations

from flink_app.simulator.names import words

NOUNS = {
    "kitchen": words("Kettle Saucepan Toaster Whisk Teapot Skillet Colander Breadbin Mug Carafe"),
    "garden": words("Trowel Planter Bench Rake Lantern Secateurs Hose Birdhouse Barrow Trellis"),
    "books": words("Novel Atlas Cookbook Almanac Biography Thriller Anthology Diary Primer Memoir"),
    "music": words("Ukulele Metronome Headphones Turntable Recorder Drum Flute Tuner Banjo Cajon"),
    "sport": words("Racket Kettlebell Yoga-Mat Helmet Goggles Football Snorkel Paddle Bat Rope"),
    "toys": words("Puzzle Kite Marble-Run Train Puppet Yo-Yo Robot Rocking-Horse Dice Top"),
    "clothing": words("Jumper Raincoat Scarf Cardigan Trousers Shirt Beanie Gloves Dress Gilet"),
    "shoes": words("Boots Trainers Sandals Loafers Brogues Slippers Clogs Pumps Wellies Plimsolls"),
    "lighting": words(
        "Lamp Chandelier Candle Torch Nightlight Spotlight Sconce Pendant Bulb Shade"
    ),
    "office": words(
        "Notebook Stapler Desk Chair Fountain-Pen Planner Easel Lectern Inkwell Binder"
    ),
    "travel": words("Suitcase Rucksack Tent Compass Hammock Flask Umbrella Duffel Stove Blanket"),
    "pets": words("Collar Aquarium Cat-Tree Basket Lead Feeder Perch Kennel Hutch Brush"),
}
LOOKS = words(
    "Amber Classic Compact Copper Crimson Feather Folding Heritage Indigo Ivory "
    "Linen Lunar Mosaic Oak Pocket Quiet Rustic Slate Velvet Willow"
)
MAKERS = words(
    "Alderby Brackwell Corrin Dunfold Elmsworth Fennick Garrowby Holt&Wren "
    "Inverlea Jessamy Kestrel Lowmoor Marlowe Nettlefield Orrin Pellworth"
)

CATEGORIES: tuple[str, ...] = tuple(NOUNS)
"""The shop's 12 categories; item n belongs to category n mod 12, so all are of equal size."""

TRAITS = words(
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
