"""Postman collections 2.0 and 2.1 (https://schema.postman.com)."""

import re
from typing import Any

from fusillade.converters.addresses import is_chosen
from fusillade.converters.bodies import document, encode_query
from fusillade.converters.constants import Constants
from fusillade.converters.fields import Node
from fusillade.converters.javascript import expression
from fusillade.converters.model import (
    Body,
    Choices,
    Code,
    FilePart,
    FormBody,
    Group,
    JsonBody,
    MultipartBody,
    Recipe,
    Request,
    Text,
    TextBody,
    text,
)
from fusillade.converters.postman_checks import checks_of
from fusillade.secret_names import is_secret

_VARIABLE = re.compile(r"\{\{\s*([^{}]+?)\s*\}\}")
_SEGMENT = re.compile(r"(?<=/):([A-Za-z0-9_-]+)(?=[/?#]|$)")
_TYPES = {"json": "application/json", "xml": "application/xml", "html": "text/html"}
_DYNAMIC = {
    "$guid": "utils.uuid()",
    "$randomUUID": "utils.uuid()",
    "$timestamp": "Math.floor(Date.now() / 1000)",
    "$isoTimestamp": "new Date().toISOString()",
    "$randomInt": "utils.randomInt(0, 1000)",
    "$randomEmail": "utils.randomEmail()",
    "$randomFullName": "utils.randomName()",
    "$randomPhoneNumber": "utils.randomPhone()",
    "$randomStreetAddress": "utils.randomAddress()",
    "$randomAlphaNumeric": "utils.randomString(1)",
}
"""Postman's variables with a new value each time."""


def convert(collection: Any, place: str, choices: Choices) -> Recipe:
    """The requests, by folder. Raises :class:`ValidationFailed`."""
    return _Collection(Node(collection, place), place, choices).recipe()


