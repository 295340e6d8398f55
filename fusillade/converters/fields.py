"""Fields of a document that was read, with the place in it for messages."""

from collections.abc import Iterator
from math import isfinite
from typing import Any, NoReturn

from fusillade.errors import ValidationFailed

_KINDS: dict[type, str] = {dict: "an object", list: "a list", str: "text"}


class Node:
    """A value of a document, and where it is, such as ``shop.har: log.entries[3]``."""

    def __init__(self, value: Any, document: str, path: str = "") -> None:
        self.value = value
        self.document = document
        self.path = path

    def required(self, name: str, kind: type) -> "Node":
        """A field of this object. Raises :class:`ValidationFailed` if it is not there or another
        kind of value."""
        if not isinstance(self.value, dict) or name not in self.value:
            self.fail(f"has no '{name}'")
        return self._checked(name, kind)

    def optional(self, name: str, kind: type) -> "Node":
        """The same; an empty value if it is not there or null."""
        if not isinstance(self.value, dict) or self.value.get(name) is None:
            return Node(kind(), self.document, self._below(name))
        return self._checked(name, kind)

    def each(self, kind: type) -> Iterator["Node"]:
        """The items of this list."""
        for at, value in enumerate(self.value):
            node = Node(value, self.document, f"{self.path}[{at}]")
            if not isinstance(value, kind):
                node.fail(f"has to be {_KINDS[kind]}")
            yield node

    def number(self, name: str) -> float:
        """A field that is a number; 0 if it is not there."""
        value = self.value.get(name)
        if value is None:
            return 0
        if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
            Node(value, self.document, self._below(name)).fail("has to be a number")
        return float(value)

    def fail(self, reason: str) -> NoReturn:
        """Raises :class:`ValidationFailed` with the place."""
        raise ValidationFailed(f"{self.document}: {self.path or 'the document'} {reason}.")

    def _checked(self, name: str, kind: type) -> "Node":
        node = Node(self.value[name], self.document, self._below(name))
        if not isinstance(node.value, kind):
            node.fail(f"has to be {_KINDS[kind]}")
        return node

    def _below(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name
