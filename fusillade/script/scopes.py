"""Who a name is: the functions, scopes and bindings of one module."""

from dataclasses import dataclass, field

from fusillade.script.syntax import Node, Tree

FUNCTIONS = frozenset(
    (
        "arrow_function",
        "function_declaration",
        "function_expression",
        "generator_function",
        "generator_function_declaration",
        "method_definition",
    )
)
_BLOCKS = frozenset(
    (
        "statement_block",
        "for_statement",
        "for_in_statement",
        "catch_clause",
        "switch_body",
        "class_static_block",
    )
)
_CLASSES = frozenset(("class", "class_declaration"))


@dataclass(eq=False, slots=True)
class Function:
    """A function, or another stretch of code that runs by itself: the module's init code, the
    value of a class field, a static block."""

    node: Node
    module: str
    cannot_wait: str | None = None
    """Where it would be suspended if it waited, in words, if it cannot be."""
    is_async: bool = False
    is_generator: bool = False
    level: int = 0
    """0: never waits. 1: may turn out to. 2: does."""
    calls: list[Node] = field(default_factory=list)

    @property
    def suspends(self) -> bool:
        """Whether it is turned into a generator."""
        return self.level > 0 and self.cannot_wait is None and not self.is_async


@dataclass(eq=False, slots=True)
class Binding:
    """A declared name."""

    name: str
    node: Node | None
    values: list["Node | Member"] = field(default_factory=list)
    """All expressions that it may hold, as far as they can be seen."""
    unknown: bool = False
    """It may hold something else as well: a parameter, part of a pattern."""
    references: list[Node] = field(default_factory=list)
    imported: tuple[str, str] | None = None
    """(module, exported name; ``*`` for the namespace)."""


@dataclass(frozen=True, slots=True)
class Member:
    """What ``const {key} = object`` puts into a name."""

    object: Node
    key: str


@dataclass(eq=False, slots=True)
class _Scope:
    parent: "_Scope | None"
    holds_vars: bool
    bindings: dict[str, Binding] = field(default_factory=dict)

    def find(self, name: str) -> Binding | None:
        scope: _Scope | None = self
        while scope is not None:
            found = scope.bindings.get(name)
            if found is not None:
                return found
            scope = scope.parent
        return None

    def declare(self, name: str, node: Node | None) -> Binding:
        binding = self.bindings.get(name)
        if binding is None:
            binding = self.bindings[name] = Binding(name, node)
        return binding


