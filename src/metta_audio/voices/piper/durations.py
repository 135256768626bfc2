"""Word times from a Piper model: it works out how long each phoneme lasts, and does not say so.

The length of each phoneme, in frames, is what its one ``Ceil`` operator gives. Naming that tensor among the outputs is
all it takes; piper-tts does so with the onnx package, which nobody has. The bytes of a model are a protocol buffer, in
which a message that comes twice is one message: so it is enough to append the output to the file's bytes.
"""

from __future__ import annotations

from collections.abc import Iterator

_GRAPH, _NODE, _OUTPUT = 7, 1, 12
"""Field numbers of onnx.proto: ModelProto.graph, GraphProto.node, GraphProto.output."""

_NODE_OUTPUT, _NODE_OPERATOR = 2, 4
"""Of NodeProto: output and op_type."""

_VALUE_NAME = 1
"""Of ValueInfoProto."""

_VARINT, _EIGHT, _BYTES, _FOUR = 0, 1, 2, 5
"""Wire types: a number, 8 bytes, counted bytes, 4 bytes."""


def with_durations(model: bytes) -> bytes:
    """The model with the lengths of its phonemes as one more output; as it is where they cannot be found.

    Nothing is raised: what is wrong with a broken model is for onnxruntime to say.
    """
    try:
        name = _lengths(memoryview(model))
    except (IndexError, ValueError):
        return model
    return model + _field(_GRAPH, _field(_OUTPUT, _field(_VALUE_NAME, name))) if name else model


def _lengths(model: memoryview) -> bytes:
    """Name of the tensor that the one ``Ceil`` gives; empty where there is none, or several, or it is told already."""
    found: list[bytes] = []
    told: list[bytes] = []
    for graph in (value for number, value in _fields(model) if number == _GRAPH):
        for number, value in _fields(graph):
            inner = list(_fields(value)) if number in (_NODE, _OUTPUT) else []
            if number == _OUTPUT:
                told += [bytes(name) for field, name in inner if field == _VALUE_NAME]
            elif any(field == _NODE_OPERATOR and bytes(name) == b"Ceil" for field, name in inner):
                found += [bytes(name) for field, name in inner if field == _NODE_OUTPUT]
    return found[0] if len(found) == 1 and found[0] not in told else b""


def _fields(message: memoryview) -> Iterator[tuple[int, memoryview]]:
    """Number and bytes of each field that is counted bytes; the others are passed over. Raises for broken ones."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        kind = key & 7
        if kind == _VARINT:
            _, at = _varint(message, at)
        elif kind == _BYTES:
            size, at = _varint(message, at)
            if at + size > len(message):
                raise ValueError("a field reaches beyond its message")
            yield key >> 3, message[at : at + size]
            at += size
        elif kind in (_EIGHT, _FOUR):
            at += 8 if kind == _EIGHT else 4
        else:
            raise ValueError("no protocol buffer")


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    """A number of seven bits a byte, the low ones first, and where it ends."""
    number = shift = 0
    while True:
        byte = message[at]
        at += 1
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return number, at


def _field(number: int, content: bytes) -> bytes:
    return _written(number << 3 | _BYTES) + _written(len(content)) + content


def _written(number: int) -> bytes:
    parts = bytearray()
    while number >= 0x80:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*parts, number])
