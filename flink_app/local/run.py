"""`millirec run`: any configuration on the embedded MiniCluster, from a bare machine to a summary.

In: a loaded configuration. Out: lists in Redis, a live line on standard error, a summary on
standard output, an exit code (see `flink_app.console.failures`). Java, and Redis if none is
configured, last as long as the run.
"""

from __future__ import annotations

import contextlib
import logging
import shlex
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import msgspec
import redis
from rich.console import Console
from rich.text import Text

from flink_app.config import Config, Loaded
from flink_app.config.check import check
from flink_app.config.load import DEFAULT
from flink_app.config.paths import is_local
from flink_app.config.writable import check_writable
from flink_app.connections.kafka import require_kafka
from flink_app.connections.redis_access import EMBEDDED_PORT, redis_address, redis_client
from flink_app.connections.redis_start import continues, require_rights, start_afresh
from flink_app.console.failures import FAILED, FINISHED, STOPPED, JobFailed
from flink_app.console.live import LiveLine
from flink_app.console.terminal import printable
from flink_app.console.totals import Totals, read_totals
from flink_app.graph.event_settings import decode_settings
from flink_app.graph.headers import check_headers
from flink_app.graph.restore import newest_checkpoint
from flink_app.graph.sources import items_of, source_of
from flink_app.local import summary
from flink_app.local.embedded_job import EmbeddedJob
from flink_app.local.kept_redis import KeptRedis
from flink_app.local.line_count import count_of
from flink_app.local.own_redis import redis_of_run
from flink_app.local.stop import Stop
from flink_app.local.unpack import Readable, readable
from flink_app.lookup import lists
from udfs.accounts import NOT_WRITTEN
from udfs.errors import ConfigError, ServiceError
from udfs.lists import contract
from udfs.lists.keys import USER
from udfs.stores.redis_refusals import FAILURES

log = logging.getLogger(__name__)

_POLL_S = 0.2
_SETTLE_S = 2.0  # after a stop: the job writes its totals twice a second
_SAMPLE_LENGTH = 5


def run(loaded: Loaded, debug: bool = False) -> int:
    """Run the job until its input ends or it is stopped; returns the exit code.

    Args:
        debug: whether a failure shows its whole traceback too.

    Raises:
        ConfigError, SourceError: the job cannot be built. ServiceError: something it depends on
            does not answer. JobFailed: it has ended with an error.
    """
    _check_input(loaded.config)
    log_file = Path(tempfile.mkdtemp(prefix="millirec-")).absolute() / "millirec.log"
    _log_to(log_file)
    console = Console(stderr=True)
    stop = Stop()
    try:
        with stop:
            return _Run(loaded, log_file, console, stop).run()
    except KeyboardInterrupt:
        when = "at once, without its last figures" if stop.requested else "before the job started"
        console.print(f"stopped {when}", highlight=False)
        return STOPPED
    except Exception as error:
        log.exception("the run has failed")
        if debug:
            traceback.print_exc()
        if isinstance(error, JobFailed):
            raise JobFailed(f"{error}\nlog: {log_file}", error.code) from error
        raise


def _check_input(config: Config) -> None:
    """Find mistakes in the input before Java takes its seconds to start."""
    check(config)
    check_writable(config)
    decode_settings(config)
    if config.source.kind not in ("files", "directory"):
        source_of(config)  # `readable` looks into files
    if config.items.kind not in ("files", "directory"):
        items_of(config)
    check_headers(config)
    if config.state.restore == "latest" and is_local(config.state.checkpoints):
        newest_checkpoint(config.state.checkpoints)
    require_kafka(config)


def _log_to(file: Path) -> None:
    """PyFlink's and our own log records go to the file that Flink logs to, none to the terminal."""
    handler = logging.FileHandler(file, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)-5s %(name)s %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)


