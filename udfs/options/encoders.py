"""The options of the encoders of texts and images.

In: nothing; the defaults are here. Out: `Text`, `Images`, sections of the configuration.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from udfs.options import USUAL


class Text(Struct, frozen=True, kw_only=True):
    """The network that makes vectors of items' titles and texts."""

    model: Annotated[
        str,
        Meta(
            description="The folder with the network and its tokenizer: minilm, which is the folder"
            " data/minilm as `millirec fetch minilm` makes it, or a folder of your own with "
            "model.onnx and tokenizer.json. Empty means none. Every TaskManager must have it.",
            extra=USUAL,
        ),
    ] = ""
    threads: Annotated[
        int, Meta(description="The number of threads that encode texts.", ge=1, le=16)
    ] = 1


class Images(Struct, frozen=True, kw_only=True):
    """The network that makes vectors of items' images, and where images may come from."""

    model: Annotated[
        str,
        Meta(
            description="The network: efficientnet-lite0, which is the folder "
            "data/efficientnet-lite0 as `millirec fetch efficientnet-lite0` makes it, a folder of "
            "your own with model.onnx, or an ONNX file. Empty means none. Every TaskManager must "
            "have it.",
            extra=USUAL,
        ),
    ] = ""
    folder: Annotated[
        str,
        Meta(
            description="The folder below which an item's image may be named by its path; empty "
            "means none."
        ),
    ] = ""
    hosts: Annotated[
        list[str],
        Meta(
            description="The hosts that images may be fetched from, such as cdn.example.com, "
            "*.example.com or cdn.example.com:8443. A host with a private address is refused, "
            "unless that address is what stands here. Empty means none."
        ),
    ] = []
    max_bytes: Annotated[
        int, Meta(description="The largest image that is read, in bytes.", ge=1, le=1_000_000_000)
    ] = 5_000_000
    max_pixels: Annotated[
        int,
        Meta(description="The largest image that is decoded, in pixels.", ge=1, le=1_000_000_000),
    ] = 20_000_000
    timeout_s: Annotated[
        float,
        Meta(description="How long an image may take to arrive, in seconds.", gt=0, le=600),
    ] = 5.0
    threads: Annotated[
        int,
        Meta(
            description="The number of threads that fetch and encode images; most of their time "
            "goes into waiting.",
            ge=1,
            le=64,
        ),
    ] = 2
