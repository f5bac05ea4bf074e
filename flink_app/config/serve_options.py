"""The options of `millirec serve`: where it listens, whom it lets in, and how long it waits.

In: nothing; the defaults stand here. Out: `Serve`, a section of `options.Config`.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct


class Serve(Struct, frozen=True, kw_only=True):
    """Lists and events over HTTP: what `millirec serve` listens to, and its limits."""

    host: Annotated[
        str,
        Meta(
            description="The address it listens on; 0.0.0.0 is every one of this machine.",
            min_length=1,
        ),
    ] = "127.0.0.1"
    port: Annotated[int, Meta(description="The TCP port.", ge=1, le=65_535)] = 8080
    hosts: Annotated[
        list[str],
        Meta(
            description="The names by which it may be called, as in a request's Host; empty: on "
            "loopback localhost and its addresses, which keeps other sites' pages out, else any."
        ),
    ] = []
    api_key: Annotated[
        str,
        Meta(
            description="What each request must bring as X-API-Key or as a bearer token; empty: "
            "nothing. Set it by the variable MILLIREC_SERVE_API_KEY."
        ),
    ] = ""
    cors: Annotated[
        list[str],
        Meta(
            description='Origins whose pages may call it, such as ["https://shop.example"]; '
            '["*"]: all.'
        ),
    ] = []
    page: Annotated[
        bool, Meta(description="Whether the live page is served at /, beside the lists.")
    ] = True
    timeout_s: Annotated[
        float,
        Meta(
            description="How long Redis is waited for, in seconds, before the last lists known "
            "are answered.",
            gt=0,
            le=60,
        ),
    ] = 0.5
    stale_s: Annotated[
        float,
        Meta(
            description="How long after it was read a list is still answered while Redis is down, "
            "in seconds; 0: never.",
            ge=0,
            le=86_400,
        ),
    ] = 300.0
    stale_lists: Annotated[
        int,
        Meta(
            description="How many lists are kept for that, the last ones asked for.",
            ge=1,
            le=100_000_000,
        ),
    ] = 10_000
    events_timeout_s: Annotated[
        float,
        Meta(
            description="How long it is waited until events are durable, in seconds.", gt=0, le=600
        ),
    ] = 10.0
    max_body_bytes: Annotated[
        int,
        Meta(description="The largest body of a request, in bytes.", ge=1024, le=1_073_741_824),
    ] = 1_048_576
    max_batch: Annotated[
        int,
        Meta(
            description="The most users, items or events in one request.",
            ge=1,
            le=1_000_000,
        ),
    ] = 1000
    max_streams: Annotated[
        int,
        Meta(description="The most open streams of lists.", ge=0, le=1_000_000),
    ] = 1000
    kafka: Annotated[
        dict[str, str],
        Meta(
            description="Options of librdkafka for the events that are written to Kafka, such as "
            "security.protocol: its names, not those of source.properties."
        ),
    ] = {}
