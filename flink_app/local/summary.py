"""What a run prints at its end: an account of every line, how fast it was, where the lists are.

In: the last `Totals`, the seconds it took, the configuration. Out: lines of text.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from flink_app.config import Config
from flink_app.console.live import counted, duration
from flink_app.console.totals import Totals
from udfs.accounts import LISTS
from udfs.lists.keys import POPULAR, USER


def account(totals: Totals, stopped: bool, held: int | None = None) -> list[str]:
    """What happened to every line that was read.

    Args:
        stopped: before the end of the input. held: lines in the files, if they were counted.

    >>> print("\\n".join(account(Totals(received=5, learned=3, dead={"json": 2}), False)))
    5 lines received
      3 learned
      0 duplicates
      2 dead letters  json 2
      0 ignored  blank lines, headers, no interaction, weight 0
    accounted for: all
    >>> account(Totals(received=3, learned=3), False, 6)[-1]
    'NOT accounted for: the files hold 6 lines, not 3. Please report this as a bug.'
    """
    width = len(f"{totals.received:,}")
    reasons = ", ".join(f"{reason} {count:,}" for reason, count in sorted(totals.dead.items()))
    rows = [
        (totals.learned, "learned", ""),
        (totals.duplicates, "duplicates", ""),
        (totals.rejected, "dead letters", reasons),
        *[(totals.described, "taken", "what is said of items and users")] * (totals.described > 0),
        *[(totals.refused, "refused", "from before a user was forgotten")] * (totals.refused > 0),
        *[(totals.opted_out, "not learned", "of users who opted out")] * (totals.opted_out > 0),
        (totals.ignored, "ignored", "blank lines, headers, no interaction, weight 0"),
    ]
    lines = [f"{counted(totals.received, 'line')} received"]
    if totals.lines not in (0, totals.received):
        what = f"{counted(totals.received, 'event')} on {counted(totals.lines, 'line')}"
        lines = [f"{what} received"]
    lines += [f"  {number:>{width},} {name}  {more}".rstrip() for number, name, more in rows]
    if differs(totals, held):
        text = f"the files hold {counted(held or 0, 'line')}, not {_read(totals):,}"
        return [*lines, f"NOT accounted for: {text}. Please report this as a bug."]
    if totals.missing == 0:
        return [*lines, "accounted for: all"]
    if stopped:
        return [*lines, f"accounted for: all but {totals.missing:,}, which were in progress"]
    return [*lines, f"NOT accounted for: {totals.missing:,} lines. Please report this as a bug."]


def differs(totals: Totals, held: int | None) -> bool:
    """Whether the job has received another number of lines than the files hold, if that is known.

    >>> differs(Totals(received=9, lines=3), 3), differs(Totals(received=3), 6)
    (False, True)
    """
    return held is not None and held != _read(totals)


def _read(totals: Totals) -> int:
    return totals.lines or totals.received  # of a job that does not count lines


def speed(totals: Totals, seconds: float, restored: bool) -> list[str]:
    """Lists, rates over the whole run, and how fresh lists were.

    A restored job's totals include earlier runs, so they give no rate.
    """
    rate = "" if restored or seconds <= 0 else f", {totals.received / seconds:,.0f} lines/s"
    lists = f"{counted(totals.lists, 'list')} for {counted(totals.users, 'user')}"
    return [
        f"{lists} from {counted(totals.items, 'item')} in {seconds:,.1f} s{rate}",
        f"from an event to its list: {duration(totals.total_freshness_p50_ms)} (p50), "
        f"{duration(totals.total_freshness_p99_ms)} (p99)",
    ]


def encoded(totals: Totals) -> list[str]:
    """Vectors of texts and images, if there were any to make.

    >>> encoded(Totals(encoder={"made:text": 7, "made:cached": 2, "failed:timeout": 1}))
    ['9 vectors of texts and images, 2 of them remembered; 1 without: timeout 1']
    """
    found = totals.encoder
    made = sum(n for name, n in found.items() if name.startswith("made:"))
    failed = [(name.removeprefix("failed:"), n) for name, n in found.items() if "failed:" in name]
    if not made and not failed:
        return []
    cached = f", {n:,} of them remembered" if (n := found.get("made:cached", 0)) else ""
    reasons = ", ".join(f"{reason} {n:,}" for reason, n in sorted(failed))
    left = f"; {sum(n for _, n in failed):,} without: {reasons}" if failed else ""
    return [f"{counted(made, 'vector')} of texts and images{cached}{left}"]


def quality(totals: Totals) -> list[str]:
    """How often a list contained what its user chose next, and how often the popular list did.

    >>> found = {"served:tests": 50, "served:recall@10": 0.2, "served:ndcg@10": 0.11}
    >>> found |= {name.replace("served", "popular"): value / 2 for name, value in found.items()}
    >>> print(*quality(Totals(total_quality=found)))
    50 lists tested: recall@10 .200, ndcg@10 .110; the popular list: .100, .055
    >>> print(*quality(Totals(total_quality={"ratings:tests": 9, "ratings:rmse": 0.944})))
    9 ratings predicted before each was learned: RMSE 0.944
    """
    found = totals.total_quality
    rated = []
    if ratings := int(found.get("ratings:tests", 0)):
        error = f"RMSE {found['ratings:rmse']:.3f}"
        rated = [f"{counted(ratings, 'rating')} predicted before each was learned: {error}"]
    tests = int(found.get("served:tests", 0))
    if not tests:
        return rated
    names = [f"{name}:{measure}" for name in LISTS for measure in ("recall@10", "ndcg@10")]
    values = [f"{found.get(name, 0.0):.3f}".removeprefix("0") for name in names]
    return [
        f"{counted(tests, 'list')} tested: recall@10 {values[0]}, ndcg@10 {values[1]}; "
        f"the popular list: {values[2]}, {values[3]}",
        *rated,
    ]


def dead_letters(totals: Totals, config: Config, not_written: Sequence[str] = ()) -> list[str]:
    """Where the rejected lines are, if there were any; `not_written`: why some are not there."""
    letters = config.dead_letters
    if not totals.rejected:
        return []
    if letters.kind == "none":
        return ["the dead letters were only counted: dead_letters.kind is none"]
    if letters.kind == "kafka":
        return [f"the dead letters are in the Kafka topic {letters.topic}"]
    which = " that could be written" if not_written else ""
    return [f"the dead letters{which} are in the folder {letters.path}", *not_written]


def commands(config: Config, user: str | None, address: str) -> list[str]:
    """How to read the lists that were written to the Redis at `address`."""
    prefix = config.redis.prefix
    lines = [f"the lists are in {address}"]
    if user is not None and user.isprintable():
        lines.append(f"  millirec get {shlex.quote(user)}{_options(config)}")
        lines.append(f"  redis-cli -u {address} get {shlex.quote(prefix + USER.of(user))}")
    lines.append(f"  redis-cli -u {address} get {shlex.quote(prefix + POPULAR.of())}")
    return lines


def kept(config: Config, user: str | None, dump: Path | None, failure: str) -> list[str]:
    """How to read the lists of an embedded Redis from now on.

    Args:
        dump: the file that they are kept in; None: they end with the run. failure: why it could not
            be written, or "".
    """
    folder = config.redis.keep
    if dump is None or failure:
        why = f", and {dump} could not be written ({failure})" if failure else ""
        return [
            f"the lists were in an embedded Redis, which ends with the run{why}. To keep them, use "
            "your own:",
            "  REDIS_URL=redis://127.0.0.1:6379/0 millirec run …",
        ]
    size = f"{dump.stat().st_size / 1000:,.0f} kB"
    lines = [f"the lists are kept in {folder} ({size}) until the next run from this folder:"]
    options = _options(config)
    if user is not None and user.isprintable():
        lines.append(f"  millirec get {shlex.quote(user)}{options}")
    return [*lines, f"  millirec get{options}", f"  millirec serve{options}"]


def _options(config: Config) -> str:
    """The options that find these lists, where they are not the defaults."""
    redis, usual = config.redis, Config().redis
    words = []
    for name in ("prefix", "keep"):
        if (value := getattr(redis, name)) != getattr(usual, name):
            words.append(f" --set {shlex.quote(f'redis.{name}={value}')}")
    return "".join(words)
