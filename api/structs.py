"""msgspec structs in the schema: what the core makes and stores, the API passes on as it is.

A field ``Annotated[dict[str, Any], described_by(Summary)]`` is neither parsed nor copied when an
answer is written, and has the schema of ``Summary`` all the same.
"""

from collections.abc import Iterator
from typing import Any

import msgspec
from pydantic import WithJsonSchema

_STRUCT = "x-struct"
_known: dict[str, Any] = {}


def described_by(struct: Any) -> WithJsonSchema:
    """The schema of ``struct``, for a field whose value is its JSON form."""
    _known[struct.__name__] = struct
    return WithJsonSchema({_STRUCT: struct.__name__})


def resolve(schema: dict[str, Any]) -> None:
    """Refer to the structs by name in a whole OpenAPI schema, and add them to its components."""
    _, components = msgspec.json.schema_components(
        list(_known.values()), ref_template="#/components/schemas/{name}"
    )
    for place in _objects(schema):
        if _STRUCT in place:
            place["$ref"] = f"#/components/schemas/{place.pop(_STRUCT)}"
    schema["components"]["schemas"] |= components


def _objects(part: Any) -> Iterator[dict[str, Any]]:
    if isinstance(part, dict):
        yield part
        for inner in part.values():
            yield from _objects(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from _objects(inner)