class _Collection:
    def __init__(self, root: Node, place: str, choices: Choices) -> None:
        self._root = root
        self._place = place
        self._choices = choices
        self._constants = Constants(choices)
        self._notes: list[str] = []
        self._left_out = 0
        self._defaults = {
            str(one.value.get("key") or one.value.get("id")): one.value
            for one in root.optional("variable", list).each(dict)
            if not one.value.get("disabled")
        }
        self._open: set[str] = set()

    def recipe(self) -> Recipe:
        name = str(self._root.optional("info", dict).value.get("name") or "")
        source = f"{self._place} (Postman{f', {name}' if name else ''})"
        items = self._items(self._root.required("item", list), self._root.value.get("auth"))
        if self._left_out:
            self._notes.append(f"Left out with --only and --skip: {self._left_out} requests.")
        return Recipe(source, items, self._constants.all, self._notes)

    def _items(self, items: Node, auth: Any) -> list[Request | Group]:
        found: list[Request | Group] = []
        for item in items.each(dict):
            name = str(item.value.get("name") or item.path)
            own = item.value.get("auth") or auth
            if "item" in item.value:
                group = Group(name, self._items(item.required("item", list), own))
                if group.items:
                    found.append(group)
            elif "request" in item.value:
                request = self._request(item, name, own)
                if request is not None:
                    found.append(request)
            else:
                item.fail("has neither a 'request' nor an 'item'")
        return found

    def _request(self, item: Node, name: str, auth: Any) -> Request | None:
        if isinstance(item.value["request"], str):  # as 2.0 may have it: a URL alone
            item = Node(
                {**item.value, "request": {"url": item.value["request"]}}, item.document, item.path
            )
        node = item.required("request", dict)
        method = str(node.value.get("method") or "GET").upper()
        raw = _raw_url(node)
        if not raw:
            node.fail("has no 'url'")
        if not is_chosen(self._resolved(raw), self._choices):
            self._left_out += 1
            return None
        url, changes = self._url(raw, node)
        request = Request(name, method, url)
        if changes:
            shown = _SEGMENT.sub(r":\1", _VARIABLE.sub(r":\1", re.sub(r"[?#].*", "", raw)))
            request.metric_name = f"{method} {shown}"
        for header in node.optional("header", list).each(dict) if _listed(node, "header") else ():
            if not header.value.get("disabled") and header.value.get("key"):
                key = str(header.value["key"])
                value = str(header.value.get("value") or "")
                request.headers.append((key, self._header(key, value)))
        request.body = self._body(node, request, name)
        self._authorize(request, node.value.get("auth") or auth, name)
        request.checks, rest = checks_of(item)
        if rest:
            self._notes.append(f"The scripts of '{name}' are more than checks of status: {rest}.")
        return request

    # ---- text with variables -------------------------------------------------------------------

    def _text(self, value: str) -> Text:
        parts: list[str | Code] = []
        at = 0
        for match in _VARIABLE.finditer(value):
            parts += [value[at : match.start()], self._variable(match.group(1))]
            at = match.end()
        return text(*parts, value[at:])

    def _variable(self, name: str) -> Code:
        if name in _DYNAMIC:
            return Code(_DYNAMIC[name])
        given = self._defaults.get(name)
        if given is None or name in self._open:
            return self._constants.named(name, (), f"the variable {name}", required=True)
        value = str("" if given.get("value") is None else given["value"])
        secret = given.get("type") == "secret" or is_secret(name)
        if secret and not self._choices.keep_secrets:
            return self._constants.named(name, (), f"the variable {name}", required=True)
        self._open.add(name)
        try:
            return self._constants.named(
                name, self._text(value), f"the variable {name}", required=value == ""
            )
        finally:
            self._open.discard(name)

    def _resolved(self, value: str) -> str:
        """An address with the variables' values, as far as they have some."""
        value = self._resolved_raw(value)
        return value if "://" in value else f"http://{value}"

    def _resolved_raw(self, value: str) -> str:
        for _ in range(5):
            value = _VARIABLE.sub(
                lambda m: str(self._defaults.get(m.group(1), {}).get("value") or m.group(1)), value
            )
        return value

    def _header(self, name: str, value: str) -> Text:
        return self._text(value) if "{{" in value else self._constants.header(name, value)

    def _field(self, name: str, value: str) -> Text:
        if is_secret(name) and "{{" not in value:
            return self._constants.secret(name, value, f"the field {name}")
        return self._text(value)

    # ---- the parts of a request ----------------------------------------------------------------

    def _url(self, raw: str, node: Node) -> tuple[Text, bool]:
        """The address, and whether it has parts in its path that change."""
        raw = raw.partition("#")[0]
        path, question, query = raw.partition("?")
        start = re.match(r"^(?:[A-Za-z][A-Za-z0-9+.-]*://)?(?:\{\{[^{}]*\}\}|[^/])*", path)
        host = start.group() if start else ""
        url = node.value.get("url")
        listed = url.get("variable") if isinstance(url, dict) else None
        values = {
            str(one.get("key") or one.get("id")): str(one.get("value") or "")
            for one in _list(listed)
            if isinstance(one, dict)
        }
        rest = path[len(host) :]
        changes = "{{" in rest or _SEGMENT.search(rest) is not None
        parts: list[str | Code] = []
        at = 0
        for match in _SEGMENT.finditer(rest):
            name = match.group(1)
            parts += self._text(rest[at : match.start()])
            if values.get(name):
                parts += self._text(values[name])
            else:
                parts.append(self._constants.named(name, text("1"), f"the part :{name} of a path"))
            at = match.end()
        parts += self._text(rest[at:])
        if question:
            parts.append("?")
        for number, pair in enumerate(query.split("&") if query else []):
            name, equals, value = pair.partition("=")
            parts += ["&" if number else "", *self._text(name), equals]
            if is_secret(name) and value and "{{" not in value:
                hidden = self._constants.secret(name, value, f"the field {name}")
                parts += [value] if isinstance(hidden[0], str) else encode_query(hidden)
            else:
                for piece in self._text(value):
                    parts += [piece] if isinstance(piece, str) else encode_query((piece,))
        return text(*self._host(host), *parts), changes

    def _host(self, host: str) -> Text:
        """Scheme, host and port; Postman takes http:// where there is no scheme."""
        if "{{" in host:
            value = self._defaults.get(_first_variable(host), {}).get("value")
            has_scheme = "://" in host or not value or "://" in self._resolved_raw(str(value))
            return self._text(host) if has_scheme else text("http://", *self._text(host))
        host = host if "://" in host else f"http://{host}"
        if self._is_base(host):
            return (self._constants.named("BASE_URL", text(host)),)
        return text(host)

    def _is_base(self, host: str) -> bool:
        """Whether the constant for the base address is this host's, or still nobody's."""
        if any(re.sub(r"\W|_", "", name).lower() == "baseurl" for name in self._defaults):
            return False
        held = [one.default for one in self._constants.all if one.variable == "BASE_URL"]
        return held in ([], [text(host)])

    def _authorize(self, request: Request, auth: Any, name: str) -> None:
        if not isinstance(auth, dict) or auth.get("type") in (None, "noauth"):
            return
        kind = str(auth["type"])
        given = _settings(auth.get(kind))
        match kind:
            case "basic":
                user = self._argument(given.get("username", ""), "USERNAME", name, secret=False)
                password = self._argument(given.get("password", ""), "PASSWORD", name, secret=True)
                value: Text = (Code(f"http.basicAuth({user}, {password})"),)
                request.headers.append(("Authorization", value))
            case "bearer" | "oauth2":
                token = given.get("token") or given.get("accessToken") or ""
                code = Code(self._argument(token, "TOKEN", name, secret=True))
                request.headers.append(("Authorization", text("Bearer ", code)))
            case "apikey":
                key = given.get("key") or "X-Api-Key"
                code = Code(self._argument(given.get("value", ""), key, name, secret=True))
                if given.get("in") == "query":
                    joined = (
                        "&" if any("?" in p for p in request.url if isinstance(p, str)) else "?"
                    )
                    request.url = text(*request.url, f"{joined}{key}=", *encode_query((code,)))
                else:
                    request.headers.append((key, (code,)))
            case _:
                self._notes.append(f"The authentication of '{name}' ({kind}) is not carried over.")

    def _argument(self, value: str, name: str, request: str, *, secret: bool) -> str:
        if "{{" in value:
            return expression(self._text(value))
        if secret:
            if value and self._choices.keep_secrets:
                return expression(text(value))
            return self._constants.hidden(name, value, f"the {name.lower()} of '{request}'").js
        return expression(text(value))

    def _body(self, node: Node, request: Request, name: str) -> Body | None:
        body = node.optional("body", dict)
        mode = body.value.get("mode")
        if not mode or body.value.get("disabled"):
            return None
        match mode:
            case "raw":
                return self._raw(body, request)
            case "urlencoded":
                fields = _enabled(body.optional("urlencoded", list))
                return FormBody([(key, self._field(key, value)) for key, value, _ in fields])
            case "formdata":
                request.headers = [h for h in request.headers if h[0].lower() != "content-type"]
                parts = [
                    self._part(key, value, one, name)
                    for key, value, one in _enabled(body.optional("formdata", list))
                ]
                return MultipartBody(parts)
            case "graphql":
                given = body.optional("graphql", dict).value
                _content_type(request, "application/json")
                variables = document(str(given.get("variables") or "{}"))
                query = self._text(str(given.get("query") or ""))
                return JsonBody({"query": query, "variables": variables or {}})
            case "file":
                src = str(body.optional("file", dict).value.get("src") or "a file")
                self._notes.append(f"The body of '{name}' is the file {src}: put its content in.")
                return TextBody(text(f"content of {src}"))
            case _:
                body.fail(f"has the mode '{mode}', which is none of Postman's")

    def _raw(self, body: Node, request: Request) -> Body | None:
        content = str(body.value.get("raw") or "")
        language = body.optional("options", dict).optional("raw", dict).value.get("language")
        if content == "":
            return None
        _content_type(request, _TYPES.get(str(language), "text/plain"))
        kind = next(str(v[0]) for n, v in request.headers if n.lower() == "content-type" and v)
        found = document(content) if "json" in kind else None
        if isinstance(found, dict | list):
            return JsonBody(self._inside(found))
        return TextBody(self._text(content))

    def _inside(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {
                key: self._field(key, one) if isinstance(one, str) else self._inside(one)
                for key, one in value.items()
            }
        if isinstance(value, list):
            return [self._inside(one) for one in value]
        return self._text(value) if isinstance(value, str) else value

    def _part(
        self, key: str, value: str, one: dict[str, Any], name: str
    ) -> tuple[str, Text | FilePart]:
        if one.get("type") != "file":
            return key, self._field(key, value)
        src = one.get("src")
        path = str((src[0] if isinstance(src, list) and src else src) or "file.txt")
        filename = re.split(r"[/\\]", path)[-1]
        self._notes.append(f"'{name}' sends the file {filename}: put its content in.")
        return key, FilePart(
            f"content of {filename}".encode(), filename, str(one.get("contentType") or "")
        )


def _raw_url(node: Node) -> str:
    url = node.value.get("url")
    if not isinstance(url, dict):
        return str(url or "").strip()
    if url.get("raw"):
        return str(url["raw"]).strip()
    host, path = (
        joint.join(map(str, one)) if isinstance(one, list) else str(one or "")
        for one, joint in ((url.get("host"), "."), (url.get("path"), "/"))
    )
    protocol = f"{url['protocol']}://" if url.get("protocol") else ""
    port = f":{url['port']}" if url.get("port") else ""
    pairs = [
        f"{one.get('key', '')}={one.get('value') or ''}"
        for one in _list(url.get("query"))
        if isinstance(one, dict) and not one.get("disabled")
    ]
    query = f"?{'&'.join(pairs)}" if pairs else ""
    return f"{protocol}{host}{port}/{path.lstrip('/')}{query}" if host else ""


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _first_variable(host: str) -> str:
    match = _VARIABLE.search(host)
    return match.group(1) if match and match.start() == 0 else ""


def _listed(node: Node, name: str) -> bool:
    """Whether a field is a list: 2.0 may have headers as text."""
    return isinstance(node.value.get(name), list)


def _settings(given: Any) -> dict[str, str]:
    """An authentication's settings: an object in 2.0, a list of keys and values in 2.1."""
    if isinstance(given, dict):
        return {str(key): str(value or "") for key, value in given.items()}
    return {
        str(one.get("key")): str(one.get("value") or "")
        for one in _list(given)
        if isinstance(one, dict)
    }


def _enabled(fields: Node) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (str(one.value.get("key") or ""), str(one.value.get("value") or ""), one.value)
        for one in fields.each(dict)
        if not one.value.get("disabled")
    ]


def _content_type(request: Request, kind: str) -> None:
    if not any(name.lower() == "content-type" for name, _ in request.headers):
        request.headers.append(("Content-Type", text(kind)))
