"""What waits: the closure of the waiting builtins over the call graph of all modules.

The analysis is one fixed point over three things that only grow: the level of each function, the
property names under which functions that wait are stored, and whether such a function *floats*,
that is, has gone somewhere that is not followed (an argument, an array, a computed key). A call
of something unknown waits perhaps if something floats; the call is then made so that it works
either way.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from fusillade.script import blocking
from fusillade.script.scopes import FUNCTIONS, Binding, Function
from fusillade.script.syntax import Node
from fusillade.script.targets import Module, Resolver, Targets
from fusillade.script.uses import UseFinder, Uses


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


class Flow:
    """The result: ``sites`` has every call that may wait, by module and node index."""

    def __init__(self, modules: Mapping[str, Module]) -> None:
        self._modules = modules
        self._floating = False
        self._names: set[str] = set()
        self._own_methods: set[str] = set()
        self._resolver = Resolver(modules)
        self._finder = UseFinder(self._resolver)
        self.sites: dict[tuple[str, int], CallSite] = {}
        self.functions = [f for module in modules.values() for f in module.scopes.functions]
        self._uses: dict[Function, Uses] = {}
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
                    if argument.type != "spread_element"
                    and self._resolver.resolve(module, argument).unknown
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

    def _use(self, module: Module, node: Node, function: Function) -> Uses:
        uses = self._uses.setdefault(function, Uses())
        uses.merge(self._finder.where(module, node, [function]))
        return uses

    def _binding_used(self, module: Module, binding: Binding) -> None:
        for reference in binding.references:
            targets = self._resolver.resolve(module, reference)
            if targets.builtins:
                self._builtin_used(module, reference)
            if targets.functions:
                where = self._finder.where(module, reference, list(targets.functions))
                self._own_methods |= where.names
                for function in targets.functions:
                    self._uses.setdefault(function, Uses()).merge(where)

    def _builtin_used(self, module: Module, node: Node) -> None:
        """A waiting builtin whose value goes somewhere, as a script's own function may."""
        targets = self._resolver.resolve(module, node)
        where = self._finder.where(module, node, [])
        for builtin in targets.builtins:
            if builtin in blocking.CONNECTING:
                self._names |= blocking.METHODS_OF_CONNECTIONS
            if builtin in blocking.NAMESPACES:
                if where.floats or where.names:
                    self._names |= set(blocking.NAMESPACES[builtin])
                    self._floating = True
            elif builtin in blocking.WAITING | blocking.TAKING_CALLBACKS:
                self._floating |= where.floats
                self._names |= where.names

    def _builtin_object(self, module: Module, node: Node) -> bool:
        held = self._resolver.resolve(module, node.at("object")).builtins
        return not held.isdisjoint(blocking.NAMESPACES)

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
                    changed |= self._spread(self._uses.get(function, Uses()))

    def _spread(self, uses: Uses) -> bool:
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
        targets = self._resolver.resolve(module, callee)
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

    def _judge_method(self, module: Module, site: CallSite, callee: Node, targets: Targets) -> None:
        owner, name = callee.at("object"), callee.at("property").text
        if name in ("call", "apply"):
            held = self._resolver.resolve(module, owner)
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
        targets = self._resolver.resolve(module, node)
        level = max((f.level for f in targets.functions if f.suspends), default=0)
        if targets.builtins & blocking.WAITING:
            level = 2
        return max(level, int(targets.unknown and self._loose))

    def _raise(self, site: CallSite, level: int, cause: str) -> None:
        if level > site.level:
            site.level = level
            site.cause = cause
