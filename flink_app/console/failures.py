"""Why a job failed, from pages of Java and Python traceback, and the exit codes of `millirec`.

In: the text of an exception that came through Flink. Out: a `JobFailed` whose message is the one
sentence that names the cause; and the exit code (`int`) of every error.
"""

from __future__ import annotations

import re

from udfs.errors import ConfigError, MillirecError, ServiceError, SourceError

FINISHED = 0
"""The command did what it should."""

FAILED = 1
"""The job failed or did not account for every line, there is no list of that name, or a check of
`millirec validate` FAILs."""

USAGE = 2
"""There is a mistake in the command line, the configuration or the input."""

SERVICE = 3
"""Redis, Kafka, Java or Flink does not answer."""

STOPPED = 130
"""Ctrl-C, SIGTERM or a closed terminal ended the run."""

EXIT_CODES = f"""\
Exit codes: {FINISHED} finished; {FAILED} the job or a check failed, or there is no such list; \
{USAGE} a mistake in the command line, the configuration or the input; {SERVICE} Redis, Kafka, \
Java or Flink does not answer; {STOPPED} stopped by Ctrl-C or SIGTERM."""

_PYTHON = re.compile(r"pemja\.core\.PythonException: <class '([\w.]+)'>: ")
_CAUSE = re.compile(r"^Caused by: ", re.MULTILINE)
_CLASS = re.compile(r"((?:[a-z_$][\w$]*\.)+)([A-Z][\w$]*)(?::\s*|$)")
_BY_CLASS = {"ConfigError": USAGE, "SourceError": USAGE, "ServiceError": SERVICE}


class JobFailed(MillirecError):
    """The job has ended with an error; `code` is the exit code for it."""

    def __init__(self, sentence: str, code: int = FAILED) -> None:
        super().__init__(sentence)
        self.code = code


def job_failed(trace: str) -> JobFailed:
    r"""The cause of a failure, from the text of the exception that reported it.

    >>> str(job_failed(
    ...     "An error occurred while calling o1.get.\n"
    ...     ": java.util.concurrent.ExecutionException: Job execution failed.\n\tat X.y(X.java:1)\n"
    ...     "Caused by: pemja.core.PythonException: <class 'udfs.errors.ServiceError'>: Redis at "
    ...     "redis://cache:6379 is away. Start it.\n\tat /udfs/redis_writer.send(redis_writer.py:9)"
    ... ))
    'Redis at redis://cache:6379 is away. Start it.'
    """
    python = list(_PYTHON.finditer(trace))
    if python:
        found = python[-1]
        name = found[1].rpartition(".")[2]
        message = _until_stack(trace[found.end() :])
        known = found[1].startswith("udfs.errors.")
        sentence = message if known and message else f"{name}: {message}".rstrip(": ")
        return JobFailed(sentence, _BY_CLASS.get(name, FAILED) if known else FAILED)
    causes = list(_CAUSE.finditer(trace))
    inner = trace[causes[-1].end() :] if causes else _first_java(trace)
    message = _until_stack(inner)
    return JobFailed(_short(message), SERVICE if "kafka" in inner[:200].lower() else FAILED)


def exit_code(error: MillirecError) -> int:
    """The exit code for an error.

    >>> exit_code(ConfigError("…")), exit_code(ServiceError("…"))
    (2, 3)
    """
    if isinstance(error, JobFailed):
        return error.code
    if isinstance(error, ConfigError | SourceError):
        return USAGE
    return SERVICE if isinstance(error, ServiceError) else FAILED


def _first_java(trace: str) -> str:
    """What follows py4j's own sentence, if there is more."""
    head, _, rest = trace.partition("\n: ")
    return rest if head.startswith("An error occurred while calling") and rest else trace


def _until_stack(text: str) -> str:
    """The message before its stack: it may have several lines."""
    message = re.split(r"\n\s+at |\n\s*\.\.\. \d+ more|\nCaused by: ", text, maxsplit=1)[0]
    return " ".join(message.split())


def _short(message: str) -> str:
    """Without the packages of the class in front: `java.io.IOException: …` → `IOException: …`."""
    found = _CLASS.match(message)
    if not found:
        return message or "no reason was given"
    return f"{found[2]}: {message[found.end() :]}".rstrip(": ")
