"""What holds nothing of a single user: the counterpart of `udfs.learning.places`, for its tests.

In: nothing. Out: names of handles of Flink's state, of keys in Redis and of the catalogue's tables.
"""

from __future__ import annotations

NOTHING_IN_STATE = (
    "user learner: layout",
    "user learner: learned",
    "user learner: mean",
    "user learner: started",
    "identity: order",
    "encoder: known",
    "encoder: waiting",
    "item learner: folded",
    "item learner: inbox",
    "item learner: inbox2",
    "item learner: items",
    "item learner: layout",
    "item learner: metadata",
    "item learner: noise",
    "item learner: noisy",
    "item learner: pairs",
    "item learner: ranker2",
    "item learner: shared",
    "item learner: turn",
    "stats: accounts",
    "stats: totals",
)
"""Handles that hold nothing of a single user: sums over all of them, and what items are."""

NOTHING_IN_REDIS = (
    "similar:",
    "popular",
    "segment:",
    "trending",
    "item:",
    "hidden",
    "stats",
    "quality:",
    "feed:",
    "filled",
    "writers",
)
"""Beginnings of keys that hold nothing of a single user."""

NOTHING_IN_TABLES = (
    "InCategories",
    "Takers",
    "Described",
    "Metadata",
    "Neighbours",
    "Noised",
    "Trending",
    "Tried",
    "Vocabulary",
    "_Items",
    "_Latest",
    "_Memory",
    "_Taken",
)
"""Tables that the catalogue keeps, of items alone."""
