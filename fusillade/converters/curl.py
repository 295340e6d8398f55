"""curl commands: one, or a file of several."""

import mimetypes
import re
from pathlib import Path
from typing import NoReturn
from urllib.parse import quote, unquote

from fusillade.converters import curl_options
from fusillade.converters.addresses import address, is_chosen, main_origin, metric_name, short_name
from fusillade.converters.bodies import FORM, encode_query, textual
from fusillade.converters.constants import Constants
from fusillade.converters.javascript import expression
from fusillade.converters.model import (
    Body,
    BytesBody,
    Choices,
    Code,
    FilePart,
    MultipartBody,
    Recipe,
    Request,
    Text,
    TextBody,
    text,
)
from fusillade.converters.shell_words import Command, Variable, Word, commands
from fusillade.errors import ValidationFailed
from fusillade.secret_names import is_secret

_ASSIGNMENT = re.compile(r"^([A-Za-z_][A-Za-z0-9_]*)=")
_SCHEME = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*://")
_MOST_FILE_BYTES = 256 << 10


def convert(source: str, place: str, directory: Path, choices: Choices) -> Recipe:
    """The requests of all commands. Files (``@file``) are looked for in ``directory``.

    Raises :class:`ValidationFailed`.
    """
    reader = _Commands(place, directory, choices)
    for command in commands(source, place):
        reader.add(command)
    return reader.recipe()


class _Transfer:
    """One request as its options are read, with the line it began on."""

    def __init__(self, line: int) -> None:
        self.line = line
        self.urls: list[Text] = []
        self.values: list[tuple[str, Word, Text]] = []
        self.switches: set[str] = set()


