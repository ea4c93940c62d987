"""The shapes in which the read APIs give attributes back, made from the Python values that a client was given."""

import base64
import math
from collections.abc import Mapping, Sequence
from typing import Any


def typed_value(value: Any) -> dict[str, Any]:
    """`value` as `/api/v1` gives an attribute's value."""
    match value:
        case None:
            return {"type": "empty", "value": None}
        case bool():
            return {"type": "bool", "value": value}
        case int():
            return {"type": "int", "value": str(value)}
        case float():
            return {"type": "double", "value": json_number(value)}
        case str():
            return {"type": "string", "value": value}
        case bytes():
            return {"type": "bytes", "value": base64.b64encode(value).decode()}
        case Mapping():
            return {"type": "map", "value": typed_attributes(value)}
        case Sequence():
            return {"type": "array", "value": [typed_value(element) for element in value]}
    raise TypeError(f"no attribute has the type of {value!r}")


def typed_attributes(attributes: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The attributes as `/api/v1` gives them, in the same order."""
    return [{"key": key, **typed_value(value)} for key, value in attributes.items()]


def json_number(value: float) -> float | str:
    """JSON has no words for the values that are no finite numbers."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return value


def tags_by_key(tags: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """The tags of a Jaeger span, process or log."""
    return {tag["key"]: {"type": tag["type"], "value": tag["value"]} for tag in tags}
