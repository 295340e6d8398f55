"""HAR 1.2: what a browser or a proxy has recorded (http://www.softwareishard.com/blog/har-12-spec)."""

from datetime import datetime, timedelta
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import urljoin

from fusillade.converters.addresses import (
    address,
    is_chosen,
    main_origin,
    metric_name,
    short_name,
)
from fusillade.converters.bodies import FORM, field, textual
from fusillade.converters.constants import Constants
from fusillade.converters.fields import Node
from fusillade.converters.model import (
    Body,
    Check,
    Choices,
    FilePart,
    FormBody,
    Group,
    MultipartBody,
    Recipe,
    Request,
    Text,
)

_ASSET_KINDS = frozenset(
    ["image", "font", "stylesheet", "script", "media", "manifest", "texttrack"]
)
_ASSET_TYPES = ("image/", "font/", "audio/", "video/", "text/css", "application/font")
_ASSET_SUFFIXES = [
    ".js",
    ".mjs",
    ".css",
    ".map",
    ".png",
    ".jpg",
    ".jpeg",
    ".gif",
    ".svg",
    ".webp",
    ".avif",
    ".ico",
    ".woff",
    ".woff2",
    ".ttf",
    ".otf",
    ".eot",
    ".mp4",
    ".webm",
    ".mp3",
    ".wasm",
]
_BROWSERS_OWN = frozenset(
    [
        "host",
        "connection",
        "content-length",
        "transfer-encoding",
        "accept-encoding",
        "te",
        "dnt",
        "priority",
        "pragma",
        "cache-control",
        "upgrade-insecure-requests",
        "if-none-match",
        "if-modified-since",
    ]
)
"""Headers that belong to the connection or to the browser's cache."""
_REDIRECTS = frozenset([301, 302, 303, 307, 308])
_LONGEST_THINK_SECONDS = 60.0
_SHORTEST_THINK_SECONDS = 0.1


def convert(document: Any, place: str, choices: Choices) -> Recipe:
    """The recorded requests, by page. Raises :class:`ValidationFailed`."""
    log = Node(document, place).required("log", dict)
    entries = [_Entry(one) for one in log.required("entries", list).each(dict)]
    return _Recording(entries, log, place, choices).recipe()