class _Commands:
    def __init__(self, place: str, directory: Path, choices: Choices) -> None:
        self._place = place
        self._directory = directory
        self._choices = choices
        self._constants = Constants(choices)
        self._assigned: dict[str, Text] = {}
        self._transfers: list[_Transfer] = []
        self._notes: list[str] = []
        self._insecure: set[bool] = set()

    def add(self, command: Command) -> None:
        words = list(command.words)
        while words and words[0].plain() in ("$", "time", "sudo", "exec", "%"):
            del words[0]
        while words and (assignment := _ASSIGNMENT.match(words[0].plain())):
            value = Word(words[0].line, list(words.pop(0).parts))
            first = value.parts[0]
            assert isinstance(first, str)
            value.parts[0] = first[assignment.end() :]
            self._assigned[assignment.group(1)] = self._text(value)
        if not words or command.reads_pipe or words[0].plain().startswith("#!"):
            return
        if words[0].plain() in ("set", "echo", "export", "cd", "sleep", "printf"):
            return
        if Path(words[0].plain()).name not in ("curl", "curl.exe"):
            self._fail(words[0].line, f"'{words[0].plain()}' is no curl command")
        self._transfer(words[1:], words[0].line)

    def _transfer(self, words: list[Word], line: int) -> None:
        transfer = _Transfer(line)
        waiting = list(words)
        while waiting:
            word = waiting.pop(0)
            given = word.plain()
            if given == "--":
                continue
            if not given.startswith("-") or given == "-":
                transfer.urls.append(self._text(word))
                continue
            for name, inline in self._options(word, given):
                if name == "next":
                    self._finish(transfer)
                    transfer = _Transfer(word.line)
                elif self._takes_value(name):
                    if inline is None and not waiting:
                        self._fail(word.line, f"{given} is not followed by a value")
                    value = waiting.pop(0) if inline is None else inline
                    self._value(transfer, name, value)
                else:
                    self._switch(transfer, name)
        self._finish(transfer)

    def _options(self, word: Word, given: str) -> list[tuple[str, Word | None]]:
        """The options that a word holds; of short ones several, and the last one's value."""
        if given.startswith("--"):
            name = given[2:]
            if not _known(name) and name.startswith("no-") and _known(name[3:]):
                return []
            if not _known(name):
                self._fail(word.line, f"{given} is not an option of curl that can be converted")
            return [(name, None)]
        found: list[tuple[str, Word | None]] = []
        for at, letter in enumerate(given[1:], 2):
            name = curl_options.SHORT.get(letter, "")
            if not _known(name):
                self._fail(word.line, f"-{letter} is not an option of curl that can be converted")
            if self._takes_value(name) and at < len(given):
                rest = Word(word.line, list(word.parts))
                first = rest.parts[0]
                assert isinstance(first, str)
                rest.parts[0] = first[at:]
                return [*found, (name, rest)]
            found.append((name, None))
        return found

    @staticmethod
    def _takes_value(name: str) -> bool:
        return (
            name in curl_options.SENT
            or name in curl_options.IGNORED_WITH_VALUE
            or name in curl_options.NOT_CARRIED_OVER
        )

    def _value(self, transfer: _Transfer, name: str, word: Word) -> None:
        if name == "url":
            transfer.urls.append(self._text(word))
        elif name in curl_options.NOT_CARRIED_OVER:
            what = curl_options.NOT_CARRIED_OVER[name]
            self._note(f"Line {word.line}: {what} (--{name}) is not carried over.")
        elif name in curl_options.SENT:
            transfer.values.append((name, word, self._text(word)))

    def _switch(self, transfer: _Transfer, name: str) -> None:
        if name in curl_options.NOT_CARRIED_OVER_SWITCHES:
            what = curl_options.NOT_CARRIED_OVER_SWITCHES[name]
            self._note(f"Line {transfer.line}: {what} (--{name}) is not carried over.")
        transfer.switches.add(name)

    def _finish(self, transfer: _Transfer) -> None:
        if not transfer.urls:
            self._fail(transfer.line, "the curl command has no URL")
        self._transfers.append(transfer)

    def recipe(self) -> Recipe:
        if not self._transfers:
            raise ValidationFailed(
                f"{self._place} has no curl command; one looks like: curl https://example.com"
            )
        plain = [_plain(self._absolute(url)) for one in self._transfers for url in one.urls]
        base = main_origin(url for url in plain if _SCHEME.match(url))
        recipe = Recipe(source=f"{self._place} (curl)", constants=self._constants.all)
        left_out = 0
        for transfer in self._transfers:
            for url in transfer.urls:
                request = self._request(transfer, self._absolute(url), base)
                if is_chosen(_plain(self._absolute(url)), self._choices):
                    recipe.items.append(request)
                else:
                    left_out += 1
        recipe.insecure = any("insecure" in one.switches for one in self._transfers)
        recipe.notes = self._notes
        if left_out:
            recipe.notes.append(f"Left out with --only and --skip: {left_out} requests.")
        return recipe

    def _request(self, transfer: _Transfer, url: Text, base: str | None) -> Request:
        headers = self._headers(transfer)
        as_query = "get" in transfer.switches
        body = None if as_query else self._body(transfer, headers)
        method = "GET" if body is None else "POST"
        if "head" in transfer.switches:
            method = "HEAD"
        query: list[Text] = []
        if as_query:
            query = [self._data(*one) for one in transfer.values if one[0] in _DATA]
        timeout = None
        for name, word, value in transfer.values:
            if name == "request":
                method = word.plain()
            elif name == "url-query":
                query.append(self._urlencoded(word, value))
            elif name == "max-time":
                timeout = f"{word.plain()}s"
            elif name == "upload-file":
                body = self._file_body(word.plain(), word.line)
                method = method if method not in ("GET", "POST") else "PUT"
        for one in query:
            joined = "&" if "?" in _plain(url) else "?"
            url = text(*url, joined, *one)
        location = {"location", "location-trusted"} & transfer.switches
        plain = _plain(url)
        url = self._without_user(url, headers)
        only = url[0] if len(url) == 1 else None
        return Request(
            name=short_name(method, plain),
            method=method,
            url=address(only, base, self._constants) if isinstance(only, str) else url,
            headers=headers,
            body=body,
            metric_name=metric_name(method, plain)
            if isinstance(only, str)
            else short_name(method, plain),
            follow_redirects=bool(location),
            timeout=timeout,
        )

    def _without_user(self, url: Text, headers: list[tuple[str, Text]]) -> Text:
        """The URL without ``user:password@``, which become a header."""
        first = url[0] if url else ""
        found = (
            re.match(r"^(https?://)([^/?#@]*)@(.*)$", first, re.S)
            if isinstance(first, str)
            else None
        )
        if found is None:
            return url
        start, user, rest = found.groups()
        headers.append(("Authorization", (self._basic(unquote(user)),)))
        return text(start + rest, *url[1:])

    def _headers(self, transfer: _Transfer) -> list[tuple[str, Text]]:
        headers: list[tuple[str, Text]] = []
        for option, word, value in transfer.values:
            if option == "header":
                self._header(headers, word, value)
            elif option == "user":
                literal = value[0] if len(value) == 1 else None
                code = (
                    self._basic(literal)
                    if isinstance(literal, str)
                    else Code(f"`Basic ${{encoding.b64encode({expression(value)})}}`")
                )
                headers.append(("Authorization", (code,)))
            elif option == "oauth2-bearer":
                bearer = text("Bearer ", *value)
                headers.append(("Authorization", self._hidden("Authorization", bearer)))
            elif option == "user-agent":
                headers.append(("User-Agent", value))
            elif option == "referer":
                headers.append(("Referer", value))
            elif option == "range":
                headers.append(("Range", text("bytes=", *value)))
            elif option == "cookie":
                if "=" not in word.plain():
                    self._note(f"Line {word.line}: the cookies of {word.plain()} are not read.")
                    continue
                headers.append(("Cookie", self._hidden("Cookie", value)))
        if "compressed" in transfer.switches and not _has(headers, "accept-encoding"):
            headers.append(("Accept-Encoding", text("gzip, deflate, br")))
        return headers

    def _header(self, headers: list[tuple[str, Text]], word: Word, value: Text) -> None:
        if word.plain().startswith("@"):
            self._note(f"Line {word.line}: the headers of {word.plain()} are not read.")
            return
        first = value[0] if value else ""
        name, separator, rest = first.partition(":") if isinstance(first, str) else ("", "", "")
        if not separator:
            if isinstance(first, str) and first.endswith(";"):
                headers.append((first[:-1], ()))
                return
            self._fail(
                word.line, f"the header '{word.plain()}' has no colon; write -H 'Name: value'"
            )
        content = text(rest.lstrip(), *value[1:])
        if content and name.strip().lower() not in ("content-length", "host"):
            headers.append((name.strip(), self._hidden(name.strip(), content)))
        elif name.strip().lower() == "host":
            headers.append((name.strip(), content))

    def _hidden(self, name: str, value: Text) -> Text:
        """A header's value; what is a variable of the shell already is hidden enough."""
        if len(value) == 1 and isinstance(value[0], str):
            return self._constants.header(name, value[0])
        return value

    def _basic(self, user: str) -> Code:
        name, _, password = user.partition(":")
        given = self._constants.named("USERNAME", text(name), "the user")
        for constant in self._constants.all:
            if constant.name == given.js and constant.default != text(name):
                given = Code(expression(text(name)))
        hidden = self._constants.hidden("PASSWORD", password, f"the password of {name}")
        return Code(f"http.basicAuth({given.js}, {hidden.js})")

    def _body(self, transfer: _Transfer, headers: list[tuple[str, Text]]) -> Body | None:
        forms = [one for one in transfer.values if one[0] in ("form", "form-string")]
        if forms:
            return MultipartBody([self._part(*one) for one in forms])
        data = [one for one in transfer.values if one[0] in _DATA]
        if not data:
            return None
        json = any(one[0] == "json" for one in data)
        if json and not _has(headers, "content-type"):
            headers.append(("Content-Type", text("application/json")))
        if json and not _has(headers, "accept"):
            headers.append(("Accept", text("application/json")))
        if len(data) == 1 and data[0][1].plain().startswith("@") and data[0][0] == "data-binary":
            content = self._file_body(data[0][1].plain()[1:], data[0][1].line)
            if isinstance(content, BytesBody):
                _default(headers, FORM)
                return content
        pieces: list[Text] = []
        for number, one in enumerate(data):
            pieces += [text("&" if number and one[0] != "json" else ""), self._data(*one)]
        whole = text(*(part for piece in pieces for part in piece))
        content_type = next((v for n, v in headers if n.lower() == "content-type"), text(FORM))
        plain = whole[0] if len(whole) == 1 else None
        body: Body = TextBody(whole)
        if isinstance(plain, str):
            body = textual(plain, _plain(content_type), self._constants)
        if isinstance(body, TextBody):
            _default(headers, FORM)
        return body

    def _data(self, option: str, word: Word, value: Text) -> Text:
        given = word.plain()
        if option == "data-urlencode":
            return self._urlencoded(word, value)
        if option != "data-raw" and given.startswith("@"):
            content = self._read(given[1:], word.line)
            if option in ("data", "data-ascii"):
                content = content.replace(b"\r", b"").replace(b"\n", b"")
            try:
                return text(content.decode("utf-8"))
            except UnicodeDecodeError:
                self._fail(
                    word.line, f"{given[1:]} is no text in UTF-8; send it with --data-binary"
                )
        return value

    def _urlencoded(self, word: Word, value: Text) -> Text:
        """As ``--data-urlencode`` has it: content, =content, name=content, @file, name@file."""
        first = value[0] if value else ""
        match = re.match(r"^([^=@]*)([=@])", first) if isinstance(first, str) else None
        if match is None:
            return encode_query(value)
        name, sign = match.groups()
        assert isinstance(first, str)
        content = text(first[match.end() :], *value[1:])
        if sign == "@":
            raw = self._read(_plain(content), word.line)
            return text(f"{name}=" if name else "", quote(raw, safe=""))
        if is_secret(name) and len(content) == 1 and isinstance(content[0], str):
            content = self._constants.secret(name, content[0], f"the field {name}")
        return text(f"{name}=" if name else "", *encode_query(content))

    def _part(self, option: str, word: Word, value: Text) -> tuple[str, Text | FilePart]:
        first = value[0] if value else ""
        name, equals, rest = first.partition("=") if isinstance(first, str) else ("", "", "")
        if not equals:
            self._fail(
                word.line, f"the form field '{word.plain()}' has no =; write -F 'name=value'"
            )
        if option == "form" and rest[:1] in ("@", "<"):
            whole = _plain(text(rest, *value[1:]))
            path, *settings = whole[1:].split(";")
            path = path.strip('"')
            named = dict(one.strip().partition("=")[::2] for one in settings)
            content = self._read(path, word.line)
            if whole[0] == "<":
                return name, text(content.decode("utf-8", "replace"))
            filename = named.get("filename", Path(path).name).strip('"')
            kind = named.get("type") or mimetypes.guess_type(path)[0] or ""
            return name, FilePart(content, filename, kind)
        content_text = text(rest, *value[1:])
        if is_secret(name) and len(content_text) == 1 and isinstance(content_text[0], str):
            content_text = self._constants.secret(name, content_text[0], f"the field {name}")
        return name, content_text

    def _file_body(self, path: str, line: int) -> Body:
        content = self._read(path, line)
        try:
            return TextBody(text(content.decode("utf-8")))
        except UnicodeDecodeError:
            return BytesBody(content)

    def _read(self, path: str, line: int) -> bytes:
        if path == "-":
            self._fail(line, "what is read from standard input is not known; give a file")
        try:
            content = (self._directory / path).read_bytes()
        except OSError as error:
            self._fail(line, f"cannot read {path}: {error.strerror}")
        if len(content) > _MOST_FILE_BYTES:
            most = _MOST_FILE_BYTES >> 10
            self._fail(line, f"{path} is larger than {most} KiB, too much to be in a script")
        return content

    def _text(self, word: Word) -> Text:
        return text(*(self._resolved(p) if isinstance(p, Variable) else p for p in word.parts))

    def _resolved(self, variable: Variable) -> Code:
        default = self._assigned.get(variable.name, ())
        kept = self._choices.keep_secrets or not is_secret(variable.name)
        return self._constants.named(
            variable.name,
            default if kept else (),
            "a variable of the shell",
            required=not (default and kept),
        )

    def _absolute(self, url: Text) -> Text:
        first = url[0] if url else ""
        if isinstance(first, str) and not _SCHEME.match(first):
            return text("http://", *url)
        return url

    def _note(self, sentence: str) -> None:
        if sentence not in self._notes:
            self._notes.append(sentence)

    def _fail(self, line: int, reason: str) -> NoReturn:
        raise ValidationFailed(f"{self._place}, line {line}: {reason}.")


_DATA = ("data", "data-ascii", "data-raw", "data-binary", "data-urlencode", "json")


def _known(name: str) -> bool:
    return any(
        name in names
        for names in (
            curl_options.SENT,
            curl_options.SWITCHES,
            curl_options.IGNORED,
            curl_options.IGNORED_WITH_VALUE,
            curl_options.NOT_CARRIED_OVER,
            curl_options.NOT_CARRIED_OVER_SWITCHES,
        )
    )


def _plain(value: Text) -> str:
    """Text with its variables shown as ``:name``."""
    return "".join(part if isinstance(part, str) else f":{part.js}" for part in value)


def _has(headers: list[tuple[str, Text]], wanted: str) -> bool:
    return any(name.lower() == wanted for name, _ in headers)


def _default(headers: list[tuple[str, Text]], content_type: str) -> None:
    if not _has(headers, "content-type"):
        headers.append(("Content-Type", text(content_type)))
