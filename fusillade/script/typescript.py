"""TypeScript without its types: they are blanked out, so that every line and column stays."""

from fusillade.hosting.messages import Problem
from fusillade.script.problems import ScriptErrors
from fusillade.script.syntax import Node, Source, parse

_ERASED = frozenset(
    (
        "type_annotation",
        "type_parameters",
        "type_arguments",
        "interface_declaration",
        "type_alias_declaration",
        "ambient_declaration",
        "abstract_method_signature",
        "function_signature",
        "method_signature",
        "implements_clause",
        "accessibility_modifier",
        "override_modifier",
        "asserts_annotation",
        "type_predicate_annotation",
        "index_signature",
        "property_signature",
    )
)
_ERASED_TOKENS = frozenset(("?", "readonly", "abstract", "declare", "!"))
_OPTIONAL_HOLDERS = frozenset(
    (
        "optional_parameter",
        "public_field_definition",
        "method_definition",
        "abstract_class_declaration",
        "variable_declarator",
        "class_declaration",
    )
)
_NOT_ERASABLE = {
    "enum_declaration": "enum",
    "internal_module": "namespace",
    "module": "namespace",
    "import_alias": "import =",
    "decorator": "a decorator",
}


def is_typescript(path: str) -> bool:
    """By the file's name."""
    return path.endswith((".ts", ".mts"))


def blank_types(source: Source) -> bytes:
    """The source with blanks in the place of types. Raises :class:`ScriptErrors` for what is more
    than types (``enum``, ``namespace``, parameter properties, decorators)."""
    tree = parse(source, typescript=True)
    blanked = bytearray(source.content)
    problems = []
    done = -1

    def blank(start: int, end: int) -> None:
        for at in range(start, end):
            if blanked[at] not in (10, 13):
                blanked[at] = 32

    for node in tree.nodes:
        if node.index <= done:
            continue
        parent = node.parent
        if node.type in _NOT_ERASABLE and node.named and not _is_declared(node):
            problems.append(_problem(source, node, _NOT_ERASABLE[node.type]))
            done = node.last
        elif node.type == "accessibility_modifier" and _is_parameter(node):
            problems.append(_problem(source, node, "a parameter property"))
        elif node.type in _ERASED or _is_type_import(node):
            end = node.end
            if node.type in ("type_alias_declaration", "interface_declaration") or _is_type_import(
                node
            ):
                # `export type X = ...`: the statement around it goes as well.
                around = (
                    parent if parent is not None and parent.type == "export_statement" else node
                )
                blank(around.start, around.end)
            blank(node.start, end)
            done = node.last
        elif node.type in ("as_expression", "satisfies_expression"):
            value = node.children[0]
            blank(value.end, node.end)
            done = max(done, value.last) if value.last == value.index else done
        elif node.type == "non_null_expression":
            blank(node.end - 1, node.end)
        elif node.type == "type_assertion":
            blank(node.children[0].start, node.children[0].end)
        elif node.type in ("import_specifier", "export_specifier") and node.token("type"):
            blank(node.start, node.end)
            _blank_comma(node, blank)
            done = node.last
        elif not node.named and parent is not None and node.type in _ERASED_TOKENS:
            if parent.type in _OPTIONAL_HOLDERS:
                blank(node.start, node.end)
        elif node.type == "required_parameter" and node.children[0].type == "this":
            blank(node.start, node.end)
            _blank_comma(node, blank)
            done = node.last
    if problems:
        raise ScriptErrors(problems)
    return bytes(blanked)


def _is_declared(node: Node) -> bool:
    return any(ancestor.type == "ambient_declaration" for ancestor in node.ancestors())


def _is_parameter(node: Node) -> bool:
    return node.parent is not None and node.parent.type in (
        "required_parameter",
        "optional_parameter",
    )


def _is_type_import(node: Node) -> bool:
    return node.type in ("import_statement", "export_statement") and any(
        child.type == "type" for child in node.children[:2]
    )


def _blank_comma(node: Node, blank: object) -> None:
    assert node.parent is not None
    siblings = node.parent.children
    after = siblings[siblings.index(node) + 1 :][:1]
    if after and after[0].type == ",":
        blank(after[0].start, after[0].end)  # type: ignore[operator]


def _problem(source: Source, node: Node, what: str) -> Problem:
    line, column = source.position(node.start)
    return Problem(
        message=f"{what} is more than a type and cannot be stripped; write it in JavaScript",
        file=source.path,
        line=line,
        column=column,
    )
