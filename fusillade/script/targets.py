"""What an expression may be when it is called: functions, builtins, or something unknown."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from fusillade.script import blocking
from fusillade.script.scopes import FUNCTIONS, Binding, Function, Member, Scopes
from fusillade.script.syntax import Node


@dataclass(eq=False, slots=True)
class Targets:
    """What an expression may be when it is called."""

    functions: set[Function] = field(default_factory=set)
    builtins: set[str] = field(default_factory=set)
    unknown: bool = False

    def merge(self, other: "Targets") -> None:
        self.functions |= other.functions
        self.builtins |= other.builtins
        self.unknown |= other.unknown


@dataclass(slots=True)
class Module:
    """One module with its names; ``exports`` maps exported names to what they stand for."""

    path: str
    scopes: Scopes
    exports: dict[str, "Export"]
    imports: dict[str, str]
    """Import specifier -> path of the module, for the test's own modules."""


@dataclass(frozen=True, slots=True)
class Export:
    """An exported name: an expression or binding of this module, or a name of another one."""

    expression: Node | None = None
    binding: Binding | None = None
    source: tuple[str, str] | None = None


class Resolver:
    """Follows names, members of known objects and imports, over all modules."""

    def __init__(self, modules: Mapping[str, Module]) -> None:
        self._modules = modules
        self._targets: dict[tuple[str, int], Targets] = {}
        self._resolving: set[tuple[str, int]] = set()

    def resolve(self, module: Module, node: Node) -> Targets:
        """What an expression of a module may be."""
        key = (module.path, node.index)
        known = self._targets.get(key)
        if known is not None:
            return known
        if key in self._resolving:
            return Targets()
        self._resolving.add(key)
        targets = self._resolve_anew(module, node)
        self._resolving.discard(key)
        self._targets[key] = targets
        return targets

    def _resolve_anew(self, module: Module, node: Node) -> Targets:
        if node.type in FUNCTIONS:
            return Targets({module.scopes.by_node[node.index]})
        targets = Targets()
        match node.type:
            case "identifier" | "shorthand_property_identifier":
                binding = module.scopes.binding(node)
                if binding is None:
                    if node.text in blocking.GLOBALS:
                        targets.builtins.add(node.text)
                    return targets
                return self._resolve_binding(module, binding)
            case "parenthesized_expression":
                return self.resolve(module, node.items()[0])
            case "ternary_expression":
                targets.merge(self.resolve(module, node.at("consequence")))
                targets.merge(self.resolve(module, node.at("alternative")))
            case "binary_expression" if node.at("operator").type in ("||", "&&", "??"):
                targets.merge(self.resolve(module, node.at("left")))
                targets.merge(self.resolve(module, node.at("right")))
            case "assignment_expression":
                return self.resolve(module, node.at("right"))
            case "member_expression":
                return self._member(module, node.at("object"), node.at("property").text)
            case "class" | "class_declaration" | "string" | "number" | "object" | "array":
                pass
            case _:
                targets.unknown = True
        return targets

    def _resolve_binding(self, module: Module, binding: Binding) -> Targets:
        if binding.imported is not None:
            return self._resolve_import(module, *binding.imported)
        targets = Targets(unknown=binding.unknown)
        for value in binding.values:
            if isinstance(value, Member):
                part = self._member(module, value.object, value.key)
                if part.builtins:
                    # What is known is all that it can be.
                    part.unknown = targets.unknown = False
                targets.merge(part)
            else:
                targets.merge(self.resolve(module, value))
        return targets

    def _member(self, module: Module, owner: Node, name: str) -> Targets:
        held = self.resolve(module, owner)
        for namespace in blocking.NAMESPACES:
            if namespace in held.builtins:
                return Targets(builtins={namespace if name == "default" else f"{namespace}.{name}"})
        if owner.type == "identifier":
            binding = module.scopes.binding(owner)
            if binding is not None and binding.imported is not None:
                specifier, exported = binding.imported
                if exported == "*":
                    return self._resolve_import(module, specifier, name)
        return Targets(unknown=True)

    def _resolve_import(self, module: Module, specifier: str, name: str) -> Targets:
        if specifier in blocking.MODULES:
            builtin = blocking.MODULES[specifier].get(name)
            return Targets(builtins=set() if builtin is None else {builtin})
        path = module.imports.get(specifier)
        if path is None or path not in self._modules:
            return Targets(unknown=True)
        source = self._modules[path]
        export = source.exports.get(name)
        if export is None:
            return Targets(unknown=True)
        if export.source is not None:
            return self._resolve_import(source, *export.source)
        if export.binding is not None:
            return self._resolve_binding(source, export.binding)
        assert export.expression is not None
        return self.resolve(source, export.expression)
