"""OpenAPI 3.0 and 3.1 (https://spec.openapis.org/oas/v3.1.0): one request an operation."""

import json
import re
from typing import Any
from urllib.parse import quote

from fusillade.converters.addresses import is_chosen
from fusillade.converters.constants import Constants
from fusillade.converters.fields import Node
from fusillade.converters.model import (
    Body,
    Check,
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
from fusillade.converters.references import References
from fusillade.converters.schema_examples import example
from fusillade.errors import ValidationFailed

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_NO_SERVER = "http://127.0.0.1:8080"


def convert(document: Any, place: str, choices: Choices) -> Recipe:
    """The operations, by their first tag. Raises :class:`ValidationFailed`."""
    return _Description(Node(document, place), place, choices).recipe()


class _Description:
    def __init__(self, root: Node, place: str, choices: Choices) -> None:
        version = str(root.value.get("openapi") or root.value.get("swagger"))
        if not version.startswith("3."):
            raise ValidationFailed(
                f"{place} is of version {version}; OpenAPI 3.0 and 3.1 can be converted."
            )
        self._root = root
        self._place = place
        self._choices = choices
        self._references = References(root.value, place)
        self._constants = Constants(choices)
        self._notes: list[str] = []
        self._left_out = 0

    def recipe(self) -> Recipe:
        title = str(self._root.optional("info", dict).value.get("title") or "")
        source = f"{self._place} (OpenAPI{f', {title}' if title else ''})"
        server = self._server(self._root)
        if server is None or "://" not in server:
            self._notes.append("The description names no server: set BASE_URL.")
            server = _NO_SERVER + (server or "").rstrip("/")
        base = self._constants.named("BASE_URL", text(server))
        groups: dict[str, Group] = {}
        items: list[Request | Group] = []
        for path, item in self._root.required("paths", dict).value.items():
            at = Node(self._references.resolve(item), self._place, f"paths.{path}")
            if not isinstance(at.value, dict):
                at.fail("has to be an object")
            for method in _METHODS:
                if method not in at.value:
                    continue
                operation = at.required(method, dict)
                here = self._server(operation) or self._server(at)
                if not is_chosen((here or server) + path, self._choices):
                    self._left_out += 1
                    continue
                start = text(here) if here and "://" in here else (base,)
                request = self._request(start, path, method.upper(), at, operation)
                tags = operation.optional("tags", list).value
                if not tags:
                    items.append(request)
                    continue
                if str(tags[0]) not in groups:
                    groups[str(tags[0])] = Group(str(tags[0]))
                    items.append(groups[str(tags[0])])
                groups[str(tags[0])].items.append(request)
        if self._left_out:
            self._notes.append(f"Left out with --only and --skip: {self._left_out} operations.")
        return Recipe(source, items, self._constants.all, self._notes)

    def _server(self, node: Node) -> str | None:
        """The first one's address, its variables as their defaults."""
        servers = list(node.optional("servers", list).each(dict))
        if not servers:
            return None
        variables = servers[0].optional("variables", dict).value
        url = str(servers[0].value.get("url") or "")
        for name, one in variables.items():
            default = one.get("default") if isinstance(one, dict) else None
            url = url.replace(f"{{{name}}}", str(default or ""))
        return url.rstrip("/") or None

    def _request(self, start: Text, path: str, method: str, item: Node, operation: Node) -> Request:
        name = str(operation.value.get("summary") or f"{method} {path}")
        request = Request(name, method, ())
        url: list[str | Code] = []
        query: list[str] = []
        cookies: list[str] = []
        filled = path
        for parameter in self._parameters(item, operation):
            where, key = str(parameter.value.get("in")), str(parameter.value.get("name"))
            given = self._example(parameter.value)
            if where == "path":
                filled = filled.replace(f"{{{key}}}", quote(_shown(given), safe=""))
            elif not (parameter.value.get("required") is True or _has_example(parameter.value)):
                continue
            elif where == "query":
                query += _query(key, given, parameter.value)
            elif where == "cookie":
                cookies.append(f"{key}={_shown(given)}")
            elif where == "header" and key.lower() not in (
                "accept",
                "content-type",
                "authorization",
            ):
                request.headers.append((key, text(_shown(given))))
        filled = re.sub(r"\{[^{}/]+\}", "1", filled)
        url += [*start, filled, f"?{'&'.join(query)}" if query else ""]
        request.url = text(*url)
        if filled != path:
            request.metric_name = f"{method} {path}"
        if cookies:
            request.headers.append(("Cookie", text("; ".join(cookies))))
        request.body = self._body(operation, request)
        self._authorize(request, operation)
        request.checks = _checks(operation)
        return request

    def _parameters(self, item: Node, operation: Node) -> list[Node]:
        """Those of the operation, and those of its path that it does not have itself."""
        found: dict[tuple[str, str], Node] = {}
        for owner in (item, operation):
            for one in owner.optional("parameters", list).each(dict):
                node = Node(self._references.resolve(one.value), self._place, one.path)
                name = node.required("name", str).value
                found[(node.required("in", str).value, name)] = node
        return list(found.values())

    def _example(self, holder: Any) -> Any:
        """Of a parameter or a media type: its own example, or what its schema allows."""
        if not isinstance(holder, dict):
            return None
        if "example" in holder:
            return holder["example"]
        examples = holder.get("examples")
        if isinstance(examples, dict) and examples:
            first = self._references.resolve(next(iter(examples.values())))
            if isinstance(first, dict) and "value" in first:
                return first["value"]
        content = holder.get("content")
        if isinstance(content, dict) and content:
            return json.dumps(self._example(next(iter(content.values()))))
        return example(holder.get("schema", {"type": "string"}), self._references)

    def _body(self, operation: Node, request: Request) -> Body | None:
        given = operation.optional("requestBody", dict)
        node = Node(self._references.resolve(given.value), self._place, given.path)
        content = node.optional("content", dict)
        if not content.value:
            return None
        kinds = list(content.value)
        kind = next((k for k in kinds if _is_json(k)), kinds[0])
        media = content.required(kind, dict)
        value = self._example(media.value)
        if kind == "multipart/form-data":
            return MultipartBody(self._parts(value, media))
        sent_as = "application/octet-stream" if "*" in kind else kind
        if kind == "application/x-www-form-urlencoded" and isinstance(value, dict):
            return FormBody(
                [
                    (str(key), text(_shown(item)))
                    for key, one in value.items()
                    for item in (one if isinstance(one, list) else [one])
                ]
            )
        request.headers.append(("Content-Type", text(sent_as)))
        if _is_json(kind):
            return JsonBody(value)
        return TextBody(text(_shown(value)))

    def _parts(self, value: Any, media: Node) -> list[tuple[str, Text | FilePart]]:
        schema = self._references.resolve(media.value.get("schema", {}))
        properties = schema.get("properties", {}) if isinstance(schema, dict) else {}
        parts: list[tuple[str, Text | FilePart]] = []
        for key, one in value.items() if isinstance(value, dict) else ():
            kind = self._references.resolve(properties.get(key, {}))
            binary = isinstance(kind, dict) and (
                kind.get("format") == "binary" or "contentMediaType" in kind
            )
            part = FilePart(_shown(one).encode(), f"{key}.txt") if binary else text(_shown(one))
            parts.append((str(key), part))
        return parts

    def _authorize(self, request: Request, operation: Node) -> None:
        owner = operation if "security" in operation.value else self._root
        alternatives = list(owner.optional("security", list).each(dict))
        if not alternatives or any(not one.value for one in alternatives):
            return
        schemes = self._root.optional("components", dict).optional("securitySchemes", dict)
        for name in alternatives[0].value:
            scheme = Node(
                self._references.resolve(schemes.required(name, dict).value),
                self._place,
                f"components.securitySchemes.{name}",
            )
            self._credentials(request, str(name), scheme)

    def _credentials(self, request: Request, name: str, scheme: Node) -> None:
        kind = scheme.required("type", str).value
        if kind == "http" and str(scheme.value.get("scheme")).lower() == "basic":
            user = self._secret("USERNAME", "the user")
            password = self._secret("PASSWORD", "the user's password")
            code = Code(f"http.basicAuth({user.js}, {password.js})")
            request.headers.append(("Authorization", (code,)))
        elif kind in ("http", "oauth2", "openIdConnect"):
            token = self._secret("TOKEN", f"the bearer token of {name}")
            request.headers.append(("Authorization", text("Bearer ", token)))
        elif kind == "apiKey":
            key = scheme.required("name", str).value
            code = self._secret(name, f"the API key of {name}")
            where = scheme.required("in", str).value
            if where == "query":
                joined = "&" if any("?" in p for p in request.url if isinstance(p, str)) else "?"
                value = Code(f"encodeURIComponent({code.js})")
                request.url = text(*request.url, f"{joined}{key}=", value)
            elif where == "cookie":
                request.headers.append(("Cookie", text(f"{key}=", code)))
            else:
                request.headers.append((key, (code,)))
        else:
            note = f"The security scheme {name} ({kind}) is not carried over."
            if note not in self._notes:
                self._notes.append(note)

    def _secret(self, name: str, purpose: str) -> Code:
        return self._constants.named(name, (), purpose, required=True)


def _is_json(kind: str) -> bool:
    plain = kind.partition(";")[0].strip().lower()
    return plain == "application/json" or plain.endswith("+json")


def _has_example(parameter: dict[str, Any]) -> bool:
    schema = parameter.get("schema")
    return (
        "example" in parameter
        or bool(parameter.get("examples"))
        or (isinstance(schema, dict) and ("example" in schema or bool(schema.get("examples"))))
    )


def _shown(value: Any) -> str:
    """A value as it stands in a path, a query or a form."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return ",".join(_shown(one) for one in value)
    return json.dumps(value, default=str)


def _query(name: str, value: Any, parameter: dict[str, Any]) -> list[str]:
    """A parameter in the style ``form``: a list as several, an object as its fields."""
    key = quote(name, safe="[]$")
    explode = parameter.get("explode", True) is not False
    if isinstance(value, list) and explode:
        return [f"{key}={quote(_shown(one), safe='')}" for one in value]
    if isinstance(value, dict):
        deep = parameter.get("style") == "deepObject"
        return [
            f"{f'{key}[{quote(k)}]' if deep else quote(k)}={quote(_shown(one), safe='')}"
            for k, one in value.items()
        ]
    return [f"{key}={quote(_shown(value), safe=',')}"]


def _checks(operation: Node) -> list[Check]:
    """The first status that the description calls a success."""
    responses = operation.optional("responses", dict).value
    for status in map(str, responses):
        if re.fullmatch(r"2\d\d", status):
            return [Check(f"status is {status}", f"r.status === {status}")]
        if status.upper() == "2XX":
            return [Check("status is 2xx", "r.status >= 200 && r.status < 300")]
    return []
