"""What every source format is read into, and the script is written from."""

from typing import Any

import msgspec


class Code(msgspec.Struct, frozen=True):
    """A JavaScript expression in the midst of text, such as the name of a constant."""

    js: str


Text = tuple[str | Code, ...]
"""Text with expressions in it; the parts follow each other."""


def text(*parts: str | Code) -> Text:
    """The parts as one text, adjoining strings joined and empty ones left out."""
    joined: list[str | Code] = []
    for part in parts:
        if part == "":
            continue
        last = joined[-1] if joined else None
        if isinstance(part, str) and isinstance(last, str):
            joined[-1] = last + part
        else:
            joined.append(part)
    return tuple(joined)


class TextBody(msgspec.Struct, frozen=True):
    """A body as it goes over the network."""

    content: Text


class BytesBody(msgspec.Struct, frozen=True):
    """A body that is no text."""

    content: bytes


class JsonBody(msgspec.Struct, frozen=True):
    """A JSON document whose strings may be :data:`Text`."""

    value: Any


class FormBody(msgspec.Struct, frozen=True):
    """URL-encoded fields, in order; names may repeat one after the other."""

    fields: list[tuple[str, Text]]


class FilePart(msgspec.Struct, frozen=True):
    """A file of a multipart body."""

    content: bytes
    filename: str
    content_type: str = ""


class MultipartBody(msgspec.Struct, frozen=True):
    """The parts of a multipart/form-data body."""

    parts: list[tuple[str, Text | FilePart]]


Body = TextBody | BytesBody | JsonBody | FormBody | MultipartBody


class Check(msgspec.Struct, frozen=True):
    """Something that has to hold for the response ``r``."""

    name: str
    condition: str
    """JavaScript with ``r`` in it."""


class Request(msgspec.Struct):
    """One request of the test."""

    name: str
    method: str
    url: Text
    headers: list[tuple[str, Text]] = msgspec.field(default_factory=list)
    body: Body | None = None
    checks: list[Check] = msgspec.field(default_factory=list)
    metric_name: str | None = None
    """What to call it in the metrics, where its URL changes from one to the next."""
    follow_redirects: bool = True
    timeout: str | None = None
    comments: list[str] = msgspec.field(default_factory=list)
    think_seconds: float = 0.0
    """How long the user waits after it."""


class Group(msgspec.Struct):
    """Requests that belong together: a page, a folder, a tag."""

    name: str
    items: list["Request | Group"] = msgspec.field(default_factory=list)


class Constant(msgspec.Struct):
    """A constant at the top of the script, taken from ``__ENV`` where it is given there."""

    name: str
    variable: str
    """Of ``__ENV``."""
    default: Text
    purpose: str
    """What it is, for the person who sets it."""
    required: bool
    """Whether the script cannot do its work without it being set."""


class Recipe(msgspec.Struct):
    """All that a script is written from."""

    source: str
    """What it was made from, in words."""
    items: list[Request | Group] = msgspec.field(default_factory=list)
    constants: list[Constant] = msgspec.field(default_factory=list)
    notes: list[str] = msgspec.field(default_factory=list)
    """What was left out or has to be done by hand, a sentence each."""
    insecure: bool = False

    def requests(self) -> list[Request]:
        """All of them, in the order in which they are sent."""
        found: list[Request] = []
        waiting = list(reversed(self.items))
        while waiting:
            item = waiting.pop()
            if isinstance(item, Request):
                found.append(item)
            else:
                waiting.extend(reversed(item.items))
        return found


class Choices(msgspec.Struct, frozen=True):
    """What the person who converts has asked for."""

    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    think_time: bool = False
    assets: bool = False
    keep_secrets: bool = False