class Scopes:
    """Names of one module resolved."""

    def __init__(self, tree: Tree, module: str) -> None:
        self.tree = tree
        self.module = module
        self.init = Function(tree.root, module, cannot_wait="the init code")
        self.functions: list[Function] = [self.init]
        self.by_node: dict[int, Function] = {}
        """Functions by the index of their node."""
        self.function_of: list[Function] = []
        """For each node, by index: the function whose code it is."""
        self._scope_of: list[_Scope] = []
        self.top = _Scope(None, holds_vars=True)
        self._walk()
        self._resolve()

    def binding(self, node: Node) -> Binding | None:
        """What an identifier refers to; None for a global."""
        return self._scope_of[node.index].find(node.text)

    # ---- declarations ----------------------------------------------------------------------

    def _walk(self) -> None:
        inner_scope: dict[int, _Scope] = {}
        inner_function: dict[int, Function] = {}
        for node in self.tree.nodes:
            parent = node.parent
            if parent is None:
                scope, function = self.top, self.init
            else:
                scope, function = self._scope_of[parent.index], self.function_of[parent.index]
                if _is_inside(node, parent):
                    scope = inner_scope.get(parent.index, scope)
                    function = inner_function.get(parent.index, function)
            self._scope_of.append(scope)
            self.function_of.append(function)
            if node.type in FUNCTIONS:
                made = self._function(node)
                inner_function[node.index] = made
                inner_scope[node.index] = _Scope(scope, holds_vars=True)
                self._declare_function(node, scope, inner_scope[node.index])
            elif node.type in _CLASSES:
                inner_scope[node.index] = _Scope(scope, holds_vars=False)
                name = node.get("name")
                if name is not None:
                    inner_scope[node.index].declare(name.text, name).values.append(node)
                    if node.type == "class_declaration":
                        scope.declare(name.text, name).values.append(node)
            elif node.type in _BLOCKS:
                block = _Scope(scope, holds_vars=node.type == "class_static_block")
                inner_scope[node.index] = block
                self._open_block(node, scope, block)
            match node.type:
                case "class_static_block":
                    inner_function[node.index] = self._piece(node, "a static block of a class")
                case "field_definition" if node.get("value") is not None:
                    inner_function[node.index] = self._piece(node, "the value of a class field")
                case "variable_declarator":
                    self._declare_variable(node, scope)
                case "import_statement":
                    self._declare_imports(node)

    def _open_block(self, node: Node, outer: _Scope, block: _Scope) -> None:
        """Names that a statement declares for its own block."""
        if node.type == "for_in_statement" and (kind := node.get("kind")) is not None:
            where = _var_scope(outer) if kind.type == "var" else block
            self._declare_pattern(node.at("left"), where)
        elif node.type == "catch_clause" and (parameter := node.get("parameter")) is not None:
            self._declare_pattern(parameter, block)

    def _function(self, node: Node) -> Function:
        made = Function(
            node,
            self.module,
            is_async=node.token("async") is not None,
            is_generator=node.token("*") is not None,
        )
        if node.type == "method_definition":
            name = node.at("name").text
            if node.token("get") is not None:
                made.cannot_wait = f"the getter {name}"
            elif node.token("set") is not None:
                made.cannot_wait = f"the setter {name}"
            elif name == "constructor" and node.parent and node.parent.type == "class_body":
                made.cannot_wait = "a constructor"
        if made.is_generator:
            made.cannot_wait = "a generator function"
        self.functions.append(made)
        self.by_node[node.index] = made
        return made

    def _piece(self, node: Node, words: str) -> Function:
        made = Function(node, self.module, cannot_wait=words)
        self.functions.append(made)
        return made

    def _declare_function(self, node: Node, outer: _Scope, inner: _Scope) -> None:
        name = node.get("name")
        if name is not None and node.type in (
            "function_declaration",
            "generator_function_declaration",
        ):
            outer.declare(name.text, name).values.append(node)
        elif name is not None and node.type != "method_definition":
            inner.declare(name.text, name).values.append(node)
        single = node.get("parameter")
        if single is not None:
            inner.declare(single.text, single).unknown = True
        parameters = node.get("parameters")
        if parameters is not None:
            for parameter in parameters.items():
                self._declare_pattern(parameter, inner)

    def _declare_variable(self, node: Node, scope: _Scope) -> None:
        assert node.parent is not None
        where = _var_scope(scope) if node.parent.type == "variable_declaration" else scope
        name, value = node.at("name"), node.get("value")
        if name.type == "identifier":
            binding = where.declare(name.text, name)
            if value is not None:
                binding.values.append(value)
            return
        self._declare_pattern(name, where)
        if name.type == "object_pattern" and value is not None:
            for item in name.items():
                key, target = _simple_part(item)
                if key is not None and target is not None:
                    binding = where.declare(target.text, target)
                    binding.values.append(Member(value, key))

    def _declare_imports(self, node: Node) -> None:
        source = node.get("source")
        if source is None:
            return
        module = string_value(source)
        for clause in node.items():
            if clause.type != "import_clause":
                continue
            for item in clause.items():
                if item.type == "identifier":
                    self.top.declare(item.text, item).imported = (module, "default")
                elif item.type == "namespace_import":
                    name = item.items()[0]
                    self.top.declare(name.text, name).imported = (module, "*")
                else:
                    for specifier in item.items():
                        exported = specifier.at("name")
                        local = specifier.get("alias") or exported
                        binding = self.top.declare(local.text, local)
                        binding.imported = (module, name_of(exported))

    def _declare_pattern(self, pattern: Node, scope: _Scope) -> None:
        for name in pattern_names(pattern):
            scope.declare(name.text, name).unknown = True

    # ---- references ------------------------------------------------------------------------

    def _resolve(self) -> None:
        for node in self.tree.nodes:
            if node.type in ("identifier", "shorthand_property_identifier"):
                binding = self.binding(node)
                if binding is not None and binding.node is not node:
                    binding.references.append(node)
            elif node.type in ("assignment_expression", "augmented_assignment_expression"):
                self._assigned(node)
            elif node.type == "for_in_statement" and node.get("kind") is None:
                self._spoil(node.at("left"))
            if node.type in ("call_expression", "await_expression"):
                self.function_of[node.index].calls.append(node)

    def _assigned(self, node: Node) -> None:
        left = node.at("left")
        if left.type == "identifier":
            binding = self.binding(left)
            if binding is not None:
                binding.values.append(node.at("right"))
        elif left.type in ("object_pattern", "array_pattern"):
            self._spoil(left)

    def _spoil(self, pattern: Node) -> None:
        for name in pattern_names(pattern):
            binding = self.binding(name)
            if binding is not None:
                binding.unknown = True


def _var_scope(scope: _Scope) -> _Scope:
    while not scope.holds_vars and scope.parent is not None:
        scope = scope.parent
    return scope


def _is_inside(node: Node, parent: Node) -> bool:
    """Whether a child belongs to the scope that its parent opens."""
    if parent.type == "method_definition":
        return node.field != "name"
    if parent.type == "field_definition":
        return node.field == "value"
    if parent.type in _CLASSES:
        return node.type in ("class_body", "class_heritage")
    if parent.type in ("function_declaration", "generator_function_declaration"):
        return node.field != "name"
    return True


def _simple_part(item: Node) -> tuple[str | None, Node | None]:
    """Key and target of ``{key}`` or ``{key: target}`` in a pattern."""
    if item.type == "shorthand_property_identifier_pattern":
        return item.text, item
    if item.type == "pair_pattern" and item.at("value").type == "identifier":
        return name_of(item.at("key")), item.at("value")
    return None, None


def pattern_names(pattern: Node) -> list[Node]:
    """The names that a pattern binds or assigns."""
    match pattern.type:
        case "identifier" | "shorthand_property_identifier_pattern":
            return [pattern]
        case "assignment_pattern" | "object_assignment_pattern":
            return pattern_names(pattern.at("left"))
        case "pair_pattern":
            return pattern_names(pattern.at("value"))
        case "object_pattern" | "array_pattern" | "rest_pattern":
            return [name for item in pattern.items() for name in pattern_names(item)]
    return []


def string_value(node: Node) -> str:
    """The text of a string literal, escapes as they stand."""
    return node.text[1:-1]


def name_of(node: Node) -> str:
    """A property's or export's name; a computed one gives ``[...]`` as written."""
    return string_value(node) if node.type == "string" else node.text
