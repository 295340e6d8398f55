"""A client of a running platform, as users write one, and scripts that tests upload."""

import json
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any
from uuid import uuid4


@dataclass
class Answer:
    """Status and JSON of a response."""

    status: int
    body: Any

    def __getitem__(self, key: str) -> Any:
        return self.body[key]


@dataclass
class Client:
    """Speaks to a platform at ``url`` as whoever ``token`` belongs to."""

    url: str
    token: str = ""

    def call(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        form: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        timeout: float = 120,
    ) -> Answer:
        """One request. ``form`` values that are bytes go as files, and so do pairs of a file's name
        and its bytes; a list is a field for each of its items."""
        sent = dict(headers or {})
        if self.token and "Authorization" not in sent:
            sent["Authorization"] = f"Bearer {self.token}"
        data = None
        if form is not None:
            data, sent["Content-Type"] = _multipart(form)
        elif body is not None:
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            sent.setdefault("Content-Type", "application/json")
        request = urllib.request.Request(self.url + path, data, sent, method=method)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=timeout) as response:
                return Answer(response.status, json.loads(response.read() or b"null"))
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, json.loads(error.read() or b"null"))

    def get(self, path: str, **more: Any) -> Answer:
        """GET."""
        return self.call("GET", path, **more)

    def post(self, path: str, **more: Any) -> Answer:
        """POST."""
        return self.call("POST", path, **more)

    def create(self, script: str, query: str = "?wait=true", **fields: Any) -> Answer:
        """Create a test."""
        form = {"name": "A test", "script": script.encode(), "workers": 1, "duration": 1} | fields
        return self.post(f"/api/v1/tests{query}", form=form)

    def run(self, script: str, **fields: Any) -> Any:
        """Create a test, run it to its end; its details."""
        created = self.create(script, "?wait=true&wait_for=completed", **fields)
        assert created.status == 201, created.body
        return self.get(f"/api/v1/tests/{created['test_id']}").body

    def until(self, test_id: str, *statuses: str) -> Any:
        """The details of a test once it has one of these statuses."""
        deadline = time.monotonic() + 60
        while True:
            test = self.get(f"/api/v1/tests/{test_id}").body
            if test["status"] in statuses:
                return test
            assert time.monotonic() < deadline, f"the test is still {test['status']}"
            time.sleep(0.1)


def _multipart(form: dict[str, Any]) -> tuple[bytes, str]:
    boundary = uuid4().hex
    parts = []
    fields = [
        (name, one) for name, v in form.items() for one in (v if isinstance(v, list) else [v])
    ]
    for name, value in fields:
        if value is None:
            continue
        if isinstance(value, bytes):
            value = ("test.js", value)
        if isinstance(value, tuple):
            filename, content = value
            head = f'name="{name}"; filename="{filename}"\r\nContent-Type: application/javascript'
        else:
            head, content = f'name="{name}"', str(value).encode()
        parts.append(
            f"--{boundary}\r\nContent-Disposition: form-data; {head}\r\n\r\n".encode()
            + content
            + b"\r\n"
        )
    body = b"".join(parts) + f"--{boundary}--\r\n".encode()
    return body, f"multipart/form-data; boundary={boundary}"
