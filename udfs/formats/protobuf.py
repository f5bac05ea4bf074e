"""Reads and writes Protobuf by the compiler and the runtime of Google's own packages.

In: the text of `.proto` files, as the registry has them; bytes. Out: dictionaries as of JSON, with
the names of the `.proto` file and without fields that are not set; a flag that cannot say whether
it is set is false. Numbers are numbers, also of 64 bits; Google's own types, such as Timestamp, are
as in Protobuf's mapping to JSON.
"""

from __future__ import annotations

import base64
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from operator import attrgetter
from pathlib import Path, PurePosixPath
from typing import Any

from udfs.formats.schema import RegisteredSchema, Unfit

_FILE = "value.proto"
_GOOGLE = "google.protobuf."
_WIDE = f"{_GOOGLE}Int64Value", f"{_GOOGLE}UInt64Value"  # which are texts in Google's mapping
_UNKNOWN: Any = object()
"""What becomes of an `Any` whose type nobody knows: it is left out."""
_DEEPEST = 16  # messages within messages that an index may name


def reader(schema: RegisteredSchema) -> Callable[[bytes], Any]:
    """What reads a value of a schema: which of its messages it is, and the message.

    Raises:
        Unfit: the schema is none, or refers to files that are not there.
    """
    file = compiled(schema)
    found: dict[tuple[int, ...], _Message] = {}
    known: dict[str, _Message] = {}

    def read(body: bytes) -> Any:
        index, end = ((0,), 1) if body[:1] == b"\0" else _index(body)
        if index not in found:
            found[index] = _message(_described(file, index), known)
        return found[index].parse(body[end:])

    return read


def writer(text: str) -> Callable[[Any], bytes]:
    """What writes the first message of a schema, given as a dictionary."""
    from google.protobuf.message_factory import GetMessageClass

    made = GetMessageClass(_described(compiled(RegisteredSchema("protobuf", text)), [0]))

    def write(value: Any) -> bytes:
        body: bytes = made(**value).SerializeToString()
        return b"\0" + body  # the first message

    return write


def compiled(schema: RegisteredSchema) -> Any:
    """The descriptor of a file, in a pool of its own."""
    from google.protobuf.descriptor_pb2 import FileDescriptorSet
    from google.protobuf.descriptor_pool import DescriptorPool

    name = _FILE
    while name in schema.references:
        name = f"_{name}"
    pool = DescriptorPool()
    try:
        for file in FileDescriptorSet.FromString(_compile(schema, name)).file:
            pool.Add(file)
    except TypeError as error:
        raise Unfit(str(error)) from error
    return pool.FindFileByName(name)


def _compile(schema: RegisteredSchema, own_name: str) -> bytes:
    """The descriptors of a file and of those that it imports; Google's own need not be given."""
    import grpc_tools
    from google.protobuf.descriptor_pb2 import FileDescriptorSet
    from grpc_tools.protoc import main as protoc

    described = FileDescriptorSet()
    with tempfile.TemporaryDirectory(prefix="millirec-") as name:
        folder, files = Path(name), Path(name) / "files"
        for path, text in {**schema.references, own_name: schema.text}.items():
            if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
                raise Unfit(f"it imports {path!r}, which is outside of its own files")
            if text and (file := _descriptor(text)):
                file.name = path
                described.file.append(file)
            else:
                _write(files, path, text)
        out, own = folder / "descriptors", Path(grpc_tools.__file__).parent / "_proto"
        given = folder / "given"
        given.write_bytes(described.SerializeToString())
        paths = [f"-I{files}", f"-I{own}", f"--descriptor_set_in={given}"]
        if protoc(["protoc", *paths, "--include_imports", f"--descriptor_set_out={out}", own_name]):
            raise Unfit("protoc does not compile it; what it says is in the process's error output")
        return out.read_bytes()


def _write(files: Path, path: str, text: str) -> None:
    """Write a file for the compiler, by the name that a reference has for it."""
    try:
        (files / path).parent.mkdir(parents=True, exist_ok=True)
        (files / path).write_text(text, encoding="utf-8")
    except (OSError, ValueError) as error:
        raise Unfit(f"it imports {path!r}, which cannot be written as a file: {error}") from error


def _descriptor(text: str) -> Any:
    """The descriptor of a file that was registered as such, in base64, as Confluent's serializer
    for Python does, where the registry has not made text of it; None: it is text."""
    from google.protobuf.descriptor_pb2 import FileDescriptorProto
    from google.protobuf.message import DecodeError

    try:
        return FileDescriptorProto.FromString(base64.b64decode(text, validate=True))
    except (ValueError, DecodeError):
        return None


