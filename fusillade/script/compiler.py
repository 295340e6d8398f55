"""From the author's files to code that the engine can run.

A compiled module is one JavaScript expression, ``(function($fu, $fu_m) {...})``, on the author's
own lines: no line is added or removed, and columns can be mapped back.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import msgspec

from fusillade.hosting.messages import Problem
from fusillade.script import modules as module_syntax
from fusillade.script.blocking import MODULES, UNAVAILABLE
from fusillade.script.edits import ColumnMap, Edits
from fusillade.script.flow import Flow
from fusillade.script.known_names import KNOWN, unknown
from fusillade.script.option_places import OptionPlaces, find_options
from fusillade.script.problems import ScriptErrors
from fusillade.script.rewrite import Rewrite
from fusillade.script.scopes import Scopes, string_value
from fusillade.script.syntax import Node, Source, Tree, parse
from fusillade.script.targets import Module
from fusillade.script.typescript import blank_types, is_typescript

_ORIGIN = re.compile(
    r"(?:https?|wss?)://(?:[A-Za-z0-9.\-_]+|\[[0-9A-Fa-f:.]+\])(?::\d+)?(?=[/?#'\"`\\$]|$)"
)
_MOST_PROBLEMS = 20


@dataclass(frozen=True)
class CompiledModule:
    """One module as the engine evaluates it."""

    path: str
    code: str
    columns: ColumnMap

    def original_position(self, line: int, column: int) -> tuple[int, int]:
        """The author's line and column (from 1) of a position in ``code``."""
        return self.columns.original(line, column)


@dataclass(frozen=True)
class CompiledScript:
    """All modules of a test; each comes after those that it imports, the entry last."""

    modules: list[CompiledModule]
    warnings: list[Problem]
    target_urls: list[str]
    """Origins in string literals, in the order of their first appearance."""
    options: OptionPlaces
    """Where the exported options stand."""


def compile_script(files: Mapping[str, bytes], entry: str) -> CompiledScript:
    """Compile ``files[entry]`` and what it imports.

    Raises :class:`ScriptErrors` with each problem's file, line and column.
    """
    loaded = _load(files, entry)
    flow = Flow(loaded)
    problems: list[Problem] = []
    compiled = []
    for module in loaded.values():
        edits = Edits(module.scopes.tree.source.content)
        rewrite = Rewrite(module, flow, edits)
        rewrite.run()
        syntax = module_syntax.ModuleSyntax(module, edits)
        prefix = syntax.run()
        rewrite.end_statements(syntax.opened)
        problems += rewrite.problems
        code, columns = edits.render(
            prefix=f'(function($fu,$fu_m){{"use strict";{prefix}', suffix="\n})"
        )
        compiled.append(CompiledModule(module.path, code, columns))
    if problems:
        raise ScriptErrors(problems[:_MOST_PROBLEMS])
    warnings = [warning for module in loaded.values() for warning in _unknown_names(module)]
    return CompiledScript(
        modules=compiled,
        warnings=warnings[:_MOST_PROBLEMS],
        target_urls=_origins(loaded.values()),
        options=find_options(loaded, entry),
    )


def _load(files: Mapping[str, bytes], entry: str) -> dict[str, Module]:
    """Parse the entry and what it imports, in the order in which they have to run."""
    loaded: dict[str, Module] = {}
    seen: set[str] = set()
    parsed: dict[str, Module] = {}
    stack = [(entry, False)]
    while stack:
        path, done = stack.pop()
        if done:
            loaded[path] = parsed[path]
            continue
        if path in seen:
            continue
        seen.add(path)
        module = parsed[path] = _parse(files, path)
        stack.append((path, True))
        stack.extend((imported, False) for imported in reversed(module.imports.values()))
    return loaded


