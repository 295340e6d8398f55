"""Source text as a tree of plain nodes.

tree-sitter parses; its tree is copied once into ``Node`` objects with parents, because the passes
of the compiler look around a lot and because a flat list in source order can be walked without
recursion, so that no nesting in a script can exhaust Python's stack.
"""

from bisect import bisect_right
from collections.abc import Iterator
from typing import Any

import tree_sitter
import tree_sitter_javascript
import tree_sitter_typescript

_JAVASCRIPT = tree_sitter.Language(tree_sitter_javascript.language())
_TYPESCRIPT = tree_sitter.Language(tree_sitter_typescript.language_typescript())


class Node:
    """One node of the syntax tree; ``start`` and ``end`` are byte offsets into the source."""

    __slots__ = (
        "children",
        "end",
        "field",
        "index",
        "last",
        "named",
        "parent",
        "source",
        "start",
        "type",
    )

    def __init__(
        self,
        type: str,
        start: int,
        end: int,
        named: bool,
        field: str | None,
        parent: "Node | None",
        index: int,
        source: bytes,
    ) -> None:
        self.type = type
        self.start = start
        self.end = end
        self.named = named
        self.field = field
        self.parent = parent
        self.index = index
        """Position in source order, which is that of the tree's list of nodes."""
        self.last = index
        """Index of the last node inside this one."""
        self.source = source
        self.children: list[Node] = []

    def __repr__(self) -> str:
        return f"<{self.type} {self.text[:40]!r}>"

    @property
    def text(self) -> str:
        """The source text of this node."""
        return self.source[self.start : self.end].decode("utf-8", "replace")

    def get(self, field: str) -> "Node | None":
        """The child in the field ``field``."""
        for child in self.children:
            if child.field == field:
                return child
        return None

    def at(self, field: str) -> "Node":
        """The child in a field that the grammar demands."""
        child = self.get(field)
        assert child is not None, f"{self.type} without {field}"
        return child

    def token(self, type: str) -> "Node | None":
        """The first child that is the token ``type``."""
        for child in self.children:
            if child.type == type:
                return child
        return None

    def items(self) -> list["Node"]:
        """The named children, without comments."""
        return [child for child in self.children if child.named and child.type != "comment"]

    def ancestors(self) -> Iterator["Node"]:
        """From the parent up to the root."""
        node = self.parent
        while node is not None:
            yield node
            node = node.parent


class Source:
    """One file's text: where its lines begin, and positions as people count them."""

    def __init__(self, path: str, content: bytes) -> None:
        self.path = path
        self.content = content
        self._line_starts = [0]
        at = content.find(b"\n")
        while at >= 0:
            self._line_starts.append(at + 1)
            at = content.find(b"\n", at + 1)

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column of a byte offset, both from 1, columns in characters."""
        line = bisect_right(self._line_starts, offset)
        start = self._line_starts[line - 1]
        return line, len(self.content[start:offset].decode("utf-8", "replace")) + 1

    def line(self, number: int) -> bytes:
        """The text of line ``number`` (from 1) without its end."""
        start = self._line_starts[number - 1]
        end = self.content.find(b"\n", start)
        return self.content[start : len(self.content) if end < 0 else end].rstrip(b"\r")


class Tree:
    """A parsed file. ``nodes`` has all nodes in source order, the root first."""

    def __init__(self, source: Source, nodes: list[Node], missing: list[Node]) -> None:
        self.source = source
        self.nodes = nodes
        self.missing = missing
        """Tokens that the parser had to make up."""

    @property
    def root(self) -> Node:
        """The program."""
        return self.nodes[0]

    def inside(self, node: Node) -> list[Node]:
        """All nodes below ``node``, in source order."""
        return self.nodes[node.index + 1 : node.last + 1]


def parse(source: Source, *, typescript: bool = False) -> Tree:
    """Parse a file. Never fails: errors are in the tree."""
    parser = tree_sitter.Parser(_TYPESCRIPT if typescript else _JAVASCRIPT)
    tree = parser.parse(source.content)
    return _copy(tree.walk(), source)


def _copy(cursor: Any, source: Source) -> Tree:
    nodes: list[Node] = []
    missing: list[Node] = []
    parent: Node | None = None
    content = source.content
    while True:
        found = cursor.node
        node = Node(
            found.type,
            found.start_byte,
            found.end_byte,
            found.is_named,
            cursor.field_name,
            parent,
            len(nodes),
            content,
        )
        nodes.append(node)
        if found.is_missing:
            missing.append(node)
        if parent is not None:
            parent.children.append(node)
        if cursor.goto_first_child():
            parent = node
            continue
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return Tree(source, nodes, missing)
            assert parent is not None
            parent.last = len(nodes) - 1
            parent = parent.parent
