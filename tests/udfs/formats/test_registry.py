"""What a registry answers, refuses, or does not say for a while."""

from __future__ import annotations

import base64
import logging
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from flink_app.local.ports import free_port
from tests.udfs.formats.pretend import Pretended, pretended
from udfs.errors import ConfigError, ServiceError
from udfs.formats.registry import Registry, UnknownSchema
from udfs.formats.schema import RegisteredSchema
from udfs.options.schema_registry import SchemaRegistry


@pytest.fixture
def there() -> Iterator[Pretended]:
    with pretended() as registry:
        yield registry


def client(there: Pretended, **options: str) -> Registry:
    return Registry(SchemaRegistry(url=there.url + "/", **options), sleep=lambda _: None)


def test_a_schema_comes_with_all_that_it_refers_to_in_order(there: Pretended) -> None:
    there.version("a/b c", '"string"')
    other = {"references": [{"name": "A", "subject": "a/b c", "version": 1}]}
    there.version("b", '"int"', **other)
    both = [*other["references"], {"name": "B", "subject": "b", "version": 1}]
    there.add(7, '"long"', references=[both[1], both[0]])
    texts = {"A": '"string"', "B": '"int"'}
    assert client(there).schema(7) == RegisteredSchema("avro", '"long"', texts)
    there.schemas[8] = {"schema": "message A {}", "schemaType": "PROTOBUF", "references": None}
    assert client(there).schema(8) == RegisteredSchema("protobuf", "message A {}")
    there.schemas[9] = {"schema": '"int"'}  # as an old registry answers
    assert client(there).schema(9).kind == "avro"


def test_what_is_not_there_is_unknown(there: Pretended) -> None:
    with pytest.raises(UnknownSchema, match="not found"):
        client(there).schema(1)
    there.add(2, '"int"', references=[{"name": "A", "subject": "a", "version": 3}])
    with pytest.raises(UnknownSchema, match="Version"):
        client(there).schema(2)


def test_one_that_is_away_is_waited_for_and_said_once(
    there: Pretended, caplog: pytest.LogCaptureFixture
) -> None:
    there.add(1, '"int"')
    there.failures += [(500, b"oops"), (503, b"{}"), (429, b"")]
    with caplog.at_level(logging.WARNING):
        assert client(there).schema(1).text == '"int"'
    away, back = caplog.messages
    assert "it answers 500" in away and "none is lost" in away and "answers again" in back


def test_nothing_listens_for_a_while() -> None:
    """The connection is refused until somebody starts the registry."""
    url, pauses = f"http://localhost:{free_port()}", []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 8:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        Registry(SchemaRegistry(url=url), sleep).schema(1)
    assert pauses == sorted(pauses) and pauses[-1] == 2.0
    for start in (
        lambda one: one.check(),
        lambda one: one.registered("s", "avro", '"int"'),
    ):
        with pytest.raises(ServiceError, match="no schema registry answers at"):
            start(Registry(SchemaRegistry(url=url)))


def test_credentials_go_to_the_configured_host_alone(there: Pretended) -> None:
    there.add(1, '"int"')
    client(there, user="ann", password="pä:ss").schema(1)
    given = f"Basic {base64.b64encode('ann:pä:ss'.encode()).decode()}"
    assert there.asked == [("/schemas/ids/1", given)]
    with pretended() as other:
        there.failures.append((302, f"{other.url}/schemas/ids/1".encode()))
        with pytest.raises(ServiceError, match="answers 302"):
            client(there, user="ann", password="x").schema(1)
        assert other.asked == []


@pytest.mark.parametrize(
    ("status", "body", "sentence"),
    [
        (401, b"", "MILLIREC_SCHEMA_REGISTRY_PASSWORD"),
        (403, b'{"error_code":403,"message":"no"}', "does not let the job in"),
        (200, b"<html>", "is no schema registry"),
        (200, b'{"id":3}', "is no schema registry"),
        (418, b"", "answers 418 I'm a Teapot where a schema registry would not"),
    ],
)
def test_what_trying_again_does_not_mend(
    there: Pretended, status: int, body: bytes, sentence: str
) -> None:
    there.failures.append((status, body))
    with pytest.raises(ServiceError) as error:
        client(there, user="ann", password="secret").schema(1)
    assert sentence in str(error.value) and "secret" not in str(error.value)


