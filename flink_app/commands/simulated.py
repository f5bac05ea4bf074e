"""The commands of simulated platforms: demo, simulate."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from flink_app.commands.app import app

_Name = Annotated[str, Parameter(name="--scenario", help="The platform: shop, video or social.")]


@app.command
def demo(*, scenario: _Name = "") -> int:
    """Watch lists follow clicks on a simulated platform, with nothing else installed.

    On the live page, http://127.0.0.1:8080 or the next free port, and in the terminal. It ends at
    Ctrl-C, or with DEMO_SECONDS=60 after a minute. With DEMO_BROWSER=0 it opens no browser, and
    with DEMO_HOST=0.0.0.0 anyone who reaches this machine sees the page. Without --scenario it is
    that of the variable DEMO_SCENARIO, or the shop.
    """
    from flink_app.demo import demo as show

    return show(None, scenario)


@app.command
def simulate(
    target: Annotated[
        str,
        Parameter(
            help="A file to write (events.jsonl), a folder to put files into (it exists, or its "
            "name ends in /), or kafka://host:port/topic."
        ),
    ],
    *,
    scenario: _Name = "shop",
    events: Annotated[
        int | None, Parameter(help="The number of events; 100,000 without --seconds and --rate.")
    ] = None,
    seconds: Annotated[float | None, Parameter(help="How long to write events.")] = None,
    rate: Annotated[
        float | None, Parameter(help="Events per second; without it, as fast as possible.")
    ] = None,
    seed: Annotated[int, Parameter(help="The seed of the random platform.")] = 1,
    users: Annotated[int, Parameter(help="Users at the start.")] = 1000,
    items: Annotated[
        int | None, Parameter(help="Items at the start: 2,000, of a social network 800.")
    ] = None,
    metadata: Annotated[
        bool,
        Parameter(
            negative=(),
            help="Item events too: what each item is, which are new, and what is out of stock.",
        ),
    ] = False,
    images: Annotated[
        bool, Parameter(negative=(), help="With --metadata: small pictures, as data URLs.")
    ] = False,
    vectors: Annotated[
        bool, Parameter(negative=(), help="With --metadata: the items' own vectors.")
    ] = False,
    searches: Annotated[
        float | None, Parameter(help="Share of the sessions that begin with a search, 0 to 1.")
    ] = None,
    profiles: Annotated[
        bool,
        Parameter(
            negative=(),
            help="Lines about users too: country, age band and device, on which tastes depend.",
        ),
    ] = False,
) -> None:
    """Write the events of a simulated platform to a file, a folder or Kafka.

    Examples:
        millirec simulate events.jsonl --events 1000000
        millirec simulate inbox/ --rate 200 --seconds 60
        millirec simulate kafka://127.0.0.1:9092/events --rate 1000
        millirec simulate inbox/ --rate 200 --metadata --searches 0.1
    """
    from flink_app.simulator import scenarios
    from flink_app.simulator.simulation import simulate as write

    world = scenarios.scenario(scenario).given(
        seed=seed,
        users=users,
        items=items,
        metadata=metadata,
        images=images,
        vectors=vectors,
        searches=searches,
        profiles=profiles,
    )
    write(target, events, seconds, rate, world)
