"""What waits: the closure of the waiting builtins over the call graph of all modules.

The analysis is one fixed point over three things that only grow: the level of each function, the
property names under which functions that wait are stored, and whether such a function *floats*,
that is, has gone somewhere that is not followed (an argument, an array, a computed key). A call
of something unknown waits perhaps if something floats; the call is then made so that it works
either way.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from fusillade.script import blocking
from fusillade.script.scopes import (
    FUNCTIONS,
    Binding,
    Function,
    Member,
    Scopes,
    name_of,
    string_value,
)
from fusillade.script.syntax import Node


@dataclass(eq=False, slots=True)
class _Targets:
    """What an expression may be when it is called."""

    functions: set[Function] = field(default_factory=set)
    builtins: set[str] = field(default_factory=set)
    unknown: bool = False

    def merge(self, other: "_Targets") -> None:
        self.functions |= other.functions
        self.builtins |= other.builtins
        self.unknown |= other.unknown


@dataclass(slots=True)
class _Uses:
    """Where the value of a function goes."""

    floats: bool = False
    names: set[str] = field(default_factory=set)
    array_methods: set[str] = field(default_factory=set)
    """Array methods that it is a callback of: a script's own method may have such a name."""

    def merge(self, other: "_Uses") -> None:
        self.floats |= other.floats
        self.names |= other.names
        self.array_methods |= other.array_methods


@dataclass(slots=True)
class CallSite:
    """What a call does."""

    node: Node
    module: str
    inside: Function
    level: int = 0
    array_method: str | None = None
    """The method whose waiting version of support.js is to be called instead."""
    cause: str = ""
    """What waits, in words, for level 2."""


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


