"""A shell's command lines as words, as far as curl commands need it (POSIX.1-2017, 2.2 and 2.6.2;
``$'...'`` as in bash).

Variables are kept as such; what would run a command is refused.
"""

import re
from dataclasses import dataclass, field
from typing import NoReturn

from fusillade.errors import ValidationFailed

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ANSI_C = re.compile(
    r"\\(?:x([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{1,4})|U([0-9a-fA-F]{1,8})|([0-7]{1,3})|(.))", re.S
)
_ANSI_C_LETTERS = {
    "n": "\n",
    "t": "\t",
    "r": "\r",
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "v": "\v",
    "e": "\x1b",
    "E": "\x1b",
}
_SEPARATORS = ";|&\n"


@dataclass(frozen=True)
class Variable:
    """``$NAME`` or ``${NAME}``."""

    name: str


@dataclass
class Word:
    """A word and the line that it begins on, from 1."""

    line: int
    parts: list[str | Variable] = field(default_factory=list)

    def plain(self) -> str:
        """The text, variables as they were written."""
        return "".join(p if isinstance(p, str) else f"${{{p.name}}}" for p in self.parts)


@dataclass
class Command:
    """The words of one command."""

    words: list[Word] = field(default_factory=list)
    reads_pipe: bool = False
    """Whether it takes what another one writes."""


def commands(source: str, place: str) -> list[Command]:
    """All commands of a file or line. Raises :class:`ValidationFailed` with ``place`` and line."""
    return _Reader(source.replace("\r\n", "\n"), place).read()


class _Reader:
    def __init__(self, source: str, place: str) -> None:
        self._source = source
        self._place = place
        self._at = 0
        self._found: list[Command] = [Command()]
        self._word: Word | None = None

    def read(self) -> list[Command]:
        source = self._source
        while self._at < len(source):
            letter = source[self._at]
            if letter == "\\" and source.startswith("\\\n", self._at):
                self._at += 2
            elif letter in " \t":
                self._at += 1
                self._end_word()
            elif letter == "#" and self._word is None:
                end = source.find("\n", self._at)
                self._at = len(source) if end < 0 else end
            elif letter in _SEPARATORS:
                self._separator(letter)
            elif letter in "<>" or (letter.isdigit() and self._word is None and self._redirects()):
                self._redirection()
            else:
                self._piece(letter)
        self._end_word()
        return [command for command in self._found if command.words]

    def _piece(self, letter: str) -> None:
        word = self._begun()
        source = self._source
        if letter == "'":
            word.parts.append(self._until_quote())
        elif source.startswith("$'", self._at):
            word.parts.append(self._ansi_c())
        elif letter == '"':
            self._double_quoted(word)
        elif letter in "`(":
            self._fail(self._at, f"{letter} runs a command; write its output there")
        elif letter == "$":
            word.parts.append(self._variable())
        elif letter == "\\":
            word.parts.append(source[self._at + 1 : self._at + 2])
            self._at += 2
        else:
            word.parts.append(letter)
            self._at += 1

    def _separator(self, letter: str) -> None:
        self._end_word()
        twice = self._source.startswith(letter * 2, self._at)
        self._at += 2 if twice and letter != "\n" else 1
        self._found.append(Command(reads_pipe=letter == "|" and not twice))

    def _redirects(self) -> bool:
        return re.match(r"\d+[<>]", self._source[self._at : self._at + 4]) is not None

    def _redirection(self) -> None:
        match = re.match(r"\d*(?:<<<|<<|>>|>&|<&|>\||<|>)&?\s*", self._source[self._at :])
        if match is not None and "<" in match.group():
            self._fail(self._at, "input that comes from < cannot be read; give it with -d @file")
        self._end_word()
        self._at += len(match.group()) if match is not None else 1
        # Where it goes to is of no interest: the next word is read and dropped.
        while self._at < len(self._source) and self._source[self._at] not in " \t\n;|&":
            self._at += 1

    def _until_quote(self) -> str:
        end = self._source.find("'", self._at + 1)
        if end < 0:
            self._fail(self._at, "the quote ' is never closed")
        found = self._source[self._at + 1 : end]
        self._at = end + 1
        return found

    def _double_quoted(self, word: Word) -> None:
        source, begun = self._source, self._at
        self._at += 1
        word.parts.append("")
        while True:
            letter = source[self._at : self._at + 1]
            if letter == "":
                self._fail(begun, 'the quote " is never closed')
            if letter == '"':
                self._at += 1
                return
            if letter == "\\" and source[self._at + 1 : self._at + 2] in (
                "$",
                "`",
                '"',
                "\\",
                "\n",
            ):
                escaped = source[self._at + 1]
                word.parts.append("" if escaped == "\n" else escaped)
                self._at += 2
            elif letter == "`":
                self._fail(self._at, "` runs a command; write its output there")
            elif letter == "$":
                word.parts.append(self._variable())
            else:
                word.parts.append(letter)
                self._at += 1

    def _ansi_c(self) -> str:
        begun = self._at
        match = re.compile(r"\$'((?:[^'\\]|\\.)*)'", re.S).match(self._source, self._at)
        if match is None:
            self._fail(begun, "the quote $' is never closed")
        self._at = match.end()
        # \x and octal escapes are bytes, and bytes that follow each other may be one letter.
        raw = _ANSI_C.sub(_ansi_c_escape, match.group(1))
        return raw.encode("utf-8", "surrogateescape").decode("utf-8", "replace")

    def _variable(self) -> str | Variable:
        source = self._source
        if source.startswith("$(", self._at):
            self._fail(self._at, "$( ) runs a command; write its output there")
        if source.startswith("${", self._at):
            end = source.find("}", self._at)
            name = source[self._at + 2 : end]
            if end < 0 or not _NAME.fullmatch(name):
                self._fail(self._at, "of ${ } only a name is understood, such as ${TOKEN}")
            self._at = end + 1
            return Variable(name)
        match = _NAME.match(source, self._at + 1)
        if match is None:
            self._at += 1
            return "$"
        self._at = match.end()
        return Variable(match.group())

    def _begun(self) -> Word:
        if self._word is None:
            self._word = Word(self._line(self._at))
            self._found[-1].words.append(self._word)
        return self._word

    def _end_word(self) -> None:
        if self._word is not None:
            joined: list[str | Variable] = []
            for part in self._word.parts:
                if isinstance(part, str) and joined and isinstance(joined[-1], str):
                    joined[-1] += part
                else:
                    joined.append(part)
            self._word.parts = joined
        self._word = None

    def _line(self, at: int) -> int:
        return self._source.count("\n", 0, at) + 1

    def _fail(self, at: int, reason: str) -> NoReturn:
        raise ValidationFailed(f"{self._place}, line {self._line(at)}: {reason}.")


def _ansi_c_escape(match: "re.Match[str]") -> str:
    hexadecimal, four, eight, octal, letter = match.groups()
    if hexadecimal or octal:
        number = (int(hexadecimal, 16) if hexadecimal else int(octal, 8)) & 255
        return bytes([number]).decode("utf-8", "surrogateescape")
    if four or eight:
        return chr(int(four or eight, 16))
    return _ANSI_C_LETTERS.get(letter, letter)
