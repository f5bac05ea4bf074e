"""`python -m benchmarks.peers`: measure, print, write.

In: options; MovieLens-100K if available, else the simulated shop. Out: a table on standard error,
the figures as one line of JSON on standard output, and benchmarks/out/peers.json, peers.md and
peers.png.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.evaluate import u_data
from benchmarks.load import DIMENSIONS, EXPONENT, ITEMS, USERS
from benchmarks.machine import machine
from benchmarks.peers.environments import NotInstalled, python_of
from benchmarks.peers.measure import full_speed, live, recall
from benchmarks.peers.plot import save
from benchmarks.peers.process import PeerFailed
from benchmarks.peers.report import markdown, show
from benchmarks.peers.stream import Stream, is_test, popular_hits, recorded, simulated
from benchmarks.peers.systems import PEERS, Peer
from flink_app.evaluate.plot import check_plot
from flink_app.local.redis_server import RedisServer

OUT = Path(__file__).parents[1] / "out"
HISTORY = 60_000


def main() -> None:
    """Parse, measure, write."""
    names = [peer.name for peer in PEERS]
    parser = argparse.ArgumentParser(prog="benchmarks.peers", description=__doc__)
    parser.add_argument(
        "--only",
        nargs="+",
        choices=names,
        default=names,
        metavar="NAME",
        help=f"some of {', '.join(names)}",
    )
    parser.add_argument("--seconds", type=float, default=40, help="of the live measurement")
    parser.add_argument("--rate", type=float, default=400, help="its events/s")
    parser.add_argument("--events", type=float, default=1.0, help="scale of backlogs and history")
    parser.add_argument("--data", type=Path, help="u.data of MovieLens-100K, or its folder")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that no peer outlives this process
    check_plot(OUT / "peers.png")
    history = round(HISTORY * min(options.events, 1.0))
    stream = chosen(options.data, history, int(options.rate * options.seconds))
    OUT.mkdir(exist_ok=True)
    rows: list[dict[str, Any]] = []
    with RedisServer() as server:
        for peer in PEERS:
            if peer.name in options.only:
                given = (server.url, stream, options.rate, options.seconds, options.events)
                rows.append(measured(peer, *given))
                # After each peer, so that an interrupted run leaves its figures.
                figures = summary(rows, stream) | {"rate": options.rate, "seconds": options.seconds}
                write(figures)
    show(figures)
    print(f"written: {OUT}/peers.json, peers.md, peers.png", file=sys.stderr)
    print(json.dumps(figures))


def write(figures: dict[str, Any]) -> None:
    """Write the figures, the report and the plot."""
    (OUT / "peers.json").write_text(json.dumps(figures, indent=2) + "\n")
    (OUT / "peers.md").write_text(markdown(figures))
    save(figures, OUT / "peers.png")


def chosen(data: Path | None, history: int, events: int) -> Stream:
    """MovieLens-100K if available, or else enough events of the simulated shop."""
    path = u_data(data)
    if path.exists():
        return recorded(path, history)
    if data is not None:
        raise SystemExit(f"{path} does not exist")
    return simulated(history + 3 * events, history)


def measured(
    peer: Peer, url: str, stream: Stream, rate: float, seconds: float, scale: float
) -> dict[str, Any]:
    """Both measurements of a peer, or the reason why they are missing."""
    row: dict[str, Any] = {
        "name": peer.name,
        "title": peer.title,
        "what": peer.what,
        "source": peer.source,
        "requirements": peer.requirements,
        "factors": peer.factors,
    }
    log = OUT / f"peers-{peer.name}.log"
    try:
        start = (python_of(peer.name, peer.requirements), "-m", peer.module, "{folder}", "{url}")
        if peer.full_speed is not None:
            say(f"{peer.title}: at full speed …")
            command = (*start, str(DIMENSIONS), *peer.full_speed)
            backlog, warm = round(peer.backlog * scale), round(peer.warm * scale)
            row["full_speed"] = full_speed(command, log, url, backlog, warm)
        if peer.live is not None:
            say(f"{peer.title}: live, {rate:g} events/s …")
            command = (*start, str(peer.factors), *peer.live)
            known = round(peer.history * scale)
            row["live"] = live(command, log, url, stream, known, rate, seconds)
    except NotInstalled as error:
        row["missing"] = f"could not be installed: {error}"
    except PeerFailed as error:
        row["missing"] = f"{error} ({log.relative_to(OUT.parent)})"
    return row


def summary(rows: list[dict[str, Any]], stream: Stream) -> dict[str, Any]:
    """All figures: the rows with their recall, and the data and machine of the measurement."""
    longest = max([len(row["live"]["held"]) for row in rows if "live" in row], default=0)
    end = stream.prefix + longest
    popular, counted = (
        popular_hits(stream, stream.prefix, end),
        is_test(stream)[stream.prefix : end],
    )
    found = [dict(row) for row in rows]
    for row in found:
        if "live" in row:
            row["live"] = dict(row["live"])
            held = row["live"].pop("held")
            mask = counted[: len(held)]
            row["live"] |= {
                "tests": int(mask.sum()),
                "without_list": round(float((np.array(held) < 0)[mask].mean()), 4),
                "recall@10": round(recall(held, popular, counted), 4),
            }
    return {
        "peers": found,
        "popular_recall@10": round(float(popular[counted].mean()), 4) if longest else None,
        "machine": machine(),
        "full_speed": {
            "users": USERS,
            "items": ITEMS,
            "zipf": EXPONENT,
            "factors": DIMENSIONS,
        },
        "live": {"source": stream.source, "history": stream.prefix},
    }


def say(text: str) -> None:
    """Print progress."""
    print(text, file=sys.stderr)


if __name__ == "__main__":
    main()