def _index(body: bytes) -> tuple[tuple[int, ...], int]:
    """The numbers that name a message, and where they end: how many there are, then these, as
    zigzag varints. A single zero byte stands for the first message.

    >>> _index(b"\\x04\\x02\\x00ann"), _index(b"\\x00ann")
    (((1, 0), 3), ((0,), 1))
    """
    count, end = _varint(body, 0)
    if not 0 <= count <= _DEEPEST:
        raise ValueError(f"it names a message by {count} numbers")
    found = []
    for _ in range(count):
        number, end = _varint(body, end)
        found.append(number)
    return tuple(found) or (0,), end


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A zigzag varint of 32 bits at most, and where it ends."""
    value = 0
    for place in range(5):
        byte = data[at + place]
        value |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            return (value >> 1) ^ -(value & 1), at + place + 1
    raise ValueError("it names a message by a number that is too large")


def _described(file: Any, index: Sequence[int]) -> Any:
    """The descriptor of a message; maps' entries, which Protobuf adds, do not count."""
    types = list(file.message_types_by_name.values())
    found = None
    for number in index:
        if not 0 <= number < len(types):
            raise ValueError(f"its schema has no message {'.'.join(map(str, index))}")
        found = types[number]
        types = [one for one in found.nested_types if not one.GetOptions().map_entry]
    return found


class _Message:
    """How messages of one type are read.

    Attributes:
        fields: by number, the name and what makes a value of JSON; None: it is one.
        flags: each flag without presence, which is not on the wire if it is false.
    """

    def __init__(self, described: Any) -> None:
        from google.protobuf.message_factory import GetMessageClass

        self.parse_bytes = GetMessageClass(described).FromString
        self.fields: dict[int, tuple[str, Callable[[Any], Any] | None]] = {}
        self.flags = {
            field.name: False
            for field in described.fields
            if field.type == field.TYPE_BOOL and not field.has_presence and not _repeated(field)
        }

    def parse(self, body: bytes) -> dict[str, Any]:
        """The dictionary of a message in bytes."""
        return self.plain(self.parse_bytes(body))

    def plain(self, message: Any) -> dict[str, Any]:
        """The dictionary of a message."""
        found: dict[str, Any] = {**self.flags}
        for field, value in message.ListFields():
            if field.number in self.fields:  # not an extension
                name, convert = self.fields[field.number]
                value = value if convert is None else convert(value)
                if value is not _UNKNOWN:
                    found[name] = value
        return found


def _message(described: Any, known: dict[str, _Message]) -> _Message:
    """How messages of a type are read; `known`: by full name, those of its file."""
    name = described.full_name
    if name not in known:
        known[name] = found = _Message(described)  # before its fields, which may hold it again
        for field in described.fields:
            found.fields[field.number] = field.name, _field(field, known)
    return known[name]


def _field(field: Any, known: dict[str, _Message]) -> Callable[[Any], Any] | None:
    """What makes a value of JSON of a field's."""
    described = field.message_type
    if described is not None and described.GetOptions().map_entry:
        read = _value(described.fields_by_name["value"], known) or _itself
        return lambda values: {
            _key(key): value
            for key, value in zip(values, map(read, values.values()), strict=True)
            if value is not _UNKNOWN
        }
    one = _value(field, known)
    if not _repeated(field):
        return one
    each = one or _itself
    return lambda values: [value for value in map(each, values) if value is not _UNKNOWN]


def _itself(value: Any) -> Any:
    return value


def _repeated(field: Any) -> bool:
    """Whether a field is a list, by any version of the runtime."""
    new = hasattr(field, "is_repeated")
    return bool(field.is_repeated if new else field.label == field.LABEL_REPEATED)


def _key(key: Any) -> str:
    """A key of a map as one of JSON."""
    return str(key).lower() if isinstance(key, bool) else str(key)


def _value(field: Any, known: dict[str, _Message]) -> Callable[[Any], Any] | None:
    """The same of a single value: enums by name, messages as dictionaries."""
    if field.enum_type is not None:
        names: Mapping[int, str] = {n: v.name for n, v in field.enum_type.values_by_number.items()}
        return lambda number: names.get(number, number)
    if field.message_type is None:
        return None
    name = field.message_type.full_name
    if name in _WIDE:
        return attrgetter("value")
    if name.startswith(_GOOGLE):
        return partial(_google, pool=field.message_type.file.pool)
    return _message(field.message_type, known).plain


def _google(message: Any, pool: Any) -> Any:
    """A message of one of Google's types as in Protobuf's mapping to JSON; `pool`: what may be in
    an `Any`."""
    from google.protobuf.json_format import MessageToDict

    try:
        return MessageToDict(message, preserving_proto_field_name=True, descriptor_pool=pool)
    except TypeError:  # an Any, or one that holds it, of a type that is not in the pool
        return _UNKNOWN