@pytest.mark.parametrize(
    ("status", "body", "sentence"),
    [
        (404, b"<html>", "answers 404 Not Found where a schema registry would not"),
        (400, b"<html>", "answers 400 Bad Request where a schema registry would not"),
        (422, b'{"error_code":42201,"message":"Invalid schema."}', "(Invalid schema)"),
    ],
)
def test_what_only_a_job_that_starts_is_stopped_by(
    there: Pretended, status: int, body: bytes, sentence: str
) -> None:
    for start in (
        lambda one: one.check(),
        lambda one: one.registered("s", "avro", '"int"'),
    ):
        there.failures.append((status, body))
        with pytest.raises(ServiceError) as error:
            start(client(there))
        assert sentence in str(error.value)


@pytest.mark.parametrize("number", [2**31, 2**32 - 1])
def test_an_id_that_no_registry_has_is_not_asked_for(there: Pretended, number: int) -> None:
    with pytest.raises(UnknownSchema, match="above 2147483647"):
        client(there).schema(number)
    assert not there.asked


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"error_code":400,"message":"no"}'])
@pytest.mark.parametrize("status", [400, 422])
def test_an_id_that_the_registry_does_not_like_is_unknown(
    there: Pretended, status: int, body: bytes
) -> None:
    there.failures.append((status, body))
    with pytest.raises(UnknownSchema, match=f"answers {status}"):
        client(there).schema(2**31 - 1)


def test_a_proxy_in_the_place_of_a_registry_is_waited_for(
    there: Pretended, caplog: pytest.LogCaptureFixture
) -> None:
    there.version("a", '"string"')
    there.add(1, '"int"', references=[{"name": "A", "subject": "a", "version": 1}])
    there.failures += [(404, b"<html>not found</html>"), (404, b"")]
    with caplog.at_level(logging.WARNING):
        assert client(there).schema(1).references == {"A": '"string"'}
    assert "it answers 404" in caplog.messages[0] and "answers again" in caplog.messages[1]


@pytest.mark.parametrize(
    "url", ["http://a..b:80", f"http://{'a' * 64}:80", "http://127.0.0.1:99999"]
)
def test_an_address_that_is_none(url: str) -> None:
    with pytest.raises(ServiceError, match=r"no schema registry answers .* schema_registry\.url"):
        Registry(SchemaRegistry(url=url)).check()


def test_a_schema_is_registered_once(there: Pretended) -> None:
    number = client(there).registered("recs-value", "avro", '"int"')
    assert client(there).registered("recs-value", "avro", '"int"') == number
    assert [path for path, _ in there.asked] == [
        "/subjects/recs-value", "/subjects/recs-value/versions", "/subjects/recs-value"
    ]  # fmt: skip
    there.refuses.add("recs-value")
    with pytest.raises(ServiceError, match=r"incompatible\. Name another"):
        client(there).registered("recs-value", "avro", '"long"')
    assert client(there).registered("recs-value", "avro", '"int"') == number
    there.failures += [(404, b'{"error_code":40401,"message":"Subject not found"}')] * 2
    with pytest.raises(ServiceError, match="does not take schemas of 'x'"):
        client(there).registered("x", "avro", '"int"')


def test_the_certificate_is_checked(tmp_path: Path) -> None:
    authority = trustme.CA()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(tls)
    ca = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(ca))
    with pretended(tls) as there:
        client(there, ssl_ca=str(ca)).check()
        with pytest.raises(ServiceError, match=r"cannot be trusted .* schema_registry.ssl_ca"):
            client(there).check()
    with pytest.raises(ConfigError, match="holds no certificates"):
        Registry(SchemaRegistry(url="https://x", ssl_ca=str(tmp_path / "none.pem")))
