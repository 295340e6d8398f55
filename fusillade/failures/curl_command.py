"""A failed request as a curl command for a shell (bash or zsh)."""

from fusillade.failures.outgoing import Outgoing, Parts, Placeholder
from fusillade.failures.record import FailedRequest

_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\", "'": "\\'"}


def curl_command(request: Outgoing, number: int) -> str:
    """One command; a body that was not kept is read from the file ``body-<number>``."""
    lines = [f"curl -i -g --path-as-is {_method(request)}{quoted(request.url)}"]
    lines += [f"-H {quoted(_header(name, value))}" for name, value in request.headers]
    named = {name.lower() for name, _ in request.headers}
    if request.body is not None or request.missing_bytes is not None:
        if "content-type" not in named:
            lines.append("-H 'Content-Type:'")  # curl would say that it is a form
        if request.body is not None:
            lines.append(f"--data-raw {quoted(request.body)}")
        else:
            lines.append(f"--data-binary @body-{number}")
    return " \\\n  ".join(lines)


def comments(record: FailedRequest, request: Outgoing, number: int) -> list[str]:
    """What has to be known about the command, a line each."""
    took = f"{record.timings_ms.duration:,.1f} ms"
    found = [f"{number}. {record.name}: {record.reason}, {took}, {record.time}"]
    found += [f"Set {variable}: {what}." for variable, what in request.placeholders().items()]
    found += _forms(request)
    if request.missing_bytes is not None:
        found.append(
            f"Its body of {request.missing_bytes:,} bytes was not kept whole: put it into the file "
            f"body-{number}."
        )
    return ["# " + "".join(c if c.isprintable() else " " for c in line) for line in found]


def _forms(request: Outgoing) -> list[str]:
    """How values have to be put down where they do not stand by themselves."""
    found = []
    if any(isinstance(part, Placeholder) for part in request.url):
        found.append("What stands in the address has to be percent-encoded.")
    if any(isinstance(part, Placeholder) for part in request.body or ()):
        if request.is_form:
            found.append("What stands in the form has to be percent-encoded.")
        elif request.is_json:
            found.append("What stands in the JSON has to be escaped as its strings are.")
    return found


def quoted(parts: Parts) -> str:
    """As one word of a shell, variables and all."""
    return (
        "".join(
            f'"${{{part.variable}}}"' if isinstance(part, Placeholder) else _literal(part)
            for part in parts
        )
        or "''"
    )


def _literal(text: str) -> str:
    if all(c.isprintable() or c == "\n" for c in text):
        return "'" + text.replace("'", "'\\''") + "'" if text else ""
    return "$'" + "".join(map(_escaped, text)) + "'"


def _escaped(letter: str) -> str:
    if letter in _ESCAPES:
        return _ESCAPES[letter]
    if letter.isprintable():
        return letter
    return "".join(f"\\x{byte:02x}" for byte in letter.encode("utf-8", "replace"))


def _method(request: Outgoing) -> str:
    has_body = request.body is not None or request.missing_bytes is not None
    if request.method == "HEAD" and not has_body:
        return "-I "
    return "" if request.method == ("POST" if has_body else "GET") else f"-X {request.method} "


def _header(name: str, value: Parts) -> Parts:
    if value == ("",):
        return (f"{name};",)  # how curl sends an empty one
    first, *rest = value
    if isinstance(first, str):
        return (f"{name}: {first}", *rest)
    return (f"{name}: ", *value)
