"""The options of the models: sections of the configuration that the models are built with.

In: nothing; the defaults are here. Out: `ItemCF`, `UserCF`, `RankerOptions`, read by
`flink_app.config`, by `udfs.models.item_cf.neighbours`, `udfs.models.user_cf.consumers` and
`udfs.ranking.ranker`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

KAFKA = "kafka:"
"""What a place of `RankerOptions.log` begins with that is a topic."""


class ItemCF(Struct, frozen=True, kw_only=True):
    """Item-based collaborative filtering: items that go together."""

    neighbours: Annotated[
        int,
        Meta(
            description="K, the maximum number of neighbours that an item keeps, at 8 bytes each in"
            " memory and 12 in state.",
            ge=1,
            le=10_000,
        ),
    ] = 200
    window: Annotated[
        int,
        Meta(
            description="L, how many of the user's latest items an event is paired with.",
            ge=1,
            le=255,
        ),
    ] = 50
    span: Annotated[
        float,
        Meta(
            description="After how many events a count has faded to 1/e. 0 means that nothing "
            "fades.",
            ge=0,
            le=1e15,
        ),
    ] = 0.0


class UserCF(Struct, frozen=True, kw_only=True):
    """User-based collaborative filtering: what similar users chose."""

    consumers: Annotated[
        int,
        Meta(
            description="R, how many of an item's latest consumers are remembered, at 12 bytes "
            "each.",
            ge=1,
            le=10_000,
        ),
    ] = 50


class RankerOptions(Struct, frozen=True, kw_only=True):
    """The ranker: one score from all models' results, learned from what users choose next."""

    network: Annotated[
        Literal["linear", "neural"],
        Meta(
            description="How the ranker computes a score: as a weighted sum (linear), or with a "
            "hidden layer of 8 sigmoids before it (neural)."
        ),
    ] = "linear"
    train_per_s: Annotated[
        float,
        Meta(
            description="How many events per second the ranker of each user learner learns from, "
            "evenly spread over a micro-batch; the other models learn from all of them. While "
            "fewer come, up to ten seconds' worth is saved up.",
            ge=0,
            le=1_000_000,
        ),
    ] = 100.0
    position_bias: Annotated[
        bool,
        Meta(
            description="Whether a click in a list teaches the ranker the more, the less likely its"
            " place is looked at (inverse propensity), by the clicks on explored items. It needs "
            "quality.attribution_days and explore.share."
        ),
    ] = False
    model: Annotated[
        str,
        Meta(
            description="The ONNX file of a ranker of your own, which scores the candidates in "
            "place of the built-in one; see docs/own-models.md. Every TaskManager must have it; it "
            "is loaded again when it changes. Empty means none."
        ),
    ] = ""
    shadow: Annotated[
        bool,
        Meta(
            description="Whether the lists of that ranker are only tested, beside those that users "
            "get: they are then the list own-ranker in the quality."
        ),
    ] = False
    log: Annotated[
        str,
        Meta(
            description="Where the job writes what the ranker ranked, and what was taken of it, to "
            "train models on: a folder or an address, for Parquet files, or kafka: and a topic of "
            "the source's brokers, for JSON. Empty means nowhere."
        ),
    ] = ""
    sample: Annotated[
        float,
        Meta(
            description="Of which share of the users this is written (ranker.log); a hash of the "
            "id chooses them, the same ones always.",
            gt=0,
            le=1,
        ),
    ] = 0.1
    log_users: Annotated[
        bool,
        Meta(
            description="Whether ranker.log names the users, by their ids or, with "
            "privacy.pseudonyms, by their pseudonyms."
        ),
    ] = False

    @property
    def log_topic(self) -> str:
        """The topic of `log`; "" if it is none.

        >>> RankerOptions(log="kafka:ranked").log_topic, RankerOptions(log="ranked").log_topic
        ('ranked', '')
        """
        return self.log.removeprefix(KAFKA) if self.log.startswith(KAFKA) else ""

    @property
    def log_folder(self) -> str:
        """The folder or address of `log`; "" if it is none."""
        return "" if self.log.startswith(KAFKA) else self.log
