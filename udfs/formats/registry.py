"""Asks a schema registry, by the API that Confluent's has and Karapace and Apicurio share.

In: `[schema_registry]`. Out: `RegisteredSchema`s by id, each with what it refers to; ids of schemas
that the job writes by. A registry that is away is waited for while events come in, as Redis is;
what trying again does not mend is a ServiceError.
"""

from __future__ import annotations

import base64
import json
import logging
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from http.client import HTTPException
from typing import Any, TypeVar
from urllib.parse import quote

import msgspec

from udfs.errors import ConfigError, ServiceError
from udfs.formats.schema import RegisteredSchema
from udfs.options.schema_registry import SchemaRegistry

T = TypeVar("T")
log = logging.getLogger(__name__)
_REQUEST_S = 10.0
_LONGEST_PAUSE_S = 2.0
_MOST_BYTES = 16 << 20
_LARGEST_ID = 2**31 - 1  # of Confluent's; beyond it, registries answer in ways of their own
_TYPE = "application/vnd.schemaregistry.v1+json"


class _Reference(msgspec.Struct):
    name: str
    subject: str
    version: int


class _Found(msgspec.Struct):
    """A schema in an answer; a field without a value may be null."""

    schema: str
    schemaType: str | None = None
    references: list[_Reference] | None = None


class _Id(msgspec.Struct):
    id: int


class UnknownSchema(Exception):
    """The registry has no such schema."""


class Away(Exception):
    """The registry does not answer, or says that it cannot now."""


