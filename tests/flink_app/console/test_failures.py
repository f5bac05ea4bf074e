"""The cause is found in traces as Flink 2.3 writes them, and every error has its exit code."""

from __future__ import annotations

import pytest

from flink_app.console.failures import JobFailed, exit_code, job_failed
from udfs.errors import ConfigError, MillirecError, ServiceError, SourceError

HEAD = """\
An error occurred while calling o1088.get.
: java.util.concurrent.ExecutionException: org.apache.flink.runtime.client.JobExecutionException: \
Job execution failed.
\tat java.base/java.util.concurrent.CompletableFuture.reportGet(Unknown Source)
\tat java.base/java.lang.Thread.run(Unknown Source)
Caused by: org.apache.flink.runtime.client.JobExecutionException: Job execution failed.
\tat org.apache.flink.runtime.jobmaster.JobResult.toJobExecutionResult(JobResult.java:180)
Caused by: org.apache.flink.runtime.JobException: Recovery is suppressed by \
FixedDelayRestartBackoffTimeStrategy(maxNumberRestartAttempts=0, backoffTimeMS=1000)
\tat org.apache.flink.runtime.scheduler.DefaultScheduler.handleTaskFailure(Default.java:291)
\t... 5 more
"""

OPERATOR = (
    HEAD
    + """\
Caused by: TimerException{java.lang.reflect.InvocationTargetException}
\t... 15 more
Caused by: java.lang.reflect.InvocationTargetException
\tat java.base/java.lang.reflect.Method.invoke(Unknown Source)
\t... 14 more
Caused by: pemja.core.PythonException: <class '%s'>: %s
\tat /app/udfs/redis_writer.send(redis_writer.py:90)
\tat pemja.core.object.PyIterator.hasNext(PyIterator.java:40)
\t... 21 more

"""
)

JAVA = (
    HEAD
    + """\
Caused by: java.lang.RuntimeException: One or more fetchers have encountered exception
\tat org.apache.flink.connector.base.source.reader.fetcher.SplitFetcherManager.checkErrors(S.java:9)
\t... 14 more
Caused by: %s
\tat java.base/java.io.FileInputStream.open0(Native Method)
\t... 6 more
"""
)

SQL = """\
An error occurred while calling o123.sqlQuery.
: org.apache.flink.table.api.ValidationException: Could not find any factory for identifier \
'pulsar' that implements 'DynamicTableFactory' in the classpath.

Available factory identifiers are:

blackhole
filesystem
\tat org.apache.flink.table.factories.FactoryUtil.discoverFactory(FactoryUtil.java:645)
"""


@pytest.mark.parametrize(
    ("name", "code"), [("ServiceError", 3), ("ConfigError", 2), ("SourceError", 2)]
)
def test_an_error_of_our_own_is_its_sentence(name: str, code: int) -> None:
    failed = job_failed(OPERATOR % (f"udfs.errors.{name}", "Redis is away.\nStart it."))
    assert (str(failed), failed.code) == ("Redis is away. Start it.", code)


def test_a_python_error_names_its_class() -> None:
    failed = job_failed(OPERATOR % ("KeyError", "'alice'"))
    assert (str(failed), failed.code) == ("KeyError: 'alice'", 1)
    assert str(job_failed(OPERATOR % ("MemoryError", ""))) == "MemoryError"


def test_a_foreign_error_of_the_same_name_is_not_ours() -> None:
    assert job_failed(OPERATOR % ("lib.ConfigError", "no")).code == 1


def test_a_java_error_loses_its_packages() -> None:
    failed = job_failed(JAVA % "java.io.FileNotFoundException: /data/a (No such file or directory)")
    assert str(failed) == "FileNotFoundException: /data/a (No such file or directory)"
    assert failed.code == 1
    assert str(job_failed(JAVA % "java.lang.NullPointerException")) == "NullPointerException"


def test_kafka_that_does_not_answer_is_a_service() -> None:
    failed = job_failed(JAVA % "org.apache.kafka.common.errors.TimeoutException: Timed out")
    assert (str(failed), failed.code) == ("TimeoutException: Timed out", 3)


def test_an_error_before_the_job_has_one_line() -> None:
    assert str(job_failed(SQL)).startswith(
        "ValidationException: Could not find any factory for identifier 'pulsar'"
    )
    assert "\n" not in str(job_failed(SQL))


def test_text_without_any_trace_stays() -> None:
    assert str(job_failed("something else")) == "something else"
    assert str(job_failed("")) == "no reason was given"


def test_exit_codes() -> None:
    codes = {ConfigError: 2, SourceError: 2, ServiceError: 3, MillirecError: 1}
    assert {kind: exit_code(kind("…")) for kind in codes} == codes
    assert exit_code(JobFailed("…", 3)) == 3
