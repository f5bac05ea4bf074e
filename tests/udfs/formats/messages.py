"""Classes of Protobuf's messages, as `protoc` would write them to a module."""

from __future__ import annotations

from typing import Any

from google.protobuf.message_factory import GetMessageClass

from udfs.formats.protobuf import compiled
from udfs.formats.schema import RegisteredSchema


def message_class(text: str, name: str) -> Any:
    """The class of a message of a `.proto` file."""
    file = compiled(RegisteredSchema("protobuf", text))
    return GetMessageClass(file.message_types_by_name[name])
