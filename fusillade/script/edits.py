"""Edits of a text in place, and the map from the new text's columns back to the old one's.

No edit adds or removes a line: what is removed leaves its line ends behind, so every line of the
result is the author's line of that number.
"""

from bisect import bisect_right
from dataclasses import dataclass, field

from fusillade.script.syntax import Node

_CLOSING = 0
_OPENING = 1


@dataclass(slots=True)
class _Insertion:
    offset: int
    side: int
    nesting: int
    sequence: int
    text: str


@dataclass(slots=True)
class _Replacement:
    start: int
    end: int
    text: str


class ColumnMap:
    """For each line of a produced text: which column came from which."""

    def __init__(self, lines: list[list[tuple[int, int]]]) -> None:
        self._lines = lines

    def original(self, line: int, column: int) -> tuple[int, int]:
        """Line and column (from 1) in the old text; a column inside new text gives the place
        where that text was put in."""
        if not 1 <= line <= len(self._lines):
            return line, column
        marks = self._lines[line - 1]
        at = bisect_right(marks, (column, 1 << 60)) - 1
        if at < 0:
            return line, column
        new, old = marks[at]
        if old < 0:
            return line, -old
        return line, old + column - new


@dataclass(slots=True)
class Edits:
    """Collects edits of ``content`` (UTF-8); ``render`` applies them."""

    content: bytes
    _insertions: list[_Insertion] = field(default_factory=list)
    _replacements: list[_Replacement] = field(default_factory=list)

    def wrap(self, node: Node, before: str, after: str) -> None:
        """Put text around a node. Of several around one node, the first is innermost."""
        self.before(node, before)
        self.after(node, after)

    def before(self, node: Node, text: str) -> None:
        """Put text in front of a node, inside of what its parents put there."""
        self._insert(node.start, _OPENING, node.index, -len(self._insertions), text)

    def after(self, node: Node, text: str) -> None:
        """Put text behind a node, inside of what its parents put there."""
        self._insert(node.end, _CLOSING, -node.index, len(self._insertions), text)

    def replace(self, node: Node, text: str) -> None:
        """Put ``text`` in the place of a node in which nothing else is edited."""
        self.replace_range(node.start, node.end, text)

    def replace_range(self, start: int, end: int, text: str) -> None:
        """Put ``text`` in the place of bytes; the line ends among them stay."""
        self._replacements.append(_Replacement(start, end, text))

    def _insert(self, offset: int, side: int, nesting: int, sequence: int, text: str) -> None:
        self._insertions.append(_Insertion(offset, side, nesting, sequence, text))

    def render(self, prefix: str = "", suffix: str = "") -> tuple[str, ColumnMap]:
        """The new text, and the map from its positions to those of the old text."""
        pieces = [(prefix, "new"), *self._pieces(), (suffix, "new")]
        lines: list[list[tuple[int, int]]] = [[]]
        out: list[str] = []
        new = old = 1
        for text, kind in pieces:
            if kind == "new":
                out.append(text)
                if text:
                    lines[-1].append((new, -old))
                    new += len(text)
                continue
            for number, part in enumerate(text.split("\n")):
                if number:
                    out.append("\n")
                    lines.append([])
                    new = old = 1
                if kind == "old":
                    out.append(part)
                    lines[-1].append((new, old))
                    new += len(part)
                old += len(part)
        return "".join(out), ColumnMap(lines)

    def _pieces(self) -> list[tuple[str, str]]:
        """(text, kind) with kind ``old`` (kept), ``gone`` or ``new``, in order."""
        insertions = sorted(
            self._insertions, key=lambda i: (i.offset, i.side, i.nesting, i.sequence)
        )
        replacements = sorted(self._replacements, key=lambda r: (r.start, r.end))
        pieces: list[tuple[str, str]] = []
        at = r = 0

        def copy_until(offset: int) -> None:
            nonlocal at, r
            while r < len(replacements) and replacements[r].start < offset:
                removed = replacements[r]
                assert removed.start >= at, f"overlapping edits at byte {removed.start}"
                if removed.start > at:
                    pieces.append((self._text(at, removed.start), "old"))
                if removed.text:
                    pieces.append((removed.text, "new"))
                if removed.end > removed.start:
                    pieces.append((self._text(removed.start, removed.end), "gone"))
                at = removed.end
                r += 1
            if offset > at:
                pieces.append((self._text(at, offset), "old"))
                at = offset

        for insertion in insertions:
            copy_until(insertion.offset)
            pieces.append((insertion.text, "new"))
        copy_until(len(self.content))
        return pieces

    def _text(self, start: int, end: int) -> str:
        return self.content[start:end].decode("utf-8", "replace")
