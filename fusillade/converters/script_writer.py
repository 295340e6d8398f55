"""Writes a recipe as a test script, formatted as a person would have written it."""

from fusillade.converters.javascript import WIDTH, comment, data, expression, key, literal, string
from fusillade.converters.model import (
    BytesBody,
    Check,
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
)

_METHODS = {"GET": "get", "HEAD": "head", "OPTIONS": "options", "DELETE": "del"}
_METHODS_WITH_BODY = {"POST": "post", "PUT": "put", "PATCH": "patch"}
SUCCESS = Check("the request succeeds", "r.status >= 200 && r.status < 400")
"""Where the source does not say what to expect."""


def write(recipe: Recipe) -> str:
    """The script, which runs as it is."""
    writer = _Writer(recipe)
    return "\n".join([*writer.head(), "", *writer.options(), "", *writer.iteration()]) + "\n"


class _Writer:
    def __init__(self, recipe: Recipe) -> None:
        self._recipe = recipe
        self._common = _common_headers(recipe.requests())
        self._lines: list[str] = []

    def head(self) -> list[str]:
        """Comments on what it is and what has to be set, and the constants."""
        recipe = self._recipe
        lines = [f"// Made by `fusillade convert` from {comment(recipe.source)}."]
        needed = [constant for constant in recipe.constants if constant.required]
        if needed:
            lines += ["//", "// Set these before you run it, with -e NAME=VALUE:"]
            width = max(len(constant.variable) for constant in needed)
            for one in needed:
                line = f"//   {one.variable:{width}}  {comment(one.purpose)}"
                lines.append(line.rstrip())
        if recipe.notes:
            lines += ["//", "// What to know about it:"]
            lines += [f"// - {comment(note)}" for note in recipe.notes]
        if recipe.constants:
            lines.append("")
        for one in recipe.constants:
            value = f"__ENV.{one.variable} || {expression(one.default)}"
            lines.append(f"const {one.name} = {value};")
        if self._common:
            lines += ["", "// Sent with every request."]
            fields = dict(self._common)
            lines.append(f"const headers = {literal(fields, 0, len('const headers = ;'))};")
        return lines

    def options(self) -> list[str]:
        """One user who goes through it once, to begin with."""
        return [
            "export const options = {",
            "  workers: 1, // users at once; -w on the command line wins",
            "  iterations: 1, // of each user; -i wins; for a time write duration: '1m' instead",
            *(
                ["  insecure: true, // certificates are not checked"]
                if self._recipe.insecure
                else []
            ),
            "  thresholds: {",
            "    http_req_failed: ['rate < 0.01'], // a share: 1 %",
            "    checks: ['rate > 0.99'],",
            "  },",
            "};",
        ]

    def iteration(self) -> list[str]:
        """The default function."""
        items = self._recipe.items
        self._lines = ["export default function () {"]
        self._items(items, 2)
        if all(request.think_seconds == 0 for request in self._recipe.requests()):
            self._lines += ["", "  sleep(1); // seconds: what a user waits before they begin again"]
        return [*self._lines, "}"]

    def _items(self, items: list[Request | Group], indent: int) -> None:
        requests = sum(isinstance(item, Request) for item in items)
        declared = False
        space = " " * indent
        for number, item in enumerate(items):
            if number:
                self._lines.append("")
            if isinstance(item, Group):
                self._lines.append(f"{space}group({string(item.name)}, () => {{")
                self._items(item.items, indent + 2)
                self._lines.append(f"{space}}});")
                continue
            assigned = "res = " if declared else "const res = " if requests == 1 else "let res = "
            self._request(item, assigned, indent)
            declared = True

    def _request(self, request: Request, assigned: str, indent: int) -> None:
        space = " " * indent
        title = [] if request.name == request.metric_name else [request.name]
        self._lines += [f"{space}// {comment(line)}" for line in [*title, *request.comments]]
        body = self._body(request, indent)
        options = self._options(request)
        method = request.method.upper()
        url = expression(request.url)
        if method in _METHODS_WITH_BODY and body is None and options:
            body = "null"
        if method in _METHODS and body is None:
            arguments = [url]
        elif method in _METHODS_WITH_BODY:
            arguments = [url] if body is None else [url, body]
        else:
            fields: dict[str, object] = {"method": method, "url": request.url}
            if body is not None:
                fields["body"] = Code(body)
            self._call(f"{assigned}http.request", [], {**fields, **options}, indent)
            self._checks(request, indent)
            return
        name = _METHODS.get(method) or _METHODS_WITH_BODY[method]
        self._call(f"{assigned}http.{name}", arguments, options, indent)
        self._checks(request, indent)

    def _checks(self, request: Request, indent: int) -> None:
        space = " " * indent
        checks = request.checks or [SUCCESS]
        fields = {
            f"{comment(request.name)}: {check.name}": Code(f"(r) => {check.condition}")
            for check in checks
        }
        if len(fields) == 1:
            flat = f"{space}check(res, {literal(fields, indent, -WIDTH)});"
            if len(flat) <= WIDTH:
                self._lines.append(flat)
                fields = {}
        if fields:
            self._lines.append(f"{space}check(res, {{")
            self._lines += [f"{space}  {key(name)}: {one.js}," for name, one in fields.items()]
            self._lines.append(f"{space}}});")
        if request.think_seconds > 0:
            self._lines.append(f"{space}sleep({request.think_seconds:g});")

    def _call(
        self, function: str, arguments: list[str], options: dict[str, object], indent: int
    ) -> None:
        space = " " * indent
        used = indent + len(f"{function}(") + sum(len(one) + 2 for one in arguments) + 2
        flat = [*arguments, *([literal(options, indent, -10 * WIDTH)] if options else [])]
        line = f"{space}{function}({', '.join(flat)});"
        if len(line) <= WIDTH and "\n" not in line:
            self._lines.append(line)
            return
        # A literal at the end may go on below; what is before it has to fit on the line.
        before = arguments[:-1]
        if options and "\n" not in "".join(arguments) and used <= WIDTH:
            shown = literal(options, indent, WIDTH)
            self._lines.append(f"{space}{function}({', '.join([*arguments, shown])});")
            return
        if not options and "\n" not in "".join(before):
            self._lines.append(f"{space}{function}({', '.join(arguments)});")
            return
        inner = " " * (indent + 2)
        self._lines.append(f"{space}{function}(")
        for one in arguments:
            deeper = one.replace("\n", "\n  ") if "\n" in one else one
            self._lines.append(f"{inner}{deeper},")
        if options:
            self._lines.append(f"{inner}{literal(options, indent + 2, indent + 3)},")
        self._lines.append(f"{space});")

    def _options(self, request: Request) -> dict[str, object]:
        """The last argument."""
        options: dict[str, object] = {}
        if request.metric_name is not None:
            options["name"] = request.metric_name
        own = [header for header in request.headers if header not in self._common]
        if self._common:
            spread = "...headers"
            fields = ", ".join([spread, *(f"{key(name)}: {expression(v)}" for name, v in own)])
            options["headers"] = Code("headers" if not own else f"{{ {fields} }}")
        elif own:
            options["headers"] = dict(own)
        if not request.follow_redirects:
            options["followRedirects"] = False
        if request.timeout is not None:
            options["timeout"] = request.timeout
        return options

    def _body(self, request: Request, indent: int) -> str | None:
        """The body as an expression, after the lines that it needs before it."""
        match request.body:
            case None:
                return None
            case TextBody(content=content):
                return expression(content)
            case BytesBody(content=content):
                return data(content)
            case JsonBody(value=value):
                taken = indent + len("let res = http.post(, JSON.stringify()")
                taken += len(expression(request.url))
                return f"JSON.stringify({literal(value, indent, taken)})"
            case FormBody(fields=fields):
                return literal(_by_name(fields), indent, WIDTH // 2)
            case MultipartBody(parts=parts):
                return self._form(parts, indent)

    def _form(self, parts: list[tuple[str, Text | FilePart]], indent: int) -> str:
        space = " " * indent
        number = sum(line.strip().startswith("const form") for line in self._lines) + 1
        name = "form" if number == 1 else f"form{number}"
        self._lines.append(f"{space}const {name} = new FormData();")
        for field, value in parts:
            if isinstance(value, FilePart):
                arguments = [data(value.content), string(value.filename)]
                if value.content_type:
                    arguments.append(string(value.content_type))
                shown = f"http.file({', '.join(arguments)})"
            else:
                shown = expression(value)
            self._lines.append(f"{space}{name}.append({string(field)}, {shown});")
        return name


def _by_name(fields: list[tuple[str, Text]]) -> dict[str, Text | list[Text]]:
    """Fields as an object has them: those of one name as a list."""
    values: dict[str, list[Text]] = {}
    for name, value in fields:
        values.setdefault(name, []).append(value)
    return {name: given[0] if len(given) == 1 else list(given) for name, given in values.items()}


def _common_headers(requests: list[Request]) -> list[tuple[str, Text]]:
    """Those that all requests have, if there are several requests."""
    if len(requests) < 3:
        return []
    first, *rest = requests
    return [
        header
        for header in first.headers
        if header[0].lower() not in ("content-type", "accept")
        and all(header in request.headers for request in rest)
    ]
