"""Makes the configuration of a run: the first thing every command does.

In: a TOML file (`Path | None`), `--set` overrides (`Sequence[str]`), the environment
(`Mapping[str, str]`). Out: `Loaded`, the frozen `Config` with the origin of each value.

Later wins: defaults, then the file, then variables `MILLIREC_SECTION_OPTION`, then `--set
section.option=value`. Tables (such as events.weights) are added to, entry by entry; rules and
experiments, which are not in a section, are replaced all together.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from flink_app.config import experiments, rules
from flink_app.config.hints import hint
from flink_app.config.registry import OPTIONS, SECTIONS, Option
from flink_app.config.removed import REMOVED
from flink_app.config.tree import Config
from flink_app.config.values import checked, from_text
from udfs.errors import ConfigError
from udfs.events.pseudonyms import VARIABLE as PSEUDONYM_KEY

DEFAULT = "default"
"""The origin of a value that was not set."""

STRICT = "job.strict"
"""The origin of a value that strict mode has set."""

ONE_IN_STRICT = ("job.parallelism", "job.shards", "job.item_shards")
"""The options that strict mode sets to 1, unless they are set."""

LISTED: dict[str, Any] = {rules.NAME: rules, experiments.NAME: experiments}
"""What is not in a section, but a list of tables, by the module that reads it."""
_LISTED_VARIABLES = {module.VARIABLE: name for name, module in LISTED.items()}
_VARIABLES = {option.variable: option for option in OPTIONS.values()}
_REMOVED_VARIABLES = {f"MILLIREC_{name.replace('.', '_')}".upper(): name for name in REMOVED}


class Loaded(msgspec.Struct, frozen=True):
    """A configuration and where it came from.

    Attributes:
        config: the frozen tree.
        origins: name → origin, for every option and for every entry of a table option, such as
            `events.weights.view`; and of what is `LISTED`. An origin reads `default`, the file's
            path, `environment MILLIREC_REDIS_URL`, `--set` or `job.strict`.
    """

    config: Config
    origins: dict[str, str]

    def reading(self, paths: list[str]) -> Loaded:
        """The same with other `source.paths`, from arguments: TOML cannot write all of them."""
        source = msgspec.structs.replace(self.config.source, paths=paths)
        config = msgspec.structs.replace(self.config, source=source)
        return Loaded(config, self.origins | {"source.paths": "argument"})


class _Setting(NamedTuple):
    """A value as it was set, not checked yet; of one of `LISTED`, which is checked."""

    option: Option | str
    value: object
    origin: str


def load(
    path: Path | None = None,
    overrides: Sequence[str] = (),
    environ: Mapping[str, str] = os.environ,
) -> Loaded:
    """The configuration of a run; `check.check` then says whether a job can run with it.

    Args:
        path: a TOML file; None reads none.
        overrides: `section.option=value`, the value in TOML or a bare word. A table takes
            `section.option.entry=value`, or a whole table.
        environ: `MILLIREC_SECTION_OPTION`, values as in `overrides`; `REDIS_URL` sets redis.url
            where `MILLIREC_REDIS_URL` does not.

    Raises:
        ConfigError: a file that cannot be read, a name that does not exist or no longer does, a
            wrong type, a value out of range, or text that is not UTF-8.

    >>> loaded = load(None, ["model.dimensions=64"], {"REDIS_URL": "redis://cache"})
    >>> loaded.config.model.dimensions, loaded.origins["model.dimensions"]
    (64, '--set')
    >>> loaded.config.redis.url, loaded.origins["redis.url"]
    ('redis://cache', 'environment REDIS_URL')
    """
    values = {name: option.default for name, option in OPTIONS.items()}
    origins = dict.fromkeys([*values, *LISTED], DEFAULT)
    listed: dict[str, object] = {name: [] for name in LISTED}
    for option in OPTIONS.values():
        if option.is_table:
            origins |= {f"{option.name}.{entry}": DEFAULT for entry in option.default}
    for option, raw, origin in (
        *(_from_file(path) if path is not None else ()),
        *_from_environment(environ),
        *(_from_override(text) for text in overrides),
    ):
        if isinstance(option, str):
            listed[option], origins[option] = raw, origin
            continue
        value = checked(option, raw, origin)
        if option.name not in _PATHS:
            _check_text(option, value, origin)
        origins[option.name] = origin
        if option.is_table:
            origins |= {f"{option.name}.{entry}": origin for entry in value}
            value = values[option.name] | value
        values[option.name] = value
    if values["job.strict"]:
        for name in ONE_IN_STRICT:
            if origins[name] == DEFAULT:
                values[name], origins[name] = 1, STRICT
    return Loaded(msgspec.convert({**_tree(values), **listed}, Config), origins)


_PATHS = (
    "source.paths", "state.checkpoints", "state.restore", "dead_letters.path", "ranker.log",
    "redis.keep", "serve.evaluation",
)  # fmt: skip
"""Names of files may be any bytes; what Flink cannot name is refused by `check`."""


def _check_text(option: Option, value: object, origin: str) -> None:
    try:
        str(value).encode()
    except UnicodeEncodeError:
        raise ConfigError(
            f"{option.name} (from {origin}) is {str(value)!r}, which is not text in UTF-8: write "
            "it in UTF-8."
        ) from None


def _tree(values: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    sections: dict[str, dict[str, Any]] = {section: {} for section in SECTIONS}
    for name, option in OPTIONS.items():
        sections[option.section][option.key] = values[name]
    return sections


def _from_file(path: Path) -> Iterator[_Setting]:
    origin = str(path)
    for section, table in _read(path).items():
        if section in LISTED:
            yield _Setting(section, LISTED[section].read(table, origin), origin)
            continue
        if not isinstance(table, dict):
            raise ConfigError(
                f"{section} is not in a section (from {origin}): write it below its [section]."
            )
        _check_section(section, origin)
        for key, value in table.items():
            yield _Setting(_find(f"{section}.{key}", origin), value, origin)


def _read(path: Path) -> dict[str, Any]:
    try:
        # msgspec reads TOML with tomllib; on Python 3.10 with tomli.
        return msgspec.toml.decode(path.read_bytes().decode(), type=dict[str, Any])
    except FileNotFoundError:
        raise ConfigError(
            f"the configuration file {path} does not exist: create it, or use another."
        ) from None
    except OSError as error:
        raise ConfigError(
            f"the configuration file {path} cannot be read: {error.strerror}."
        ) from None
    except UnicodeDecodeError:
        raise ConfigError(
            f"the configuration file {path} is not UTF-8: save it in that encoding."
        ) from None
    except msgspec.DecodeError as error:
        raise ConfigError(f"the configuration file {path} is not TOML: {error}.") from None


def _from_environment(environ: Mapping[str, str]) -> Iterator[_Setting]:
    if url := environ.get("REDIS_URL"):
        yield _Setting(OPTIONS["redis.url"], url, "environment REDIS_URL")
    for variable in sorted(environ):
        if not variable.startswith("MILLIREC_") or variable == PSEUDONYM_KEY:
            continue
        origin = f"environment {variable}"
        if (name := _LISTED_VARIABLES.get(variable)) is not None:
            yield _Setting(name, LISTED[name].from_text(environ[variable], origin), origin)
            continue
        if variable not in _VARIABLES:
            _check_removed(_REMOVED_VARIABLES.get(variable, ""), origin)
            near = get_close_matches(variable, _VARIABLES, n=1, cutoff=0.8)
            meant = f"did you mean {near[0]}?" if near else "write MILLIREC_SECTION_OPTION."
            raise ConfigError(f"the variable {variable} sets no option: {meant}")
        option = _VARIABLES[variable]
        yield _Setting(option, from_text(option, environ[variable]), origin)


def _from_override(text: str) -> _Setting:
    name, equals, value = text.partition("=")
    section, *rest = name.strip().split(".", 2)
    if equals and section in LISTED and not rest:
        return _Setting(section, LISTED[section].from_text(value.strip(), "--set"), "--set")
    if not equals or not rest:
        raise ConfigError(f"--set {name} is not understood: write --set section.option=value.")
    option = _find(f"{section}.{rest[0]}", "--set")
    if len(rest) == 1:
        return _Setting(option, from_text(option, value.strip()), "--set")
    entry = rest[1]
    if len(entry) > 1 and entry[0] == entry[-1] and entry[0] in "\"'":  # as TOML writes such keys
        entry = entry[1:-1]
    if not option.is_table:
        raise ConfigError(f"--set {name} is not possible: {option.name} is a single value.")
    return _Setting(option, {entry: from_text(option, value.strip(), entry=entry)}, "--set")


def _find(name: str, origin: str) -> Option:
    if name in OPTIONS:
        return OPTIONS[name]
    _check_removed(name, origin)
    section, _, key = name.partition(".")
    _check_section(section, origin)
    keys = [option.key for option in OPTIONS.values() if option.section == section]
    elsewhere = [option.name for option in OPTIONS.values() if option.key == key]
    meant = f"did you mean {elsewhere[0]}?" if elsewhere else hint(key, keys)
    raise ConfigError(f"[{section}] has no option {key} (from {origin}): {meant}")


def _check_removed(name: str, origin: str) -> None:
    if name in REMOVED:
        raise ConfigError(
            f"{name} (from {origin}) is no longer an option: {REMOVED[name]} Remove the setting."
        )


def _check_section(section: str, origin: str) -> None:
    if section not in SECTIONS:
        meant = hint(section, [*SECTIONS, *LISTED])
        raise ConfigError(f"there is no section [{section}] (from {origin}): {meant}")