class _Entry:
    """One exchange of the recording."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.request = node.required("request", dict)
        self.response = node.optional("response", dict)
        self.url: str = self.request.required("url", str).value
        self.method: str = self.request.required("method", str).value.upper()
        self.status = self.response.number("status")
        self.page = str(node.value.get("pageref") or "")

    def is_asset(self) -> bool:
        if str(self.node.value.get("_resourceType") or "") in _ASSET_KINDS:
            return True
        kind = str(self.response.optional("content", dict).value.get("mimeType") or "")
        if kind.startswith(_ASSET_TYPES) or "javascript" in kind:
            return True
        path = self.url.partition("?")[0].partition("#")[0].lower()
        return self.method == "GET" and path.endswith(tuple(_ASSET_SUFFIXES))

    def redirects_to(self) -> str:
        if int(self.status) not in _REDIRECTS:
            return ""
        return str(self.response.value.get("redirectURL") or "") or _header(
            self.response, "location"
        )

    def times(self) -> tuple[datetime, datetime] | None:
        """When it began and when it was over."""
        try:
            begun = datetime.fromisoformat(str(self.node.value.get("startedDateTime")))
            return begun, begun + timedelta(milliseconds=max(self.node.number("time"), 0))
        except (ValueError, OverflowError):
            return None


class _Recording:
    def __init__(self, entries: list[_Entry], log: Node, place: str, choices: Choices) -> None:
        self._entries = entries
        self._log = log
        self._place = place
        self._choices = choices
        self._constants = Constants(choices)
        self._left_out: dict[str, int] = {}
        self._set_by_server: set[str] = set()

    def recipe(self) -> Recipe:
        chosen = self._chosen()
        base = main_origin(entry.url for entry in chosen)
        recipe = Recipe(source=f"{self._place} (HAR)", constants=self._constants.all)
        groups = self._groups(chosen)
        made: list[tuple[_Entry, Request]] = []
        redirected: dict[str, Request] = {}
        for entry in chosen:
            earlier = redirected.pop(entry.url, None) if entry.method in ("GET", "HEAD") else None
            if earlier is not None:
                # The engine follows the redirect by itself.
                request = earlier
                request.checks = _checks(entry)
                made.append((entry, request))
            else:
                request = self._request(entry, base)
                made.append((entry, request))
                group = groups.get(entry.page)
                if group is None:
                    recipe.items.append(request)
                else:
                    if not group.items:
                        recipe.items.append(group)
                    group.items.append(request)
            self._remember_cookies(entry)
            target = entry.redirects_to()
            if target:
                redirected[urljoin(entry.url, target)] = request
        for request in redirected.values():
            request.follow_redirects = False
        if self._choices.think_time:
            _think(made)
        recipe.notes = [self._sentence(reason, count) for reason, count in self._left_out.items()]
        return recipe

    def _chosen(self) -> list[_Entry]:
        chosen = []
        for entry in self._entries:
            reason = self._reason_to_leave_out(entry)
            if reason is None:
                chosen.append(entry)
            else:
                self._left_out[reason] = self._left_out.get(reason, 0) + 1
        return chosen

    def _reason_to_leave_out(self, entry: _Entry) -> str | None:
        if not is_chosen(entry.url, self._choices):
            return "left out with --only and --skip"
        if not entry.url.lower().startswith(("http://", "https://")):
            return "not over HTTP"
        if str(entry.node.value.get("_resourceType") or "") in ("websocket", "eventsource"):
            return "a connection that stays open"
        if entry.method == "OPTIONS" and _header(entry.request, "access-control-request-method"):
            return "a question of the browser before a request to another origin"
        if not self._choices.assets and entry.is_asset():
            return "an image, style, script or font (--assets keeps them)"
        if entry.status <= 0:
            return "without an answer in the recording"
        return None

    @staticmethod
    def _sentence(reason: str, count: int) -> str:
        return f"Left out: {count} request{'' if count == 1 else 's'}, {reason}."

    def _groups(self, chosen: list[_Entry]) -> dict[str, Group]:
        """By page, where there is more than one."""
        titles = {}
        for one in self._log.optional("pages", list).each(dict):
            titles[str(one.value.get("id"))] = str(one.value.get("title") or "")
        used = [page for page in titles if any(entry.page == page for entry in chosen)]
        if len(used) < 2:
            return {}
        groups: dict[str, Group] = {}
        for page in used:
            name = titles[page] or page
            same = sum(group.name.partition(" (again")[0] == name for group in groups.values())
            groups[page] = Group(name if not same else f"{name} (again, {same})")
        return groups

    def _request(self, entry: _Entry, base: str | None) -> Request:
        return Request(
            name=short_name(entry.method, entry.url),
            method=entry.method,
            url=address(entry.url, base, self._constants),
            headers=self._headers(entry),
            body=self._body(entry),
            checks=_checks(entry),
            metric_name=metric_name(entry.method, entry.url),
        )

    def _headers(self, entry: _Entry) -> list[tuple[str, Text]]:
        headers: dict[str, tuple[str, Text]] = {}
        multipart = _mime_type(entry).startswith("multipart/form-data")
        for one in entry.request.optional("headers", list).each(dict):
            name: str = one.required("name", str).value
            value: str = one.required("value", str).value
            lower = name.lower()
            if lower.startswith((":", "sec-")) or lower in _BROWSERS_OWN or value == "":
                continue
            if lower == "content-type" and multipart:
                continue  # the form has its own
            if lower == "cookie":
                value = self._own_cookies(value)
                if not value:
                    continue
            headers[lower] = (name, self._constants.header(name, value))
        return list(headers.values())

    def _own_cookies(self, header: str) -> str:
        """Without those that an earlier answer has set: the worker keeps them by itself."""
        pairs = [pair.strip() for pair in header.split(";")]
        return "; ".join(p for p in pairs if p.partition("=")[0] not in self._set_by_server)

    def _remember_cookies(self, entry: _Entry) -> None:
        for one in entry.response.optional("cookies", list).each(dict):
            self._set_by_server.add(str(one.value.get("name")))
        for one in entry.response.optional("headers", list).each(dict):
            if str(one.value.get("name")).lower() == "set-cookie":
                try:
                    self._set_by_server.update(SimpleCookie(str(one.value.get("value"))))
                except CookieError:
                    continue

    def _body(self, entry: _Entry) -> Body | None:
        data = entry.request.optional("postData", dict)
        if not data.value:
            return None
        kind = _mime_type(entry)
        content = str(data.value.get("text") or "")
        fields = list(data.optional("params", list).each(dict))
        if kind.startswith("multipart/form-data") and fields:
            return MultipartBody([self._part(one) for one in fields])
        if content == "" and fields:
            return FormBody([(str(one.value.get("name")), self._value(one)) for one in fields])
        return textual(content, kind or FORM, self._constants) if content else None

    def _value(self, one: Node) -> Text:
        return field(str(one.value.get("name")), str(one.value.get("value") or ""), self._constants)

    def _part(self, one: Node) -> tuple[str, Text | FilePart]:
        name = str(one.value.get("name"))
        filename = one.value.get("fileName")
        if filename is None:
            return name, self._value(one)
        content = str(one.value.get("value") or f"content of {filename}").encode()
        return name, FilePart(content, str(filename), str(one.value.get("contentType") or ""))


def _checks(entry: _Entry) -> list[Check]:
    status = int(entry.status)
    # What the browser had in its cache is sent whole to a worker, which has none.
    status = 200 if status == 304 else status
    return [Check(f"status is {status}", f"r.status === {status}")]


def _think(made: list[tuple[_Entry, Request]]) -> None:
    """Waits between the end of a request and the beginning of the next."""
    over: datetime | None = None
    last: Request | None = None
    for entry, request in made:
        times = entry.times()
        if times is None:
            continue
        begun, ended = times
        try:
            gap = 0.0 if over is None else (begun - over).total_seconds()
            over = ended if over is None else max(over, ended)
        except TypeError:  # one with, one without a time zone
            continue
        if last is not None and last is not request and gap >= _SHORTEST_THINK_SECONDS:
            last.think_seconds = round(min(gap, _LONGEST_THINK_SECONDS), 1)
        last = request


def _mime_type(entry: _Entry) -> str:
    given = entry.request.optional("postData", dict).value.get("mimeType")
    return str(given or _header(entry.request, "content-type"))


def _header(node: Node, wanted: str) -> str:
    for one in node.optional("headers", list).each(dict):
        if str(one.value.get("name")).lower() == wanted:
            return str(one.value.get("value") or "")
    return ""
