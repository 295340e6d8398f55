"""An API description becomes a script with one request an operation, by tag."""

import base64
import json
from typing import Any

import pytest
from aiohttp import web
from conversions import converted, sent
from recorder import Received, recording

from fusillade.converters.model import Choices
from fusillade.errors import ValidationFailed

SHOP = """\
openapi: 3.1.0
info: {title: Shop, version: "1"}
servers:
  - url: "http://{host}/v1/"
    variables: {host: {default: HOST}}
security: [{bearer: []}]
paths:
  /items/{itemId}:
    parameters:
      - $ref: "#/components/parameters/ItemId"
    get:
      tags: [Items]
      summary: Get one
      parameters:
        - {name: fields, in: query, required: true, schema: {type: array, items: {enum: [a b]}}}
        - {name: page, in: query, schema: {type: integer}}
        - {name: since, in: query, example: 2026-01-02, schema: {type: string, format: date}}
        - {name: X-Trace, in: header, required: true, schema: {type: string, format: uuid}}
      responses: {404: {description: none}, 200: {description: it}}
    put:
      tags: [Items]
      security: [{basic: []}]
      requestBody:
        content:
          text/plain: {example: no}
          application/json: {schema: {$ref: "#/components/schemas/Item"}}
      responses: {"204": {description: done}}
  /form:
    post:
      security: [{key: [], query: []}]
      requestBody:
        content:
          application/x-www-form-urlencoded:
            schema: {type: object, properties: {a: {type: integer, minimum: 5}, b: {const: x y}}}
      responses: {2XX: {description: done}}
  /files:
    post:
      security: []
      requestBody:
        content:
          multipart/form-data:
            schema:
              type: object
              properties: {note: {type: string}, file: {type: string, format: binary}}
      responses: {default: {description: done}}
components:
  parameters:
    ItemId: {name: itemId, in: path, required: true, schema: {type: integer}, example: 7}
  securitySchemes:
    bearer: {type: http, scheme: bearer}
    basic: {type: http, scheme: basic}
    key: {type: apiKey, in: header, name: X-Api-Key}
    query: {type: apiKey, in: query, name: k}
  schemas:
    Item:
      allOf:
        - {$ref: "#/components/schemas/Named"}
        - type: object
          required: [id, price]
          properties:
            id: {type: string, readOnly: true}
            price: {type: [number, "null"], exclusiveMinimum: 2}
            kind: {enum: [new, old]}
            when: {type: string, format: date-time}
            parent: {$ref: "#/components/schemas/Item"}
            tags: {type: array, minItems: 2, items: {type: string, maxLength: 2}}
            owner: {oneOf: [{type: "null"}, {type: object, properties: {on: {type: boolean}}}]}
    Named: {type: object, properties: {name: {type: string, examples: [Chair]}}}
"""


async def test_operations_are_sent_with_parameters_bodies_and_credentials_as_described() -> None:
    def answer(received: Received) -> web.Response:
        return web.Response(status=204 if received.method == "PUT" else 200)

    async with recording(answer) as server:
        script = converted(SHOP.replace("HOST", server.url.partition("://")[2]))
        env = {"TOKEN": "t", "USERNAME": "bob", "PASSWORD": "p", "KEY": "k", "QUERY": "q&"}
        run = await sent(script, env)
    assert server.lines() == [
        "GET /v1/items/7?fields=a%20b&since=2026-01-02",
        "PUT /v1/items/7",
        "POST /v1/form?k=q%26",
        "POST /v1/files",
    ]
    get, put, form, files = server.received
    assert get.headers["authorization"] == "Bearer t"
    assert len(get.headers["x-trace"]) == 36
    assert put.headers["authorization"] == f"Basic {base64.b64encode(b'bob:p').decode()}"
    assert json.loads(put.body) == {
        "name": "Chair",
        "price": 2.5,
        "kind": "new",
        "when": "2026-01-31T12:00:00Z",
        "tags": ["te", "te"],
        "owner": {"on": True},
    }
    assert (form.body, form.headers["x-api-key"]) == (b"a=5&b=x+y", "k")
    assert "authorization" not in form.headers
    assert b'name="file"; filename="file.txt"' in files.body
    assert [check.fails for check in run.summary.checks] == [0] * 4
    assert "Get one: status is 200" in {check.name for check in run.summary.checks}
    assert "group('Items', " in script
    assert "name: 'GET /items/{itemId}'" in script


def described(**more: Any) -> str:
    operation = {"responses": {"200": {"description": "it"}}}
    return json.dumps(
        {"openapi": "3.0.3", "info": {}, "paths": {"/a": {"get": operation}, "/b": {"post": {}}}}
        | more
    )


def test_a_description_without_a_server_says_that_one_has_to_be_set() -> None:
    script = converted(described())
    assert "The description names no server: set BASE_URL." in script
    assert "http.get(`${baseUrl}/a`)" in script


def test_only_and_skip_choose_among_the_operations() -> None:
    script = converted(
        described(servers=[{"url": "http://127.0.0.1/v1"}]), Choices(skip=("/v1/b",))
    )
    assert "GET /a" in script
    assert "POST /b" not in script


def test_a_schema_that_contains_itself_has_an_end() -> None:
    node = {
        "type": "object",
        "required": ["next"],
        "properties": {
            "value": {"type": "integer", "minimum": 1, "exclusiveMinimum": True},
            "next": {"$ref": "#/components/schemas/Node"},
            "all": {"type": "array", "items": {"$ref": "#/components/schemas/Node"}},
        },
    }
    body = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Node"}}}}
    script = converted(
        described(
            components={"schemas": {"Node": node}}, paths={"/a": {"post": {"requestBody": body}}}
        )
    )
    assert "JSON.stringify({ value: 2, next: {}, all: [] })" in script


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("openapi: 3.0.0\npaths: [\n", "source:3:1: this is no YAML"),
        ('swagger: "2.0"\npaths: {}', "source is of version 2.0; OpenAPI 3.0 and 3.1 can be"),
        ("openapi: 3.0.0\n", "source: the document has no 'paths'."),
        ("openapi: 3.0.0\npaths: {/a: {get: 1}}", "source: paths./a.get has to be an object."),
        (
            "openapi: 3.0.0\npaths: {/a: {$ref: '#/x'}}",
            "source: #/x refers to nothing.",
        ),
        (
            "openapi: 3.0.0\npaths: {/a: {$ref: 'other.yaml#/x'}}",
            "source: the reference other.yaml#/x leads out of the file",
        ),
        ("openapi: 3.0.0\npaths: {}", "source leaves no request to make a test of."),
    ],
)
def test_what_is_no_description_is_told_with_its_place(source: str, sentence: str) -> None:
    with pytest.raises(ValidationFailed, match=sentence):
        converted(source)
