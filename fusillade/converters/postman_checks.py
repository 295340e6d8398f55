"""Checks in the test scripts of a Postman collection, as far as they are simple to read."""

import re

from fusillade.converters.fields import Node
from fusillade.converters.model import Check

_STATUS = re.compile(
    r"(?:pm\.response\.to\.have\.status\(|pm\.expect\(pm\.response\.(?:code|status)\)\.to\.(?:be\.)?"
    r"(?:equals?|eql?)\(|responseCode\.code\s*===?\s*)(\d{3})\b\)?"
)
_ONE_OF = re.compile(r"pm\.expect\(pm\.response\.code\)\.to\.be\.oneOf\(\[([\d,\s]+)\]\)")
_OK = re.compile(r"pm\.response\.to\.be\.(?:ok|success)\b")
_TIME = re.compile(r"pm\.expect\(pm\.response\.responseTime\)\.to\.be\.below\((\d+)\)")
_TEST = re.compile(
    r"pm\.test\(|\b(?:pm\.)?(?:environment|variables|globals|collectionVariables)\.set\("
)


def checks_of(item: Node) -> tuple[list[Check], str]:
    """The checks of a request, and in words what else its scripts do that has to be written by
    hand; nothing if there is nothing."""
    source = "\n".join(
        _source(event.optional("script", dict).value)
        for event in item.optional("event", list).each(dict)
        if event.value.get("listen") == "test"
    )
    found: dict[str, Check] = {}
    for match in _STATUS.finditer(source):
        code = match.group(1)
        found[code] = Check(f"status is {code}", f"r.status === {code}")
    for match in _ONE_OF.finditer(source):
        codes = ", ".join(re.findall(r"\d+", match.group(1)))
        found[codes] = Check(f"status is one of {codes}", f"[{codes}].includes(r.status)")
    if _OK.search(source):
        found["ok"] = Check("status is 2xx", "r.status >= 200 && r.status < 300")
    for match in _TIME.finditer(source):
        most = match.group(1)
        found[f"time {most}"] = Check(
            f"it takes less than {most} ms", f"r.timings.duration < {most}"
        )
    more = len(_TEST.findall(source)) - len(found)
    words = "some of its tests or variables have to be written by hand" if more > 0 else ""
    return list(found.values()), words


def _source(script: dict[str, object]) -> str:
    lines = script.get("exec")
    return "\n".join(map(str, lines)) if isinstance(lines, list) else str(lines or "")
