"""What is said in English.

In: nothing. Out: `TEXTS`, of `flink_app.lookup.words`.
"""

from __future__ import annotations

TEXTS = {
    "because": "because you looked at {items}",
    "like": "new, like {item}",
    "like_in": "new, like {item}: {words}",
    "followed": "{name}, whom you follow, liked it",
    "followed.author": "by {name}, whom you follow",
    "followed.provider": "by {name}, whom you follow",
    "followed.category": "new in {name}, which you follow",
    "popular_in": "popular in {place}",
    "popular_with": "popular with people like you: {place}",
    "model.item-cf": "goes with what you looked at",
    "model.user-cf": "people like you took it",
    "model.mf": "suits your taste",
    "model.popular": "popular now",
    "model.trending": "trending now",
    "model.content": "fits what you are looking for",
    "model.segments": "many like you begin with it",
    "model.social": "from those you follow",
    "model.sequence": "fits what you looked at last",
    "model.": "chosen for you",
    "fact.unknown_item": "the job does not know it: nobody has taken it and no line describes it, "
    "or it has expired",
    "fact.unknown_user": "the job knows nothing of this user",
    "fact.expired": "it has expired: nobody has taken it for a long time",
    "fact.not_allowed": "it is unavailable, hidden or deleted, or a rule excludes it",
    "fact.not_yet": "it is not published before {at}",
    "fact.over": "it was to be shown until {at} only",
    "fact.consumed": "you have had it already",
    "fact.own": "you have published it yourself",
    "fact.few_events": "you have too few events for a list of your own: {events} of {least}",
    "fact.no_candidate": "no source proposes it for you",
    "fact.ranked_below": "it is at place {place} of {candidates} candidates; the list has {length}",
    "fact.below": "it is not among the first {length} of the lists by {source}",
    "fact.moved": "the step {step} moved it from place {before} to {after}",
    "fact.dropped": "the step {step} took it out, from place {before}",
    "place": "{item} is at place {place} of {length} in the list",
    "absent": "{item} is not in the list",
    "chance": "it stands there by chance, {chance}, to become known",
    "without": "without what you did with {item}, it would not be in the list",
    "without_none": "no single thing that you did decides whether it is in the list",
}
