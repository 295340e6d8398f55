"""``$ref`` in an API description (RFC 6901 pointers within the same document)."""

from typing import Any
from urllib.parse import unquote

from fusillade.errors import ValidationFailed

_MOST_STEPS = 50


class References:
    """Follows references of one document."""

    def __init__(self, document: Any, place: str) -> None:
        self._document = document
        self._place = place

    def resolve(self, value: Any) -> Any:
        """What is meant: the value itself, or what it refers to. Raises
        :class:`ValidationFailed`."""
        for _ in range(_MOST_STEPS):
            if not isinstance(value, dict) or not isinstance(value.get("$ref"), str):
                return value
            value = self._target(value["$ref"])
        raise ValidationFailed(f"{self._place}: {value['$ref']} refers to itself.")

    def _target(self, reference: str) -> Any:
        if not reference.startswith("#/"):
            raise ValidationFailed(
                f"{self._place}: the reference {reference} leads out of the file; put what it "
                "refers to into the file."
            )
        found = self._document
        for part in reference[2:].split("/"):
            name = unquote(part).replace("~1", "/").replace("~0", "~")
            if isinstance(found, dict) and name in found:
                found = found[name]
            elif isinstance(found, list) and name.isdigit() and int(name) < len(found):
                found = found[int(name)]
            else:
                raise ValidationFailed(f"{self._place}: {reference} refers to nothing.")
        return found
