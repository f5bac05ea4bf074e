"""Names of the simulated videos: genres, and the words of titles and tags.

In: nothing. Out: tuples of words. Which words describe a video is decided in `wording`, by its
latent vector.
"""

from __future__ import annotations

from flink_app.simulator.names import words

NOUNS = {
    "drama": words("Harbour Letter Inheritance Orchard Promise Winter Sisters Bridge"),
    "comedy": words("Wedding Neighbour Holiday Landlord Choir Impostor Caravan Bakery"),
    "thriller": words("Witness Signal Hostage Tunnel Alibi Passenger Cipher Deadline"),
    "crime": words("Detective Verdict Heist Informer Suspect Docks Ransom Precinct"),
    "documentary": words("Ocean Glacier Empire Kitchen Archive Volcano River Factory"),
    "science-fiction": words("Colony Orbit Android Nebula Paradox Outpost Starship Clone"),
    "animation": words("Dragon Robot Lighthouse Fox Balloon Wizard Penguin Toymaker"),
    "romance": words("Summer Kiss Waltz Postcard Serenade Garden Station Café"),
    "history": words("Crown Siege Rebellion Voyage Dynasty Trench Cathedral Legion"),
    "music": words("Orchestra Encore Vinyl Ballad Tour Studio Rhythm Conservatory"),
}
NOUNS_EACH = 8
"""Nouns of each genre."""
LOOKS = words(
    "Silent Golden Broken Hidden Last Northern Crimson Endless Forgotten Electric "
    "Distant Wild Secret Paper Burning Little Midnight Second Glass Borrowed"
)
MOODS = words(
    "dark gentle funny tense languid witty epic tender strange hopeful bleak clever "
    "cheerful gritty dreamy fast quiet warm satirical suspenseful"
)
EPISODES = words(
    "Arrivals The-Letter Old-Friends A-Long-Night The-Offer Crossroads Home-Again The-Key "
    "Small-Lies The-Storm Strangers Aftermath"
)

PLACES = words("Oslo Rome Cairo Lima Kyoto Paris Delhi Quito Seoul Basel Turin Porto")
"""What tells apart films or series of the same name."""

GENRES: tuple[str, ...] = tuple(NOUNS)
"""The genres; a video's is a position in it."""