class _Odd(ServiceError):
    """An answer that a registry does not give; `status`: that of HTTP."""

    def __init__(self, text: str, status: int) -> None:
        super().__init__(text)
        self.status = status


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Credentials are for the configured host alone."""

    def redirect_request(self, *_: Any) -> None:
        """Never."""


class Registry:
    """Used by one thread.

    Args:
        sleep: seconds; replaced in tests.

    Raises:
        ConfigError: the certificates of schema_registry.ssl_ca cannot be read.
    """

    def __init__(
        self, options: SchemaRegistry, sleep: Callable[[float], object] = time.sleep
    ) -> None:
        self._url, self._sleep = options.url.rstrip("/"), sleep
        self._headers = {"Accept": f"{_TYPE}, application/json", "Content-Type": _TYPE}
        if options.user:
            pair = f"{options.user}:{options.password}".encode()
            self._headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
        tls = urllib.request.HTTPSHandler(context=_tls(options))
        self._open = urllib.request.build_opener(tls, _NoRedirects()).open

    def schema(self, number: int) -> RegisteredSchema:
        """The schema of an id; waits for a registry that is away.

        Raises:
            UnknownSchema: the registry has none of this id, or lacks what it refers to.
            ServiceError: the registry refuses, or is none.
        """
        if number > _LARGEST_ID:
            raise UnknownSchema(f"no registry has an id above {_LARGEST_ID}")
        found = self._waited(f"/schemas/ids/{number}")
        references: dict[str, str] = {}
        self._refer(found, references)
        return RegisteredSchema((found.schemaType or "AVRO").lower(), found.schema, references)

    def _refer(self, found: _Found, known: dict[str, str]) -> None:
        for one in found.references or ():
            if one.name not in known:
                subject = quote(one.subject, safe="")
                other = self._waited(f"/subjects/{subject}/versions/{one.version}")
                self._refer(other, known)
                known[one.name] = other.schema

    def registered(self, subject: str, kind: str, text: str) -> int:
        """The id of a schema of a subject, registered if it is not yet.

        Raises:
            ServiceError: the registry does not answer, refuses, or the schema does not go with
                those that the subject has.
        """
        schema = {"schema": text, "schemaType": kind.upper()}
        path = f"/subjects/{quote(subject, safe='')}"
        try:
            try:
                return self._ask(path, _Id, schema).id
            except UnknownSchema:
                return self._ask(f"{path}/versions", _Id, schema).id
        except UnknownSchema as error:
            raise ServiceError(
                f"the schema registry at {self._url} does not take schemas of {subject!r}: {error}."
            ) from None
        except Away as error:
            raise self._silent(error) from error

    def check(self) -> None:
        """Raise ServiceError unless the registry answers, and lets the job in."""
        try:
            self._ask("/schemas/types", list[str])
        except UnknownSchema:  # an old one, which has Avro alone
            pass
        except Away as error:
            raise self._silent(error) from error

    def _silent(self, error: Away) -> ServiceError:
        return ServiceError(
            f"no schema registry answers at {self._url} ({error}): start it, or correct "
            "schema_registry.url."
        )

    def _waited(self, path: str) -> _Found:
        """A schema, however long the answer takes."""
        pause = 0.05
        while True:
            try:
                found = self._found(path)
            except Away as error:
                if pause == 0.05:
                    log.warning(
                        "the schema registry at %s does not answer (%s): asking again until it "
                        "does. Events with a schema that is not known yet wait, none is lost.",
                        self._url,
                        error,
                    )
                self._sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE_S)
                continue
            if pause > 0.05:
                log.warning("the schema registry at %s answers again", self._url)
            return found

    def _found(self, path: str) -> _Found:
        """A schema. Neither an id that a message names nor a proxy before a registry that starts
        again ends the job.
        """
        try:
            return self._ask(path, _Found)
        except _Odd as error:
            if error.status in (400, 422):
                raise UnknownSchema(str(error)) from None
            if error.status == 404:
                raise Away("it answers 404, not as a registry does") from None
            raise

    def _ask(self, path: str, form: type[T], body: Mapping[str, str] | None = None) -> T:
        """The answer, which has a form; errors as in `registered`."""
        content = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._url + path, content, self._headers)
        try:
            with self._open(request, timeout=_REQUEST_S) as answer:
                return msgspec.json.decode(answer.read(_MOST_BYTES), type=form)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            raise ServiceError(
                f"what answers at {self._url} is no schema registry: correct schema_registry.url."
            ) from None
        except urllib.error.HTTPError as error:
            with error:
                raise self._refused(error, error.read(_MOST_BYTES)) from None
        except urllib.error.URLError as error:
            if isinstance(error.reason, ssl.SSLCertVerificationError):
                raise ServiceError(
                    f"the schema registry at {self._url} cannot be trusted ({error.reason}): see "
                    "schema_registry.ssl_ca."
                ) from None
            raise Away(str(error.reason)) from None
        except (OSError, HTTPException, UnicodeError, OverflowError) as error:  # or no such host
            raise Away(str(error) or type(error).__name__) from None

    def _refused(self, error: urllib.error.HTTPError, body: bytes) -> Exception:
        """What an answer that is an error means."""
        code, said = _reason(body)
        if error.code >= 500 or error.code == 429:
            return Away(f"it answers {error.code} {error.reason}")
        if error.code in (401, 403):
            return ServiceError(
                f"the schema registry at {self._url} does not let the job in (it answers "
                f"{error.code}): set schema_registry.user, its password by the variable "
                "MILLIREC_SCHEMA_REGISTRY_PASSWORD, and give it the rights to read schemas and, for"
                " lists_topic.format, to register them."
            )
        if error.code == 404 and code:
            return UnknownSchema(said)
        if error.code == 409:
            return ServiceError(
                f"the schema registry at {self._url} refuses the schema of lists, because it does "
                f"not go with those that the subject has: {said}. Name another lists_topic.topic, "
                "or change the subject's compatibility."
            )
        return _Odd(
            f"{self._url} answers {error.code} {error.reason} where a schema registry would not"
            + (f" ({said})" if said else "")
            + ": correct schema_registry.url.",
            error.code,
        )


def _reason(body: bytes) -> tuple[int, str]:
    """The registry's own number and words for an error; (0, ""): it is none of a registry's."""
    try:
        found = msgspec.json.decode(body, type=dict[str, Any])
        return int(found["error_code"]), str(found.get("message", "")).rstrip(".")
    except (msgspec.MsgspecError, UnicodeDecodeError, KeyError, TypeError, ValueError):
        return 0, ""


def _tls(options: SchemaRegistry) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=options.ssl_ca or None)
    except OSError as error:
        raise ConfigError(
            f"schema_registry.ssl_ca is {options.ssl_ca}, which holds no certificates that can be "
            f"read ({error.strerror}): name a file in the form PEM."
        ) from error
