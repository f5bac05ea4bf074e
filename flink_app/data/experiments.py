"""`millirec experiment start` and `end`: a line where the running job reads, and its answer.

In: experiments, or the name of one. Out: lines of the kind `experiment`, once it is known that they
make sense; and what `stats` says of them afterwards.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from flink_app.config import Loaded
from flink_app.config.experiments import read as configured
from flink_app.config.values import toml_or_text
from flink_app.connections.redis_access import find_redis
from flink_app.connections.redis_start import began_ms
from flink_app.console.failures import FAILED, FINISHED
from flink_app.console.terminal import printable
from flink_app.data.sinks import Sink, sink_of
from flink_app.lookup.experiments import absent, fields_of, minute
from udfs.errors import ConfigError
from udfs.events.experiments import ENDS, KIND, NAMES, STARTS
from udfs.experiments.standing import Standing, read
from udfs.models.running import against
from udfs.options.experiments import Experiment
from udfs.options.sources import words

ANSWER_S = 10.0
"""How long to wait for the job: it tells of an experiment half a second after it has read of it,
unless it is behind."""
_LOOK_S = 0.1
_encode = msgspec.json.Encoder().encode


def of_arguments(
    name: str, variants: Sequence[str], options: Mapping[str, object]
) -> list[Experiment]:
    """The experiments that a command line asks for.

    Args:
        name: of one, or a TOML file with `[[experiments]]`. variants: of one, "name: option=value,
            option=value"; none: it is a file. options: share, goal and interleave, those that are
            given.

    Raises:
        ConfigError: they are not understood.

    >>> [one] = of_arguments("a", ["now", "new: rules=false, rerank.debias=0.5"], {"share": 0.2})
    >>> one.share, [(variant.name, variant.set) for variant in one.variants]
    (0.2, [('now', {}), ('new', {'rules': False, 'rerank.debias': 0.5})])
    """
    if variants:
        given = {"name": name, "variants": [*map(_variant, variants)], **options}
        return configured([given], "the command line")
    if options:
        raise ConfigError(
            "with --share, --goal or --interleave, name each variant, too: --variant now …"
        )
    try:
        document = msgspec.toml.decode(Path(name).read_bytes(), type=dict[str, Any])
    except FileNotFoundError:
        raise ConfigError(
            f"an experiment needs variants, and there is no file {name}: write --variant now "
            "--variant 'diverse: rerank.diversity=0.5', or name a TOML file with [[experiments]]."
        ) from None
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"the file {name} cannot be read as TOML: {error}.") from None
    found = configured(document.get("experiments", []), name)
    if not found:
        raise ConfigError(f"the file {name} has no [[experiments]].")
    return found


def _variant(text: str) -> dict[str, object]:
    name, _, options = text.partition(":")
    found: dict[str, object] = {}
    for option in filter(None, map(str.strip, options.split(","))):
        key, equals, value = option.partition("=")
        if not equals:
            raise ConfigError(
                f"--variant {text!r} is not understood: write 'diverse: rerank.diversity=0.5'."
            )
        found[key.strip()] = toml_or_text(value.strip())
    return {"name": name.strip(), "set": found}


def start(loaded: Loaded, experiments: Sequence[Experiment], wait: bool = True) -> int:
    """Have the running job start experiments; returns the exit code.

    Args:
        wait: whether to wait until the job tells of them.

    Raises:
        ConfigError: the job cannot run them, or reads from nowhere that can be written to.
            ServiceError: the lines cannot be written, or Redis does not answer.
    """
    sink, known, at = _sink(loaded), _known(loaded), now_ms()
    for one in experiments:
        _check_new(one, known.get(one.name))
    names = {one.name for one in experiments}
    beside = [s.experiment for s in known.values() if s.runs and s.experiment.name not in names]
    if why := against(loaded.config.settings, [*beside, *experiments]):
        raise ConfigError(why)
    lines = []
    for one in experiments:
        ended = known[one.name].ended if one.name in known else 0
        lines.append({"kind": KIND, STARTS: one, "ts": (at := max(at, ended + 1))})
    sink.write([_encode(line) for line in lines], [one.name for one in experiments])
    return _answers(loaded, names, lambda one: one.began >= at) if wait else FINISHED


def end(loaded: Loaded, name: str, wait: bool = True) -> int:
    """Have the running job end an experiment; as `start`."""
    sink, known = _sink(loaded), _known(loaded)
    one = known.get(name)
    if one is None:
        raise ConfigError(absent(name, [*known]))
    if one.ended:
        print(_said(one))
        return FINISHED
    at = max(now_ms(), one.began + 1)
    sink.write([_encode({"kind": KIND, NAMES: name, ENDS: True, "ts": at})], [name])
    return _answers(loaded, {name}, lambda told: told.ended >= at) if wait else FINISHED


def _sink(loaded: Loaded) -> Sink:
    sink = sink_of(loaded.config)
    if isinstance(sink, str):
        raise ConfigError(f"nothing can be said to the job: {sink}")
    return sink


def _known(loaded: Loaded) -> dict[str, Standing]:
    """What the running job tells of experiments, by name: `stats` may still have what an earlier
    job told, or the configuration of before."""
    client, _ = find_redis(loaded)
    since = began_ms(client, loaded.config.redis.prefix)
    own = {one.name for one in loaded.config.experiments}
    found = {one.experiment.name: one for one in read(fields_of(loaded))}
    return {name: one for name, one in found.items() if one.began >= since or name in own}


def _check_new(one: Experiment, known: Standing | None) -> None:
    """Raise ConfigError if users of another run would be counted as of this experiment."""
    if known is None or known.waits:
        return
    if known.ended:
        raise ConfigError(
            f"the experiment {one.name} has ended {minute(known.ended)}, and its users would be "
            "counted on: give the new one another name, which also draws its users anew."
        )
    before = known.experiment
    if replace(one, share=before.share) != before or one.share < before.share:
        raise ConfigError(
            f"the experiment {one.name} runs already, and only its share may grow: end it, and "
            "give the new one another name."
        )


def _answers(loaded: Loaded, names: set[str], done: Callable[[Standing], bool]) -> int:
    """Print what the job tells of experiments once `done`; the exit code."""
    deadline = time.monotonic() + ANSWER_S
    while True:
        found = [one for one in read(fields_of(loaded)) if one.experiment.name in names]
        told = [one for one in found if done(one)]
        if len(told) == len(names) or time.monotonic() > deadline:
            break
        time.sleep(_LOOK_S)
    for one in told:
        print(_said(one))
    if late := names - {one.experiment.name for one in told}:
        text = (
            f"{words(sorted(late), last='and')}: the line is written, but the job has not answered "
            f"within {ANSWER_S:g} s. It does once it gets there: is it running, does it read from "
            "there, or has it refused the line, as its dead letters would say?"
        )
        print(printable(text), file=sys.stderr)
    return FAILED if late or any(one.waits for one in told) else FINISHED


def _said(one: Standing) -> str:
    """What is told of an experiment, as a sentence."""
    name = one.experiment.name
    if one.ended:
        return f"{name} has ended {minute(one.ended)}: all users get their lists as without it."
    if one.waits:
        return printable(f"{name} waits: {one.waits}")
    share = f"{one.experiment.share * 100:.4g} %"
    names = words([variant.name for variant in one.experiment.variants], last="and")
    names += " in one list" if one.experiment.interleave else ""
    return (
        f"{name} runs: {share} of all users get {names}, each with the next list. How it goes: "
        f"millirec experiment report {name}"
    )


def now_ms() -> int:
    """The wall clock, ms since 1970."""
    return time.time_ns() // 1_000_000
