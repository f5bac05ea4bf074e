"""The Redis of `millirec run`, whose lists outlive the run: its file is in a folder.

In: the folder. Out: a `redis://` URL that answers while at least one process has entered it. The
first process starts the server from the file, others find it, and it ends with the last of them,
however that one ends: each holds a named pipe open for writing, at whose end the server's guard
ends it. Only a run saves what changes: every minute, and at its end.
"""

from __future__ import annotations

import fcntl
import os
import select
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import redis

from flink_app.local.ports import LOOPBACK, in_use
from flink_app.local.redis_server import RedisServer, answers
from udfs.errors import ServiceError
from udfs.stores.redis_refusals import FAILURES, words

DUMP = "dump.rdb"
_SAVE = "60 1"  # every 60 s if there was at least one write: a fork, and little else
_LAST_S = 1.0  # how long to wait for its end: without changes to save it takes 0.1 s
_END_S = 60.0  # how long a server that ends may take to save


class KeptRedis:
    """Context manager: the Redis of a folder.

    Args:
        port: preferred by the process that starts it; None: a free one.

    Attributes:
        url: where it answers. started: whether this process has started it.

    Raises (on entering):
        OSError: the folder cannot be written to. Unreadable: its file is none of Redis's.
        ServiceError: see `RedisServer`.
    """

    def __init__(self, folder: Path, port: int | None = None) -> None:
        self.folder = folder.absolute()
        self.url, self.started = "", False
        self._port = port
        self._pipe: int | None = None
        self._run: int | None = None
        self._saved = False
        self._server: RedisServer | None = None

    @property
    def dump(self) -> Path:
        """The file of the lists."""
        return self.folder / DUMP

    def __enter__(self) -> KeptRedis:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # lists are about people
        with self._alone():
            if not self._join():
                self._start()
        return self

    def __exit__(self, *_: object) -> None:
        self.leave()

    def find(self) -> bool:
        """Enter, unless no server lives and there is no file either; false then.

        Raises:
            See the class.
        """
        if self._pipe is not None and answers(self.url):
            return True
        self.leave()
        with self._alone():
            if self._join():
                return True
            if not self.dump.exists():
                return False
            self._start()
        return True

    def running(self) -> bool:
        """Whether a `millirec run` writes to it, or to another Redis of this folder."""
        return not self._free("run")

    def claim(self) -> bool:
        """Be the run that writes to it, until `leave`; false if another one is."""
        self._run = self._locked("run")
        if self._run is None:
            return False
        with closing(redis.Redis.from_url(self.url)) as client:
            # What cannot be saved is told at the end; the job goes on.
            client.config_set("stop-writes-on-bgsave-error", "no")
            client.config_set("rdbcompression", "no")  # which takes as long as all the rest
            client.config_set("save", _SAVE)
        return True

    def save(self) -> str:
        """Write the file; returns why that was not possible, or "". A run does it once, last."""
        if self._saved:
            return ""
        self._saved = self._run is not None
        with closing(redis.Redis.from_url(self.url)) as client:
            try:
                _save(client)
            except FAILURES as error:
                return words(error) or f"see {self.folder / 'redis.log'}"
            finally:
                if self._run is not None:
                    with suppress(*FAILURES):
                        # Or it would save again at its end, and where it cannot, not end at all.
                        client.config_set("save", "")
        return ""

    def leave(self) -> None:
        """Do without it from now on; does nothing the second time."""
        for held in (self._run, self._pipe):
            if held is not None:
                os.close(held)
        self._run = self._pipe = None
        if self._server is not None:
            self._server.ended(_LAST_S)  # unless others use it
            self._server = None

    def _file(self, name: str) -> int:
        return os.open(self.folder / f"{name}.lock", os.O_RDWR | os.O_CREAT, 0o600)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One process at a time starts the server or finds it."""
        lock = self._file("start")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def _join(self) -> bool:
        """Find a server that another process has started; false if there is none."""
        deadline = time.monotonic() + _END_S
        while not self._free("alive"):
            with suppress(OSError, ValueError):
                pipe = os.open(self.folder / "users", os.O_WRONLY | os.O_NONBLOCK)
                try:
                    self.url = f"redis://{LOOPBACK}:{int((self.folder / 'port').read_text())}/0"
                    if answers(self.url) and not _broken(pipe):
                        self._pipe = pipe
                        return True
                finally:
                    if self._pipe is None:  # or this process would keep what is ending alive
                        os.close(pipe)
            if time.monotonic() > deadline:
                raise ServiceError(
                    f"the Redis of {self.folder} neither answers nor ends: end it (its log is "
                    "redis.log there), or name another folder with redis.keep."
                )
            time.sleep(0.05)  # it is just ending, and may be saving
        return False

    def _locked(self, name: str) -> int | None:
        """The file, locked; None if another process has locked it."""
        lock = self._file(name)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(lock)
            return None
        return lock

    def _free(self, name: str) -> bool:
        """Whether no process holds the lock: each server holds `alive`, a run `run`."""
        lock = self._locked(name)
        if lock is not None:
            os.close(lock)
        return lock is not None

    def _start(self) -> None:
        """Start a server that ends with its last user."""
        pipe = self.folder / "users"
        if not pipe.is_fifo():
            pipe.unlink(missing_ok=True)
            os.mkfifo(pipe, 0o600)
        for left in self.folder.glob("temp-*.rdb"):  # of a server that was killed while it saved
            left.unlink(missing_ok=True)
        port = None if self._port is None or in_use(self._port) else self._port
        alive = self._file("alive")
        fcntl.flock(alive, fcntl.LOCK_EX)
        reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
        self._pipe = os.open(pipe, os.O_WRONLY)
        os.set_blocking(reader, True)
        self._server = RedisServer(port, self.folder, reader, [alive])
        try:
            self._server.__enter__()
            (self.folder / "port").write_text(str(self._server.port))
        except BaseException:
            self.leave()
            raise
        finally:
            os.close(reader)
            os.close(alive)
        self.url, self.started = self._server.url, True

    def set_aside(self) -> Path:
        """Rename the file, so that the next server starts without it; returns its new name."""
        return self.dump.replace(self.dump.with_name(f"{DUMP}.unreadable"))


def _save(client: redis.Redis) -> None:
    """SAVE, once a save in the background has ended."""
    deadline = time.monotonic() + _END_S
    while True:
        try:
            client.save()
            return
        except redis.ResponseError as error:
            if "in progress" not in str(error) or time.monotonic() > deadline:
                raise
        time.sleep(0.05)


def _broken(pipe: int) -> bool:
    """Whether nobody reads the pipe any more."""
    poll = select.poll()
    poll.register(pipe, 0)
    time.sleep(0.01)  # so long may pass from its last reader's last read to its end
    return any(events & select.POLLERR for _, events in poll.poll(0))
