"""Module syntax: what a module imports and exports, and how that looks without ``import``.

A compiled module is one function expression on the author's lines. Imports become objects of
which the names are read at each use, as live bindings are; exports become getters, defined before
the code runs, so that modules may import each other in a circle.
"""

import json
import posixpath
from collections.abc import Mapping

from fusillade.script.edits import Edits
from fusillade.script.scopes import Scopes, name_of, pattern_names, string_value
from fusillade.script.syntax import Node
from fusillade.script.targets import Export, Module

_SUFFIXES = ("", ".js", ".ts", ".mjs", ".mts", "/index.js", "/index.ts")
_FUNCTION_TYPES = (
    "function_declaration",
    "function_expression",
    "generator_function",
    "generator_function_declaration",
)


def sources(scopes: Scopes) -> list[Node]:
    """The string literals that name the modules imported or re-exported."""
    return [
        statement.at("source")
        for statement in scopes.tree.root.items()
        if statement.type in ("import_statement", "export_statement")
        and statement.get("source") is not None
    ]


def resolve(importer: str, specifier: str, files: Mapping[str, bytes]) -> str | None:
    """Path of the file that a relative import names; None if the test has no such file."""
    if not specifier.startswith(("./", "../")):
        return None
    path = posixpath.normpath(posixpath.join(posixpath.dirname(importer), specifier))
    return next((path + suffix for suffix in _SUFFIXES if path + suffix in files), None)


def exports_of(scopes: Scopes) -> dict[str, Export]:
    """Exported name -> what it stands for; ``export *`` is not among them."""
    found: dict[str, Export] = {}
    for statement in scopes.tree.root.items():
        if statement.type != "export_statement":
            continue
        source = statement.get("source")
        specifier = None if source is None else string_value(source)
        declaration, value = statement.get("declaration"), statement.get("value")
        if statement.token("default") is not None:
            expression = declaration or value
            assert expression is not None
            found["default"] = Export(expression=expression)
        elif declaration is not None:
            for name in _declared(declaration):
                found[name.text] = Export(binding=scopes.top.bindings[name.text])
        for clause in statement.items():
            if clause.type == "namespace_export" and specifier is not None:
                found[name_of(clause.items()[0])] = Export(source=(specifier, "*"))
            elif clause.type == "export_clause":
                for item in clause.items():
                    local = name_of(item.at("name"))
                    exported = name_of(item.get("alias") or item.at("name"))
                    if specifier is not None:
                        found[exported] = Export(source=(specifier, local))
                    elif local in scopes.top.bindings:
                        found[exported] = Export(binding=scopes.top.bindings[local])
                    else:
                        found[exported] = Export(expression=item.at("name"))
    return found


def _declared(declaration: Node) -> list[Node]:
    if declaration.type in ("lexical_declaration", "variable_declaration"):
        return [
            name
            for declarator in declaration.items()
            for name in pattern_names(declarator.at("name"))
        ]
    return [declaration.at("name")]


class ModuleSyntax:
    """Takes the module syntax of one module out of its text; ``prefix`` does its work."""

    def __init__(self, module: Module, edits: Edits) -> None:
        self._module = module
        self._scopes = module.scopes
        self._edits = edits
        self._objects: dict[str, str] = {}
        self.opened: set[int] = set()
        """Where the text now begins with a parenthesis."""

    def run(self) -> str:
        """Put in the edits; returns the text that goes in front of the module."""
        stars = []
        for statement in self._scopes.tree.root.items():
            if statement.type == "import_statement":
                self._object(string_value(statement.at("source")))
                self._edits.replace(statement, ";")
            elif statement.type == "export_statement":
                star = self._export(statement)
                if star is not None:
                    stars.append(star)
        self._imports()
        getters = "".join(self._getters())
        prefix = "".join(
            f"const {name}=$fu_m.import({json.dumps(specifier)});"
            for specifier, name in self._objects.items()
        )
        prefix += f"$fu.exports($fu_m.exports,{{__proto__:null,{getters}}});"
        return prefix + "".join(f"$fu.exportAll($fu_m.exports,{name});" for name in stars)

    def _object(self, specifier: str) -> str:
        """The name of the constant that holds what a module exports."""
        resolved = self._module.imports.get(specifier, specifier)
        return self._objects.setdefault(resolved, f"$fu_i{len(self._objects)}")

    def _imports(self) -> None:
        for binding in self._scopes.top.bindings.values():
            if binding.imported is None:
                continue
            specifier, exported = binding.imported
            text = self._object(specifier)
            if exported != "*":
                text += f".{exported}" if exported.isidentifier() else f"[{json.dumps(exported)}]"
            for reference in binding.references:
                self._refer(reference, binding.name, text)

    def _refer(self, reference: Node, name: str, text: str) -> None:
        parent = reference.parent
        if parent is not None and parent.type in ("export_specifier", "import_specifier"):
            return
        if reference.type == "shorthand_property_identifier":
            text = f"{name}: {text}"
        elif (
            parent is not None
            and parent.type == "call_expression"
            and reference.field == "function"
            and "." in text
        ):
            # The function must not get the module as its `this`.
            text = f"(0,{text})"
            self.opened.add(reference.start)
        self._edits.replace(reference, text)

    def _export(self, statement: Node) -> str | None:
        """Returns the object of an ``export * from``."""
        declaration, value = statement.get("declaration"), statement.get("value")
        default = statement.token("default")
        begin = statement.children[0]
        if default is not None:
            what = declaration or value
            assert what is not None
            named = what.type == "class_declaration" or (
                what.type in _FUNCTION_TYPES and what.get("name") is not None
            )
            if named:
                self._edits.replace_range(begin.start, what.start, "")
            elif what.type in _FUNCTION_TYPES:
                self._edits.replace_range(begin.start, what.start, "")
                keyword = what.token("function")
                assert keyword is not None
                self._edits.after(keyword, " $fu_default")
            else:
                self._edits.replace_range(begin.start, what.start, "const $fu_default = ")
                if what.type == "class":
                    self._edits.after(what, ";")
            return None
        if declaration is not None:
            self._edits.replace_range(begin.start, declaration.start, "")
            return None
        source = statement.get("source")
        star = None
        if source is not None:
            name = self._object(string_value(source))
            if statement.token("*") is not None:
                star = name
        self._edits.replace(statement, ";")
        return star

    def _getters(self) -> list[str]:
        lines = []
        for exported, export in self._module.exports.items():
            binding = export.binding
            source = export.source or (None if binding is None else binding.imported)
            if source is not None:
                specifier, name = source
                text = self._object(specifier)
                if name != "*":
                    text += f"[{json.dumps(name)}]"
            elif binding is not None:
                text = binding.name
            else:
                assert export.expression is not None
                name_node = export.expression.get("name")
                is_named = export.expression.type in (*_FUNCTION_TYPES, "class_declaration")
                text = "$fu_default"
                if name_node is not None and is_named:
                    text = name_node.text
                elif export.expression.type == "identifier" and exported != "default":
                    text = export.expression.text
            lines.append(f"get {json.dumps(exported)}(){{return {text}}},")
        return lines
