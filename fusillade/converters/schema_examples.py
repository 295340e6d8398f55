"""Values that a JSON schema of OpenAPI 3.0 or 3.1 allows."""

from typing import Any

from fusillade.converters.references import References

_DEEPEST = 8
_FORMATS = {
    "date": "2026-01-31",
    "date-time": "2026-01-31T12:00:00Z",
    "time": "12:00:00Z",
    "duration": "PT1H",
    "uuid": "3fa85f64-5717-4562-b3fc-2c963f66afa6",
    "email": "user@example.com",
    "idn-email": "user@example.com",
    "uri": "https://example.com/",
    "url": "https://example.com/",
    "uri-reference": "/path",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "byte": "dGV4dA==",
    "binary": "content",
    "password": "password",
}


def example(schema: Any, references: References) -> Any:
    """The schema's own example, or a value made from its types and limits."""
    return _Maker(references).value(schema, 0)


class _Maker:
    def __init__(self, references: References) -> None:
        self._references = references
        self._open: list[str] = []

    def value(self, schema: Any, depth: int) -> Any:
        reference = schema.get("$ref") if isinstance(schema, dict) else None
        if isinstance(reference, str):
            self._open.append(reference)
        try:
            return self._made(self._references.resolve(schema), depth)
        finally:
            if isinstance(reference, str):
                self._open.pop()

    def _made(self, schema: Any, depth: int) -> Any:
        if not isinstance(schema, dict):
            return None
        for name in ("example", "default", "const"):
            if name in schema:
                return schema[name]
        for name in ("examples", "enum"):
            given = schema.get(name)
            if isinstance(given, list) and given:
                return given[0]
        if "allOf" in schema:
            return self._all_of(schema, depth)
        for name in ("oneOf", "anyOf"):
            choices = schema.get(name)
            if isinstance(choices, list) and choices:
                chosen = next((one for one in choices if not self._is_null(one)), choices[0])
                first = self.value(chosen, depth + 1)
                own = self._object(schema, depth) if "properties" in schema else {}
                return {**own, **first} if isinstance(first, dict) else first
        match self._type(schema):
            case "object":
                return self._object(schema, depth)
            case "array":
                return self._array(schema, depth)
            case "integer" | "number" as kind:
                return _number(schema, whole=kind == "integer")
            case "boolean":
                return True
            case "string":
                return _string(schema)
        return None

    def _is_null(self, schema: Any) -> bool:
        found = self._references.resolve(schema)
        return isinstance(found, dict) and found.get("type") == "null"

    @staticmethod
    def _type(schema: dict[str, Any]) -> str:
        kind = schema.get("type")
        if isinstance(kind, list):  # 3.1
            kind = next((one for one in kind if one != "null"), "null")
        if isinstance(kind, str):
            return kind
        if "properties" in schema or "additionalProperties" in schema:
            return "object"
        if "items" in schema:
            return "array"
        return "string" if "format" in schema or "pattern" in schema else "object"

    def _all_of(self, schema: dict[str, Any], depth: int) -> Any:
        merged: Any = None
        for one in schema["allOf"] if isinstance(schema["allOf"], list) else []:
            part = self.value(one, depth + 1)
            merged = {**merged, **part} if _both_objects(merged, part) else part
        if "properties" in schema:
            own = self._object(schema, depth)
            merged = {**merged, **own} if isinstance(merged, dict) else own
        return merged

    def _object(self, schema: dict[str, Any], depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        properties = schema.get("properties")
        required = schema.get("required")
        needed = required if isinstance(required, list) else []
        for name, one in properties.items() if isinstance(properties, dict) else ():
            resolved = self._references.resolve(one)
            if isinstance(resolved, dict) and resolved.get("readOnly") is True:
                continue
            again = self._repeats(one)
            if depth > _DEEPEST or again:
                if name in needed and depth <= 2 * _DEEPEST:
                    found[name] = {} if again else self.value(one, depth + 1)
                continue
            found[str(name)] = self.value(one, depth + 1)
        return found

    def _array(self, schema: dict[str, Any], depth: int) -> list[Any]:
        items = schema.get("items")
        least = schema.get("minItems")
        if items is None or depth > _DEEPEST or self._repeats(items):
            return []
        most = max(1, min(least if isinstance(least, int) else 1, 10))
        return [self.value(items, depth + 1) for _ in range(most)]

    def _repeats(self, schema: Any) -> bool:
        """Whether a schema is one that the value being made is within already."""
        return isinstance(schema, dict) and schema.get("$ref") in self._open


def _both_objects(one: Any, other: Any) -> bool:
    return isinstance(one, dict) and isinstance(other, dict)


def _number(schema: dict[str, Any], *, whole: bool) -> float:
    given = _limit(schema, "multipleOf")
    step = given if given is not None and given > 0 else (1 if whole else 0.5)
    low, high = _limit(schema, "minimum"), _limit(schema, "maximum")
    above, below = _limit(schema, "exclusiveMinimum"), _limit(schema, "exclusiveMaximum")
    # In 3.0 these two say that minimum and maximum are exclusive, in 3.1 they are limits.
    if schema.get("exclusiveMinimum") is True:
        above = low
    if schema.get("exclusiveMaximum") is True:
        below = high
    value: float = 1
    if low is not None and value < low:
        value = low
    if above is not None and value <= above:
        value = above + step
    if high is not None and value > high:
        value = high
    if below is not None and value >= below:
        value = below - step
    if given is not None and given > 0:
        value = step * -(-value // step)
    return int(value) if whole or float(value).is_integer() else value


def _limit(schema: dict[str, Any], name: str) -> float | None:
    value = schema.get(name)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _string(schema: dict[str, Any]) -> str:
    value = _FORMATS.get(str(schema.get("format")), "text")
    least, most = schema.get("minLength"), schema.get("maxLength")
    if isinstance(least, int) and len(value) < least:
        value = (value * (min(least, 10_000) // len(value) + 1))[:least]
    if isinstance(most, int) and 0 <= most < len(value):
        value = value[:most]
    return value
