"""Documents that are nearly right: each is converted, or refused with a sentence."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
import tree_sitter_javascript
from conversions import converted
from tree_sitter import Language, Parser

from fusillade.errors import ValidationFailed

_JAVASCRIPT = Parser(Language(tree_sitter_javascript.language()))

_NAMED = {"name": "n", "value": "v"}
HAR = {
    "log": {
        "pages": [{"id": "p", "title": "t"}, {"id": "q", "title": "t"}],
        "entries": [
            {
                "pageref": page,
                "startedDateTime": "2026-01-01T00:00:00Z",
                "time": 1,
                "request": {
                    "method": "POST",
                    "url": "http://h/a?b=c",
                    "headers": [_NAMED],
                    "postData": {"mimeType": "text/plain", "text": "x", "params": [_NAMED]},
                },
                "response": {
                    "status": 302,
                    "headers": [_NAMED],
                    "cookies": [_NAMED],
                    "content": {"mimeType": "text/html"},
                    "redirectURL": "/b",
                },
            }
            for page in "pq"
        ],
    }
}
_KEYED = {"key": "k", "value": "{{v}}", "type": "text", "disabled": False}
POSTMAN = {
    "info": {"name": "n"},
    "variable": [_KEYED],
    "auth": {"type": "basic", "basic": [_KEYED]},
    "item": [
        {
            "name": "folder",
            "item": [
                {
                    "name": "one",
                    "event": [{"listen": "test", "script": {"exec": ["pm.test("]}}],
                    "request": {
                        "method": "POST",
                        "url": {
                            "host": ["h"],
                            "path": ["a", ":b"],
                            "query": [_KEYED],
                            "variable": [_KEYED],
                        },
                        "header": [_KEYED],
                        "auth": {"type": "apikey", "apikey": {"key": "k", "value": "v"}},
                        "body": {
                            "mode": mode,
                            "raw": "x",
                            mode: listed,
                            "options": {"raw": {"language": "json"}},
                        },
                    },
                }
                for mode, listed in (
                    ("raw", "{}"),
                    ("urlencoded", [_KEYED]),
                    ("formdata", [{**_KEYED, "type": "file", "src": ["a"]}]),
                    ("graphql", {"query": "q", "variables": "{}"}),
                    ("file", {"src": "a"}),
                )
            ],
        }
    ],
}
_SCHEMA = {
    "type": "object",
    "required": ["a"],
    "properties": {
        "a": {"type": "integer", "minimum": 3, "maximum": 9, "multipleOf": 2},
        "b": {"type": "string", "minLength": 9, "maxLength": 12},
        "c": {"type": "array", "minItems": 2, "items": {"enum": ["x"]}},
        "d": {"allOf": [{"type": "object"}], "properties": {"e": {"oneOf": [{"type": "null"}]}}},
    },
}
OPENAPI = {
    "openapi": "3.1.0",
    "info": {"title": "t"},
    "servers": [{"url": "http://{h}", "variables": {"h": {"default": "h"}}}],
    "security": [{"s": []}],
    "components": {"securitySchemes": {"s": {"type": "apiKey", "in": "query", "name": "k"}}},
    "paths": {
        f"/{method}/{{b}}": {
            "parameters": [{"name": "b", "in": "path", "required": True, "schema": _SCHEMA}],
            method: {
                "tags": ["t"],
                "summary": "s",
                "parameters": [
                    {"name": "c", "in": place, "required": True, "examples": {"x": {"value": 1}}}
                    for place in ("query", "header", "cookie")
                ],
                "requestBody": {"content": {kind: {"schema": _SCHEMA}}},
                "responses": {"200": {}},
            },
        }
        for method, kind in (("post", "multipart/form-data"), ("put", "application/json"))
    },
}  # fmt: skip


def nearly(document: Any) -> Iterator[Any]:
    """The document with each of its values replaced by one of another kind."""

    def places(value: Any, path: list[Any]) -> Iterator[list[Any]]:
        if path:
            yield path
        pairs = (
            value.items()
            if isinstance(value, dict)
            else enumerate(value)
            if isinstance(value, list)
            else ()
        )
        for name, one in pairs:
            yield from places(one, [*path, name])

    for path in places(document, []):
        for wrong in (5, "x", [], {}, [1], {"a": 1}, None, True):
            changed = json.loads(json.dumps(document))
            holder = changed
            for name in path[:-1]:
                holder = holder[name]
            holder[path[-1]] = copy.deepcopy(wrong)
            yield changed


@pytest.mark.parametrize(
    ("document", "wanted"),
    [(HAR, "har"), (POSTMAN, "postman"), (OPENAPI, "openapi")],
    ids=["har", "postman", "openapi"],
)
def test_a_value_of_another_kind_is_understood_or_refused_with_a_sentence(
    document: Any, wanted: str
) -> None:
    converted(json.dumps(document), wanted=wanted)
    problems = {}
    for changed in nearly(document):
        source = json.dumps(changed)
        try:
            if _JAVASCRIPT.parse(converted(source, wanted=wanted).encode()).root_node.has_error:
                problems["no JavaScript"] = source
        except ValidationFailed:
            continue
        except Exception as error:
            problems[f"{type(error).__name__}: {error}"] = source
    assert not problems
