"""The edges between the job's operators, without the Python operators that PyFlink puts into them.

In: streams of `Row(key, value)`, as `udfs.operators.flink.keyed` makes them, and side outputs. Out:
the streams that the next operators are built on. PyFlink's own `key_by` and `get_side_output` add
an operator each, one to compute the key and one that changes nothing: a task, a buffer and a
crossing into Python for every element (docs/decisions/bare-edges.md).
"""

from __future__ import annotations

from pyflink.common import Types
from pyflink.datastream import DataStream, KeyedStream, OutputTag
from pyflink.java_gateway import get_gateway


def by_key(stream: DataStream) -> KeyedStream:
    """The stream of `Row(key: int, value)`, by key; its operator gets the values."""
    selector = get_gateway().jvm.KeyByKeySelector()
    key = Types.ROW([Types.INT()])
    return KeyedStream(
        stream._j_data_stream.keyBy(selector, key.get_java_type_info()),
        stream.get_type().get_field_types()[1],
        stream,
    )


def side_output(stream: DataStream, tag: OutputTag) -> DataStream:
    """What an operator sends to a side output.

    It has to be read: an operator that sends to one that nothing is connected to fails.
    """
    return DataStream(stream._j_data_stream.getSideOutput(tag.get_java_output_tag()))


def at_once(stream: DataStream) -> DataStream:
    """The stream, each element of which is sent on when it is emitted.

    An operator in Python emits few and large elements, a batch each: waiting for more to fill a
    buffer gains nothing.
    """
    return stream.set_buffer_timeout(0)
