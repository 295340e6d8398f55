"""Where the value of a function goes, as far as one look at its surroundings tells."""

from dataclasses import dataclass, field

from fusillade.script import blocking
from fusillade.script.scopes import Function, name_of, string_value
from fusillade.script.syntax import Node
from fusillade.script.targets import Module, Resolver


@dataclass(slots=True)
class Uses:
    """Where the value of a function goes."""

    floats: bool = False
    names: set[str] = field(default_factory=set)
    array_methods: set[str] = field(default_factory=set)
    """Array methods that it is a callback of: a script's own method may have such a name."""

    def merge(self, other: "Uses") -> None:
        self.floats |= other.floats
        self.names |= other.names
        self.array_methods |= other.array_methods


class UseFinder:
    """Looks at the places of values."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver

    def where(self, module: Module, node: Node, functions: list[Function]) -> Uses:
        """Where the value of an expression goes. Marks ``functions`` that cannot wait there."""
        uses = Uses()
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
                return self.where(module, parent, functions)
            case "ternary_expression":
                return uses if node.field == "condition" else self.where(module, parent, functions)
            case "binary_expression":
                operator = parent.get("operator")
                if operator is not None and operator.type in ("||", "&&", "??"):
                    return self.where(module, parent, functions)
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

    def _assigned(self, uses: Uses, assignment: Node, functions: list[Function]) -> None:
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

    def _stored(self, uses: Uses, key: Node, functions: list[Function]) -> Uses:
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
        if call is None or call.type != "call_expression":
            return False
        builtins = self._resolver.resolve(module, call.at("function")).builtins
        return bool(builtins & {"check", "assertion"})

    def _argument(
        self, module: Module, node: Node, arguments: Node, functions: list[Function]
    ) -> Uses:
        uses = Uses()
        call = arguments.parent
        assert call is not None
        position = arguments.items().index(node)
        cannot_wait = None
        if call.type == "new_expression":
            cannot_wait = blocking.CONSTRUCTOR_CALLBACKS.get(call.at("constructor").text)
        else:
            callee = call.at("function")
            if self._resolver.resolve(module, callee).builtins & blocking.TAKING_CALLBACKS:
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
