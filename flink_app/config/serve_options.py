"""The options of `millirec serve`: where it listens, who may use it, and how long it waits.

In: nothing; the defaults are here. Out: `Serve`, a section of `tree.Config`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from udfs.options import USUAL


class Serve(Struct, frozen=True, kw_only=True):
    """Lists and events over HTTP: where `millirec serve` listens, and its limits."""

    host: Annotated[
        str,
        Meta(
            description="The address to listen on; 0.0.0.0 means every address of the machine.",
            min_length=1,
            extra=USUAL,
        ),
    ] = "127.0.0.1"
    port: Annotated[int, Meta(description="The TCP port to listen on.", ge=1, le=65_535)] = 8080
    hosts: Annotated[
        list[str],
        Meta(
            description="The names under which the server may be called, as in a request's Host "
            "header; empty means any name, but on loopback only localhost and its "
            "addresses, which keeps pages of other sites out."
        ),
    ] = []
    api_key: Annotated[
        str,
        Meta(
            description="The key that each request has to send, as X-API-Key or as a bearer token; "
            "empty means that none is needed. Set it through the variable "
            "MILLIREC_SERVE_API_KEY.",
            extra=USUAL,
        ),
    ] = ""
    cors: Annotated[
        list[str],
        Meta(
            description="The origins whose pages may call the server and send it beacons, as "
            'browsers write them, such as ["https://shop.example"]; ["*"] means all.'
        ),
    ] = []
    page: Annotated[
        Literal["", "shop", "video", "social"],
        Meta(
            description="What the live page at / looks like, and what visitors can do there: that "
            "of a shop, of a video platform or of a social network. Empty means no page."
        ),
    ] = "shop"
    evaluation: Annotated[
        str,
        Meta(
            description="The file of the last `millirec evaluate --out`, which the operator's page "
            "shows, and reads again when it changes. Empty means none."
        ),
    ] = ""
    timeout_s: Annotated[
        float,
        Meta(
            description="How long to wait for Redis before answering with the last lists known, in "
            "seconds.",
            gt=0,
            le=60,
        ),
    ] = 0.5
    stale_s: Annotated[
        float,
        Meta(
            description="How long after it was read a list may be served while Redis is down, in "
            "seconds. 0 means never.",
            ge=0,
            le=86_400,
        ),
    ] = 300.0
    max_body_bytes: Annotated[
        int,
        Meta(
            description="The maximum size of a request's body, in bytes.", ge=1024, le=1_073_741_824
        ),
    ] = 1_048_576
    max_batch: Annotated[
        int,
        Meta(
            description="The maximum number of users, items or events in one request.",
            ge=1,
            le=1_000_000,
        ),
    ] = 1000
    max_streams: Annotated[
        int,
        Meta(description="The maximum number of open streams of lists.", ge=0, le=1_000_000),
    ] = 1000
    kafka: Annotated[
        dict[str, str],
        Meta(
            description="Options of librdkafka for writing events to Kafka, such as "
            "security.protocol: its own names, not those of source.properties."
        ),
    ] = {}
