"""The options of a sequence model that a team brings as an ONNX file.

In: nothing; the defaults are here. Out: `Sequence`, a section of the configuration.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct


class Sequence(Struct, frozen=True, kw_only=True):
    """A sequence model of your own: what fits a user's last items; see docs/own-models.md."""

    model: Annotated[
        str,
        Meta(
            description="The ONNX file of a network from a user's last items to what fits them, "
            "one more source of candidates. Every TaskManager must have it; it is loaded again when"
            " it changes. Empty means none."
        ),
    ] = ""
    shadow: Annotated[
        bool,
        Meta(
            description="Whether its lists are only tested, beside those that users get: they are "
            "then the list sequence in the quality."
        ),
    ] = False