def _parse(files: Mapping[str, bytes], path: str) -> Module:
    content = files.get(path)
    if content is None:
        raise ScriptErrors([Problem(message="the test has no such file", file=path)])
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ScriptErrors(
            [Problem(message="the file is not UTF-8 text", file=path, line=line, column=1)]
        ) from error
    if content.startswith(b"\xef\xbb\xbf"):
        content = content[3:]
    if content.startswith(b"#!"):
        content = b"//" + content[2:]
    if is_typescript(path):
        content = blank_types(Source(path, content))
    source = Source(path, content)
    tree = parse(source)
    _check_syntax(tree)
    scopes = Scopes(tree, path)
    imports = {}
    problems = _forbidden(scopes)
    for node in module_syntax.sources(scopes):
        specifier = string_value(node)
        if specifier in MODULES:
            continue
        found = module_syntax.resolve(path, specifier, files)
        if found is None:
            problems.append(_problem(source, node, _no_module(specifier)))
        else:
            imports[specifier] = found
    if problems:
        raise ScriptErrors(problems[:_MOST_PROBLEMS])
    return Module(path, scopes, module_syntax.exports_of(scopes), imports)


def _no_module(specifier: str) -> str:
    if specifier.startswith(("./", "../")):
        return f"there is no file '{specifier}' among the test's files"
    if specifier.startswith(("http://", "https://")):
        return f"'{specifier}': modules cannot be loaded from the network; upload the file"
    return f"there is no module '{specifier}'; available are {', '.join(sorted(MODULES))}"


def _check_syntax(tree: Tree) -> None:
    problems = [
        _problem(tree.source, node, f"syntax error: '{node.type}' is missing here")
        for node in tree.missing
        if not _may_be_missing(node)
    ]
    last = -1
    for node in tree.nodes:
        if node.type == "ERROR" and node.index > last:
            last = node.last
            near = (node.text.strip().splitlines() or [""])[0][:40]
            words = f"syntax error near '{near}'" if near else "syntax error"
            problems.append(_problem(tree.source, node, words))
    if problems:
        problems.sort(key=lambda problem: (problem.line, problem.column))
        raise ScriptErrors(problems[:_MOST_PROBLEMS])


def _may_be_missing(node: Node) -> bool:
    """The parser wants a semicolon after ``export default function () {}``; the language does
    not."""
    statement = node.parent
    if node.type != ";" or statement is None or statement.type != "export_statement":
        return False
    value = statement.get("value")
    return value is not None and value.type in (
        "function_expression",
        "generator_function",
        "class",
    )


def _forbidden(scopes: Scopes) -> list[Problem]:
    """What the language has and a test may not use."""
    source = scopes.tree.source
    problems = []
    for node in scopes.tree.nodes:
        words = None
        if node.type == "import" and node.field == "function":
            words = "import() is not available; use an import statement"
        elif node.type == "meta_property" and node.text.startswith("import"):
            words = "import.meta is not available"
        elif node.type.endswith("identifier") and "\\" in node.text:
            words = "names are to be written without escapes"
        elif node.type == "identifier" and node.text.startswith("$fu"):
            words = "names that begin with $fu are reserved"
        elif node.type == "identifier" and node.text == "eval" and scopes.binding(node) is None:
            words = "eval is not available"
        elif (
            node.type in ("identifier", "shorthand_property_identifier")
            and node.text in UNAVAILABLE
            and scopes.binding(node) is None
        ):
            words = f"{node.text} is not available yet: tests cannot use {UNAVAILABLE[node.text]}"
        elif node.type == "for_in_statement" and node.token("await") is not None:
            words = "for await is not available"
        if words is not None:
            problems.append(_problem(source, node, words))
    return problems


def _unknown_names(module: Module) -> list[Problem]:
    """A warning for the first use of each name that is nowhere declared."""
    scopes = module.scopes
    source = scopes.tree.source
    seen = set(KNOWN)
    problems = []
    for node in scopes.tree.nodes:
        if node.type not in ("identifier", "shorthand_property_identifier"):
            continue
        name = node.text
        if name in seen or scopes.binding(node) is not None:
            continue
        parent = node.parent
        if parent is not None and parent.type == "unary_expression" and parent.token("typeof"):
            continue
        seen.add(name)
        problem = _problem(source, node, unknown(name))
        problems.append(msgspec.structs.replace(problem, severity="warning"))
    return problems


def _problem(source: Source, node: Node, message: str) -> Problem:
    line, column = source.position(node.start)
    return Problem(message=message, file=source.path, line=line, column=column)


def _origins(modules: Iterable[Module]) -> list[str]:
    found: dict[str, None] = {}
    for module in modules:
        for node in module.scopes.tree.nodes:
            if node.type in ("string", "template_string"):
                for match in _ORIGIN.finditer(node.text):
                    found[match.group()] = None
    return list(found)