class Flow:
    """The result: ``sites`` has every call that may wait, by module and node index."""

    def __init__(self, modules: Mapping[str, Module]) -> None:
        self._modules = modules
        self._floating = False
        self._names: set[str] = set()
        self._own_methods: set[str] = set()
        self._targets: dict[tuple[str, int], _Targets] = {}
        self._resolving: set[tuple[str, int]] = set()
        self.sites: dict[tuple[str, int], CallSite] = {}
        self.functions = [f for module in modules.values() for f in module.scopes.functions]
        self._uses: dict[Function, _Uses] = {}
        for module in modules.values():
            self._look_at(module)
        self._close()

    def called_by_the_language(self, module: Module) -> list[Node]:
        """Arguments of which nothing is known and which the language may call by itself."""
        if not self._loose:
            return []
        found = []
        for node in module.scopes.tree.nodes:
            if node.type == "call_expression" and node.at("function").type == "member_expression":
                known = node.at("function").at("property").text in blocking.CALLBACK_CANNOT_WAIT
            elif node.type == "new_expression":
                known = node.at("constructor").text in blocking.CONSTRUCTOR_CALLBACKS
            else:
                continue
            arguments = node.get("arguments")
            if known and arguments is not None and arguments.type == "arguments":
                found += [
                    argument
                    for argument in arguments.items()
                    if argument.type != "spread_element" and self._resolve(module, argument).unknown
                ]
        return found

    # ---- preparation -----------------------------------------------------------------------

    def _look_at(self, module: Module) -> None:
        scopes = module.scopes
        bound: dict[int, Binding] = {}
        for node in scopes.tree.nodes:
            if node.type in ("identifier", "shorthand_property_identifier"):
                binding = scopes.binding(node)
                if binding is None:
                    self._builtin_used(module, node)
                elif binding.node is not node:
                    bound[id(binding)] = binding
            elif node.type in FUNCTIONS:
                self._own_methods |= self._use(module, node, scopes.by_node[node.index]).names
            elif node.type == "member_expression" and self._builtin_object(module, node):
                self._builtin_used(module, node)
        for binding in bound.values():
            self._binding_used(module, binding)

    def _use(self, module: Module, node: Node, function: Function) -> _Uses:
        uses = self._uses.setdefault(function, _Uses())
        uses.merge(self._where(module, node, [function]))
        return uses

    def _binding_used(self, module: Module, binding: Binding) -> None:
        for reference in binding.references:
            targets = self._resolve(module, reference)
            if targets.builtins:
                self._builtin_used(module, reference)
            if targets.functions:
                where = self._where(module, reference, list(targets.functions))
                self._own_methods |= where.names
                for function in targets.functions:
                    self._uses.setdefault(function, _Uses()).merge(where)

    def _builtin_used(self, module: Module, node: Node) -> None:
        """A waiting builtin whose value goes somewhere, as a script's own function may."""
        targets = self._resolve(module, node)
        where = self._where(module, node, [])
        for builtin in targets.builtins:
            if builtin == "http" and (where.floats or where.names):
                self._names |= set(blocking.HTTP_METHODS)
                self._floating = True
            elif builtin in blocking.WAITING | blocking.TAKING_CALLBACKS:
                self._floating |= where.floats
                self._names |= where.names

    def _builtin_object(self, module: Module, node: Node) -> bool:
        return "http" in self._resolve(module, node.at("object")).builtins

    # ---- where a value goes ----------------------------------------------------------------

    def _where(self, module: Module, node: Node, functions: list[Function]) -> _Uses:
        """Where the value of an expression goes. Marks ``functions`` that cannot wait there."""
        uses = _Uses()
        parent = node.parent
        if node.type == "method_definition":
            return self._stored(uses, node.at("name"), functions)
        if node.type == "shorthand_property_identifier":
            if not self._is_check(module, node.parent):
                uses.names.add(node.text)
            return uses
        if parent is None or node.type in (
            "function_declaration",
            "generator_function_declaration",
        ):
            return uses
        match parent.type:
            case "parenthesized_expression" | "await_expression":
                return self._where(module, parent, functions)
            case "ternary_expression":
                return uses if node.field == "condition" else self._where(module, parent, functions)
            case "binary_expression":
                operator = parent.get("operator")
                if operator is not None and operator.type in ("||", "&&", "??"):
                    return self._where(module, parent, functions)
                return uses
            case "call_expression" | "new_expression" if node.field == "function":
                return uses
            case "new_expression":
                for function in functions:
                    function.cannot_wait = function.cannot_wait or "a constructor"
                return uses
            case "arguments":
                return self._argument(module, node, parent, functions)
            case "member_expression":
                if node.field == "object" and parent.at("property").text == "bind":
                    uses.floats = True
                return uses
            case "variable_declarator":
                return uses
            case "assignment_expression" | "augmented_assignment_expression":
                if node.field == "right":
                    self._assigned(uses, parent, functions)
                return uses
            case "pair":
                if not self._is_check(module, parent.parent):
                    self._stored(uses, parent.at("key"), functions)
                return uses
            case "field_definition":
                return self._stored(uses, parent.at("property"), functions)
            case (
                "export_statement"
                | "export_specifier"
                | "import_specifier"
                | "expression_statement"
                | "unary_expression"
                | "subscript_expression"
                | "class_heritage"
                | "if_statement"
                | "template_substitution"
            ):
                return uses
        uses.floats = True
        return uses

    def _assigned(self, uses: _Uses, assignment: Node, functions: list[Function]) -> None:
        left = assignment.at("left")
        if left.type == "member_expression":
            self._stored(uses, left.at("property"), functions)
        elif left.type == "subscript_expression":
            index = left.at("index")
            if index.type == "string":
                uses.names.add(string_value(index))
            else:
                uses.floats = True
        if assignment.parent is not None and assignment.parent.type != "expression_statement":
            uses.floats = True

    def _stored(self, uses: _Uses, key: Node, functions: list[Function]) -> _Uses:
        """The value becomes a property."""
        if key.type == "computed_property_name":
            inner = key.items()[0]
            if inner.type == "string":
                uses.names.add(string_value(inner))
            elif inner.text.startswith("Symbol."):
                for function in functions:
                    function.cannot_wait = function.cannot_wait or f"the method [{inner.text}]"
            else:
                uses.floats = True
            return uses
        name = name_of(key)
        uses.names.add(name)
        if name in blocking.CALLED_BY_THE_LANGUAGE:
            for function in functions:
                function.cannot_wait = function.cannot_wait or f"{name}()"
        return uses

    def _is_check(self, module: Module, container: Node | None) -> bool:
        """Whether an object literal is the set of conditions of a check."""
        if container is None or container.parent is None or container.parent.type != "arguments":
            return False
        call = container.parent.parent
        return (
            call is not None
            and call.type == "call_expression"
            and bool(self._resolve(module, call.at("function")).builtins & {"check", "assertion"})
        )

    def _argument(
        self, module: Module, node: Node, arguments: Node, functions: list[Function]
    ) -> _Uses:
        uses = _Uses()
        call = arguments.parent
        assert call is not None
        position = arguments.items().index(node)
        cannot_wait = None
        if call.type == "new_expression":
            cannot_wait = blocking.CONSTRUCTOR_CALLBACKS.get(call.at("constructor").text)
        else:
            callee = call.at("function")
            if self._resolve(module, callee).builtins & blocking.TAKING_CALLBACKS:
                return uses
            if callee.type == "member_expression":
                method = callee.at("property").text
                if method in blocking.ARRAY_METHODS and position == 0:
                    uses.array_methods.add(method)
                    return uses
                if callee.text == "Array.from" and position == 1:
                    return uses
                cannot_wait = blocking.CALLBACK_CANNOT_WAIT.get(method)
        if cannot_wait is not None:
            for function in functions:
                function.cannot_wait = function.cannot_wait or cannot_wait
        else:
            uses.floats = True
        return uses

    # ---- what an expression is -------------------------------------------------------------

    def _resolve(self, module: Module, node: Node) -> _Targets:
        key = (module.path, node.index)
        known = self._targets.get(key)
        if known is not None:
            return known
        if key in self._resolving:
            return _Targets()
        self._resolving.add(key)
        targets = self._resolve_anew(module, node)
        self._resolving.discard(key)
        self._targets[key] = targets
        return targets

    def _resolve_anew(self, module: Module, node: Node) -> _Targets:
        if node.type in FUNCTIONS:
            return _Targets({module.scopes.by_node[node.index]})
        targets = _Targets()
        match node.type:
            case "identifier" | "shorthand_property_identifier":
                binding = module.scopes.binding(node)
                if binding is None:
                    if node.text in blocking.GLOBALS:
                        targets.builtins.add(node.text)
                    return targets
                return self._resolve_binding(module, binding)
            case "parenthesized_expression":
                return self._resolve(module, node.items()[0])
            case "ternary_expression":
                targets.merge(self._resolve(module, node.at("consequence")))
                targets.merge(self._resolve(module, node.at("alternative")))
            case "binary_expression" if node.at("operator").type in ("||", "&&", "??"):
                targets.merge(self._resolve(module, node.at("left")))
                targets.merge(self._resolve(module, node.at("right")))
            case "assignment_expression":
                return self._resolve(module, node.at("right"))
            case "member_expression":
                return self._member(module, node.at("object"), node.at("property").text)
            case "class" | "class_declaration" | "string" | "number" | "object" | "array":
                pass
            case _:
                targets.unknown = True
        return targets

    def _resolve_binding(self, module: Module, binding: Binding) -> _Targets:
        if binding.imported is not None:
            return self._resolve_import(module, *binding.imported)
        targets = _Targets(unknown=binding.unknown)
        for value in binding.values:
            if isinstance(value, Member):
                part = self._member(module, value.object, value.key)
                if part.builtins:
                    # What is known is all that it can be.
                    part.unknown = targets.unknown = False
                targets.merge(part)
            else:
                targets.merge(self._resolve(module, value))
        return targets

    def _member(self, module: Module, owner: Node, name: str) -> _Targets:
        held = self._resolve(module, owner)
        if "http" in held.builtins:
            return _Targets(builtins={"http" if name == "default" else f"http.{name}"})
        if owner.type == "identifier":
            binding = module.scopes.binding(owner)
            if binding is not None and binding.imported is not None:
                specifier, exported = binding.imported
                if exported == "*":
                    return self._resolve_import(module, specifier, name)
        return _Targets(unknown=True)

    def _resolve_import(self, module: Module, specifier: str, name: str) -> _Targets:
        if specifier in blocking.MODULES:
            builtin = blocking.MODULES[specifier].get(name)
            return _Targets(builtins=set() if builtin is None else {builtin})
        path = module.imports.get(specifier)
        if path is None or path not in self._modules:
            return _Targets(unknown=True)
        source = self._modules[path]
        export = source.exports.get(name)
        if export is None:
            return _Targets(unknown=True)
        if export.source is not None:
            return self._resolve_import(source, *export.source)
        if export.binding is not None:
            return self._resolve_binding(source, export.binding)
        assert export.expression is not None
        return self._resolve(source, export.expression)

    # ---- the fixed point -------------------------------------------------------------------

    def _close(self) -> None:
        changed = True
        while changed:
            changed = False
            for function in self.functions:
                for node in function.calls:
                    changed |= self._visit(function, node)
            for function in self.functions:
                if function.suspends:
                    changed |= self._spread(self._uses.get(function, _Uses()))

    def _spread(self, uses: _Uses) -> bool:
        before = (self._floating, len(self._names))
        self._floating |= uses.floats or bool(uses.array_methods & self._own_methods)
        self._names |= uses.names
        return before != (self._floating, len(self._names))

    def _visit(self, function: Function, node: Node) -> bool:
        module = self._modules[function.module]
        if node.type == "await_expression":
            return False
        site = self.sites.get((module.path, node.index))
        if site is None:
            site = self.sites[module.path, node.index] = CallSite(node, module.path, function)
        before = site.level, function.level, site.array_method
        self._judge(module, site)
        if not function.is_async:
            function.level = max(function.level, site.level)
        return before != (site.level, function.level, site.array_method)

    def _judge(self, module: Module, site: CallSite) -> None:
        callee = site.node.at("function")
        targets = self._resolve(module, callee)
        for function in targets.functions:
            if function.suspends:
                certain = len(targets.functions) == 1 and not targets.unknown
                self._raise(site, function.level if certain else 1, f"{callee.text}()")
        for builtin in targets.builtins:
            if builtin in blocking.WAITING:
                self._raise(site, 2, f"{builtin}()")
            elif builtin in blocking.TAKING_CALLBACKS:
                self._raise(site, self._callbacks(module, site.node), f"{builtin}()")
        if callee.type == "member_expression":
            self._judge_method(module, site, callee, targets)
        elif callee.type == "super":
            pass
        elif targets.unknown and self._loose:
            self._raise(site, 1, "")

    @property
    def _loose(self) -> bool:
        """Whether a value of which nothing is known may be a function that waits."""
        return self._floating or bool(self._names)

    def _judge_method(
        self, module: Module, site: CallSite, callee: Node, targets: _Targets
    ) -> None:
        owner, name = callee.at("object"), callee.at("property").text
        if name in ("call", "apply"):
            held = self._resolve(module, owner)
            if any(function.suspends for function in held.functions) or (
                held.builtins & blocking.WAITING
            ):
                self._raise(site, 2, f"{owner.text}()")
            elif held.unknown and self._loose:
                self._raise(site, 1, "")
            return
        if name in blocking.ARRAY_METHODS or callee.text == "Array.from":
            position = 1 if name == "from" else 0
            level = self._callback_at(module, site.node, position)
            if level:
                site.array_method = name
                self._raise(site, level, f"the callback of {name}()")
        if targets.unknown and (
            name in self._names
            or (
                self._floating
                and name not in blocking.LANGUAGE_METHODS
                and name not in blocking.ARRAY_METHODS
                and not self._is_global(module, owner)
            )
        ):
            self._raise(site, 1, "")

    def _is_global(self, module: Module, owner: Node) -> bool:
        """Whether an object is one that the language or the runtime gives (``Math``, say)."""
        return owner.type == "identifier" and module.scopes.binding(owner) is None

    def _callbacks(self, module: Module, call: Node) -> int:
        """How much the functions among a call's arguments wait."""
        level = 0
        for argument in call.at("arguments").items():
            if argument.type == "object":
                for item in argument.items():
                    if item.type == "pair":
                        level = max(level, self._level_of(module, item.at("value")))
                    elif item.type in ("method_definition", "shorthand_property_identifier"):
                        level = max(level, self._level_of(module, item))
                    else:
                        level = max(level, int(self._floating))
            else:
                level = max(level, self._level_of(module, argument))
        return level

    def _callback_at(self, module: Module, call: Node, position: int) -> int:
        arguments = call.at("arguments").items()
        if call.at("arguments").type != "arguments" or position >= len(arguments):
            return 0
        return self._level_of(module, arguments[position])

    def _level_of(self, module: Module, node: Node) -> int:
        """How much calling a value would wait."""
        targets = self._resolve(module, node)
        level = max((f.level for f in targets.functions if f.suspends), default=0)
        if targets.builtins & blocking.WAITING:
            level = 2
        return max(level, int(targets.unknown and self._loose))

    def _raise(self, site: CallSite, level: int, cause: str) -> None:
        if level > site.level:
            site.level = level
            site.cause = cause