class _Run:
    """One run."""

    def __init__(self, loaded: Loaded, log_file: Path, console: Console, stop: Stop) -> None:
        self._config = loaded.config
        self._input = Readable(loaded.config, {})
        self._finished = False
        self._embedded = loaded.origins["redis.url"] == DEFAULT
        self._kept: KeptRedis | None = None
        self._log_file, self._console, self._stop = log_file, console, stop
        self._totals = Totals()
        self._seconds = 0.0
        self._began_ms = 0
        self._not_written: list[str] = []

    def run(self) -> int:
        """Returns the exit code."""
        with contextlib.ExitStack() as stack:
            count = count_of(self._config)
            stack.callback(count.stop)
            self._input = readable(self._config, self._say)
            stack.callback(self._forget)
            self._config = self._input.config
            if self._embedded:
                self._config = self._with_redis(stack)
            self._client = stack.enter_context(contextlib.closing(redis_client(self._config)))
            require_rights(self._client, self._config)
            try:
                finished, advice = self._work()
            except JobFailed as error:
                if fault := count.fault(_SETTLE_S):
                    raise fault from error
                raise
            held, reason = count.result() if finished else (None, "")
            self._summarise(finished, advice, held, reason)
            self._finished = finished
        if not finished:
            return STOPPED
        lost = self._totals.missing or summary.differs(self._totals, held)
        return FAILED if lost else FINISHED

    def _forget(self) -> None:
        """Remove what was unpacked, unless a job may be restored that still reads it."""
        if self._finished or not self._config.state.checkpoints:
            self._input.remove()

    def _with_redis(self, stack: contextlib.ExitStack) -> Config:
        """Start a Redis, at the port where lookups look for it if that is free."""
        url, self._kept = redis_of_run(self._config, stack, self._say)
        name = "" if self._kept or url.endswith(f":{EMBEDDED_PORT}/0") else f"REDIS_URL={url} "
        self._say(
            f"lists go to an embedded Redis at {url}; in another terminal: {name}millirec get USER"
        )
        changed = msgspec.structs.replace(self._config.redis, url=url)
        return msgspec.structs.replace(self._config, redis=changed)

    def _say(self, text: str) -> None:
        self._console.print(Text(printable(text)), highlight=False, soft_wrap=True)

    def _work(self) -> tuple[bool, list[str]]:
        """Run Java and the job to the end; whether it finished, and how to continue if not."""
        with LiveLine(self._console) as line:
            line.stage("starting Java and Flink")
            names, warn = self._input.names, self._noting(line.warn)
            with EmbeddedJob(self._config, self._log_file, warn, names=names) as job:
                self._start_afresh(line)
                if job.compiles:
                    line.stage("starting Flink, and compiling for this processor, for a minute")
                job.submit()
                self._began_ms, self._began = lists.now_ms(), time.monotonic()
                line.stage("running; Ctrl-C stops it")
                with self._input.unpacking(line.warn):
                    finished = self._follow(job, line)
                job_id = job.id
                far = not is_local(self._config.state.checkpoints)  # only Flink can look there
                advice = self._go_on(job_id) if far and not finished else []
                line.stage("stopping Flink")
        return finished, advice if finished or far else self._go_on(job_id)

    def _noting(self, warn: Callable[[str], None]) -> Callable[[str], None]:
        """`warn`, which repeats in the summary that dead letters were not written."""

        def warned(message: str) -> None:
            if message.startswith(NOT_WRITTEN) and message not in self._not_written:
                self._not_written.append(message)
            warn(message)

        return warned

    def _start_afresh(self, line: LiveLine) -> None:
        """Remove what an earlier job has left in Redis, unless this one continues it."""
        config, state = self._config, self._config.state
        checkpoint = state.restore
        if checkpoint == "latest":
            checkpoint = newest_checkpoint(state.checkpoints)
        if not continues(self._client, config.redis.prefix, checkpoint) and (
            note := start_afresh(self._client, config, lists.now_ms())
        ):
            line.say(note)

    def _follow(self, job: EmbeddedJob, line: LiveLine) -> bool:
        """Show its progress until it has finished (true) or is stopped (false)."""
        self._stop.gently = True
        while not self._stop.requested:
            finished = job.finished()
            self._read()
            if finished:
                return True
            if self._totals.at:
                line.figures(self._totals, self._seconds)
            time.sleep(_POLL_S)
        line.stage("stopping; Ctrl-C again stops it at once")
        asked, asked_ms = time.monotonic(), lists.now_ms()
        while time.monotonic() - asked < _SETTLE_S and not job.finished():
            self._read()
            if self._totals.at >= asked_ms and not self._totals.missing:
                break
            time.sleep(_POLL_S / 4)
        return False

    def _read(self) -> None:
        """Read the job's totals; while Redis does not answer, the last ones remain."""
        self._seconds = time.monotonic() - self._began
        with contextlib.suppress(redis.RedisError):
            prefix = self._config.redis.prefix
            totals = read_totals(self._client, prefix, self._began_ms)
            self._totals = totals or self._totals

    def _go_on(self, job_id: str) -> list[str]:
        """What a stopped job can continue from."""
        folder = self._config.state.checkpoints
        if not folder:
            return [
                "no checkpoints were made (state.checkpoints): the next run starts without state"
            ]
        whose = "its last checkpoint"
        with contextlib.suppress(ConfigError):
            try:
                newest = newest_checkpoint(folder)
            except ServiceError as error:
                return [f"its checkpoints cannot be looked at: {error}"]
            if job_id not in newest and self._config.state.restore:
                whose = "the newest checkpoint, since it was stopped before its first one"
            if job_id in newest or self._config.state.restore:
                path = shlex.quote(printable(newest))
                return [f"to continue from {whose}: --restore {path}"]
        return ["it was stopped before its first checkpoint"]

    def _summarise(self, finished: bool, advice: list[str], held: int | None, reason: str) -> None:
        out = Console(highlight=False, soft_wrap=True)
        totals, config = self._totals, self._config
        lines = ["finished" if finished else "stopped", ""]
        lines += summary.account(totals, not finished, held)
        lines += [f"not compared with the files: {reason}"] if reason else []
        lines += summary.speed(totals, self._seconds, restored=bool(config.state.restore))
        lines += summary.encoded(totals)
        lines += summary.quality(totals)
        lines += [
            f"not learned: {why}" for one in self._input.arrivals for why in one.unread.values()
        ]
        lines += [*summary.dead_letters(totals, config, self._not_written), *advice]
        lines += [f"log: {self._log_file}", ""]
        for text in lines:
            out.print(Text(text))
        self._show_lists(out)

    def _show_lists(self, out: Console) -> None:
        """One list as an example, and how to read the others."""
        prefix, address = self._config.redis.prefix, redis_address(self._config)
        user: str | None = None
        with contextlib.suppress(*FAILURES):  # the job may write, but not look for lists
            user = lists.sample(self._client, prefix)
            key = "" if user is None else prefix + USER.of(user)
            value = lists.read(self._client, key) if key else None
            if value is not None:
                found = contract.read(value)
                said = lists.said_in(self._client, prefix, value)
                shown = f"{key}, the first {_SAMPLE_LENGTH}"
                out.print(lists.table(found, shown, said, lists.now_ms(), _SAMPLE_LENGTH))
        if self._config.privacy.pseudonyms:
            user = None  # `millirec get` wants the id, which nobody here knows
        hints = summary.commands(self._config, user, address)
        if self._embedded:
            kept = self._kept
            failure, dump = (kept.save(), kept.dump) if kept else ("", None)
            hints = summary.kept(self._config, user, dump, failure)
        for text in hints:
            out.print(Text(text))
