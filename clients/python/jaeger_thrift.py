"""Jaeger's Thrift structures, declared as the Thrift compiler would from `jaeger.thrift`, for the `thrift` package to write."""

from enum import IntEnum

from thrift.protocol.TBase import TBase
from thrift.protocol.TBinaryProtocol import TBinaryProtocol
from thrift.protocol.TCompactProtocol import TCompactProtocol
from thrift.Thrift import TType
from thrift.transport.TTransport import TMemoryBuffer


class TagType(IntEnum):
    STRING = 0
    DOUBLE = 1
    BOOL = 2
    LONG = 3
    BINARY = 4


class RefType(IntEnum):
    CHILD_OF = 0
    FOLLOWS_FROM = 1


class Struct(TBase):
    """A structure whose fields are given by name; a field that is not given is absent on the wire."""

    def __init__(self, **fields: object) -> None:
        for spec in filter(None, self.thrift_spec):
            setattr(self, spec[2], fields.pop(spec[2], None))
        if fields:
            raise TypeError(f"{type(self).__name__} has no {', '.join(fields)}")


def field(number: int, kind: int, name: str, detail: object = None) -> tuple:
    return (number, kind, name, detail, None)


def list_of(number: int, name: str, struct: type[Struct]) -> tuple:
    return field(number, TType.LIST, name, (TType.STRUCT, (struct, struct.thrift_spec), False))


class Tag(Struct):
    thrift_spec = (
        None,
        field(1, TType.STRING, "key", "UTF8"),
        field(2, TType.I32, "vType"),
        field(3, TType.STRING, "vStr", "UTF8"),
        field(4, TType.DOUBLE, "vDouble"),
        field(5, TType.BOOL, "vBool"),
        field(6, TType.I64, "vLong"),
        field(7, TType.STRING, "vBinary", "BINARY"),
    )


class Log(Struct):
    thrift_spec = (None, field(1, TType.I64, "timestamp"), list_of(2, "fields", Tag))


class SpanRef(Struct):
    thrift_spec = (
        None,
        field(1, TType.I32, "refType"),
        field(2, TType.I64, "traceIdLow"),
        field(3, TType.I64, "traceIdHigh"),
        field(4, TType.I64, "spanId"),
    )


class Span(Struct):
    thrift_spec = (
        None,
        field(1, TType.I64, "traceIdLow"),
        field(2, TType.I64, "traceIdHigh"),
        field(3, TType.I64, "spanId"),
        field(4, TType.I64, "parentSpanId"),
        field(5, TType.STRING, "operationName", "UTF8"),
        list_of(6, "references", SpanRef),
        field(7, TType.I32, "flags"),
        field(8, TType.I64, "startTime"),
        field(9, TType.I64, "duration"),
        list_of(10, "tags", Tag),
        list_of(11, "logs", Log),
    )


class Process(Struct):
    thrift_spec = (None, field(1, TType.STRING, "serviceName", "UTF8"), list_of(2, "tags", Tag))


class Batch(Struct):
    thrift_spec = (
        None,
        field(1, TType.STRUCT, "process", (Process, Process.thrift_spec)),
        list_of(2, "spans", Span),
        field(3, TType.I64, "seqNo"),
    )


def tag(key: str, value: str | float | bool | int | bytes) -> Tag:
    match value:
        case str():
            return Tag(key=key, vType=TagType.STRING, vStr=value)
        case bool():
            return Tag(key=key, vType=TagType.BOOL, vBool=value)
        case int():
            return Tag(key=key, vType=TagType.LONG, vLong=value)
        case float():
            return Tag(key=key, vType=TagType.DOUBLE, vDouble=value)
        case bytes():
            return Tag(key=key, vType=TagType.BINARY, vBinary=value)


def signed(id_: int) -> int:
    """Thrift has no unsigned integers: the same 64 bits, read as signed."""
    return id_ - 2**64 if id_ >= 2**63 else id_


def in_binary(batch: Batch) -> bytes:
    return _written(batch, TBinaryProtocol)


def in_compact(batch: Batch) -> bytes:
    return _written(batch, TCompactProtocol)


def _written(batch: Batch, protocol: type[TBinaryProtocol] | type[TCompactProtocol]) -> bytes:
    buffer = TMemoryBuffer()
    batch.write(protocol(buffer))
    return buffer.getvalue()
