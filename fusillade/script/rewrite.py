"""The edits that make calls wait: functions become generators, calls of them are yielded.

    http.get(url)            (yield http.get(url))
    list.map(f)              (yield $fu.each.map(list, f))          if f waits
    list.sort(f)             list.sort($fu.plain(f))                if f may wait
    compare(a, b)            $fu.settled(compare(a, b))             where nothing can be suspended
    await value              (yield $fu.wait(value))
    a?.get(u).status         (($fu1 = a) == null ? undefined : (yield $fu1.get(u)).status)
    function f(x) {          function* f(x) {
    (x) => get(x)            (function*(x) { return (yield get(x)); })
    async function f(x) {}   function f(...$fu_a) {
                                 return $fu.spawn((function*(x) {}).apply(this, $fu_a)) }
    function* g(x) {}        likewise with $fu.iterator

A yielded value that is not pending comes back as it is (see runtime/coroutine.js), so a call that
only may wait needs no test.
"""

from collections.abc import Iterator

from fusillade.hosting.messages import Problem
from fusillade.script.edits import Edits
from fusillade.script.flow import CallSite, Flow
from fusillade.script.scopes import FUNCTIONS, Function, Scopes
from fusillade.script.syntax import Node
from fusillade.script.targets import Module

_LISTS = frozenset(("program", "statement_block", "switch_case", "switch_default"))
_CHAIN = {
    "member_expression": "object",
    "subscript_expression": "object",
    "call_expression": "function",
}
_OWN_THIS = FUNCTIONS - {"arrow_function"}


class Rewrite:
    """Rewrites one module. ``problems`` has what cannot be rewritten."""

    def __init__(self, module: Module, flow: Flow, edits: Edits) -> None:
        self._module = module
        self._scopes = scopes = module.scopes
        self._flow = flow
        self._edits = edits
        self._source = scopes.tree.source
        self._temporaries: dict[Function, list[str]] = {}
        self._count = 0
        self._opened: set[int] = set()
        self.problems: list[Problem] = []

    def run(self) -> None:
        """Put in all edits."""
        for function in self._scopes.functions:
            for node in function.calls:
                if node.type == "await_expression":
                    self._await(function, node)
        chained: set[int] = set()
        sites = [
            site
            for (module, _), site in self._flow.sites.items()
            if module == self._scopes.module and site.level
        ]
        for site in sites:
            if site.inside.cannot_wait is not None and site.level == 2:
                self._cannot_wait(site)
        waiting = {
            site.node.index: site
            for site in sites
            if site.inside.cannot_wait is None or site.inside.node.parent is None or site.level == 1
        }
        for site in waiting.values():
            self._call(site, waiting, chained)
        for node in self._scopes.tree.nodes:
            if node.type == "identifier" and node.text == "await" and node.field == "function":
                self._await_call(node)
        for node in self._flow.called_by_the_language(self._module):
            self._edits.wrap(node, "$fu.plain(", ")")
        for function in self._scopes.functions:
            self._function(function)
        for function, names in self._temporaries.items():
            self._declare(function, names)

    # ---- calls -----------------------------------------------------------------------------

    def _call(self, site: CallSite, waiting: dict[int, CallSite], chained: set[int]) -> None:
        node = site.node
        optional = _optional_before(node)
        if optional is not None:
            if optional.index not in chained:
                chained.add(optional.index)
                self._chain(optional, site.inside, waiting)
        else:
            self._before(node, self._opening(site))
        self._close_call(site)

    def _opening(self, site: CallSite) -> str:
        waits = site.inside.cannot_wait is None
        text = "(yield " if waits else "$fu.settled("
        if site.array_method is not None:
            text += f"$fu.each.{site.array_method}("
        return text

    def _close_call(self, site: CallSite) -> None:
        if site.array_method is not None:
            callee = site.node.at("function")
            arguments = site.node.at("arguments")
            # `list.map(f)` becomes `$fu.each.map(list, f)`.
            begin = (callee.get("optional_chain") or callee.at("object")).end
            if site.array_method == "from":
                self._edits.replace_range(callee.start, arguments.start + 1, "")
            else:
                self._edits.replace_range(begin, arguments.start + 1, ", ")
        self._edits.after(site.node, ")")

    def _chain(self, optional: Node, inside: Function, waiting: dict[int, CallSite]) -> None:
        """Turn ``object?.rest`` into a condition, since a yield would break the chain."""
        part = optional.parent
        assert part is not None
        owner = part.at(_CHAIN[part.type])
        spine = list(_spine(part))
        root = spine[-1]
        openings = [
            self._opening(waiting[node.index])
            for node in spine
            if node.index in waiting and _optional_before(node) is optional
        ]
        name = self._temporary(inside)
        self._before(owner, f"(({name} = ")
        text = ") == null ? undefined : " + "".join(reversed(openings)) + name
        if part.type == "member_expression":
            site = waiting.get(part.parent.index) if part.parent is not None else None
            if not (site is not None and site.array_method and site.node.at("function") is part):
                text += "."
        elif part.type == "call_expression" and owner.type in (
            "member_expression",
            "subscript_expression",
        ):
            this = self._temporary(inside)
            self._before(owner.at("object"), f"({this} = ")
            self._edits.after(owner.at("object"), ")")
            arguments = part.at("arguments")
            text += f".call({this}, "
            self._edits.replace_range(arguments.start, arguments.start + 1, "")
        self._edits.replace(optional, text)
        self._edits.after(root, ")")

    def _temporary(self, function: Function) -> str:
        self._count += 1
        name = f"$fu{self._count}"
        self._temporaries.setdefault(function, []).append(name)
        return name

    def _declare(self, function: Function, names: list[str]) -> None:
        text = _let(names)
        body = function.node.get("body")
        if function.node.parent is None:
            self._edits.before(function.node, text)
        elif body is not None and body.type == "statement_block":
            self._edits.after(body.children[0], text)
        elif function.node.type == "arrow_function" and body is not None:
            self._edits.wrap(body, f"{{ {text}return (", "); }")
        else:
            line, column = self._source.position(function.node.start)
            self.problems.append(
                Problem(
                    message="an optional chain (?.) cannot wait in the value of a class field",
                    file=self._scopes.module,
                    line=line,
                    column=column,
                )
            )

    def _await(self, function: Function, node: Node) -> None:
        if not function.is_async:
            words = (
                "await outside of a function is not available"
                if function.node.parent is None
                else "await is only allowed in an async function"
            )
            self._problem(node, words)
            return
        self._edits.replace(node.children[0], "(yield $fu.wait(")
        self._opened.add(node.start)
        self._edits.after(node, "))")

    def _await_call(self, node: Node) -> None:
        """``await (f)(x)``, which the grammar takes for a call of something named await."""
        outer = node
        while outer.parent is not None and outer.field == _CHAIN.get(outer.parent.type, "no chain"):
            outer = outer.parent
        if self._scopes.function_of[outer.index].is_async:
            self._edits.replace(node, "")
            self._before(outer, "(yield $fu.wait(")
            self._edits.after(outer, "))")

    def _cannot_wait(self, site: CallSite) -> None:
        where = site.inside.cannot_wait
        if site.inside.node.parent is None:
            return  # the init code: the runtime says so, if the call is reached
        called = f"{site.node.at('function').text}()"
        if len(called) > 60 or "\n" in called:
            called = "this call"
        cause = "" if site.cause in ("", called) else f" (because of {site.cause})"
        self._problem(
            site.node,
            f"{called} waits{cause}, and JavaScript cannot wait in {where}",
        )

    # ---- functions -------------------------------------------------------------------------

    def _function(self, function: Function) -> None:
        node = function.node
        if node.type not in FUNCTIONS:
            return
        if function.is_async and function.is_generator:
            self._problem(node, "async generator functions are not available")
        elif function.is_async:
            self._enclosed(function, "async", "$fu.spawn(")
        elif function.is_generator:
            self._enclosed(function, "*", "$fu.iterator(")
        elif function.suspends:
            self._generator(function)

    def _generator(self, function: Function) -> None:
        node = function.node
        if node.type == "arrow_function":
            self._arrow(function)
            return
        if node.type == "method_definition":
            # A star would continue the value of a field in front of it that has no semicolon.
            in_class = node.parent is not None and node.parent.type == "class_body"
            first = node.children[0] is node.at("name")
            self._edits.before(node.at("name"), ";*" if in_class and first else "*")
        else:
            token = node.token("function")
            assert token is not None
            self._edits.after(token, "*")
        self._parameters(node)

    def _arrow(self, function: Function) -> None:
        node = function.node
        self._refuse_super(node)
        uses_this, arguments = _lexical(node)
        before, after = "(function*", ").bind(this)" if uses_this else ")"
        if arguments:
            before, after = f"(($fu_o) => {before}", f"{after})(arguments)"
            for name in arguments:
                self._edits.replace(name, "$fu_o")
        self._before(node, before)
        self._arrow_parts(node)
        self._edits.after(node, after)

    def _arrow_parts(self, node: Node) -> None:
        single = node.get("parameter")
        if single is not None:
            self._edits.wrap(single, "(", ")")
        arrow = node.token("=>")
        assert arrow is not None
        self._edits.replace(arrow, "")
        body = node.at("body")
        if body.type != "statement_block":
            function = self._scopes.by_node[node.index]
            moved = self._defaults_wait(function)
            names = [] if moved else self._temporaries.pop(function, [])
            self._edits.wrap(body, "return (", "); ")
            self._edits.wrap(body, f"{{ {_let(names)}", "}")
        # Last, since its closing brace is the outermost.
        self._parameters(node)

    def _parameters(self, node: Node) -> None:
        """Move parameters whose defaults wait into the body: no yield may stand among them."""
        function = self._scopes.by_node[node.index]
        if not self._defaults_wait(function):
            return
        parameters = node.at("parameters")
        names = self._temporaries.pop(function, [])
        self._edits.replace(parameters.children[0], f"(...$fu_a) {{ {_let(names)}var [")
        self._edits.replace(parameters.children[-1], "] = $fu_a; ")
        self._edits.after(node.at("body"), " }")

    def _defaults_wait(self, function: Function) -> bool:
        parameters = function.node.get("parameters")
        return parameters is not None and any(
            parameters.start <= call.start < parameters.end
            and (call.type == "await_expression" or self._level(call) > 0)
            for call in function.calls
        )

    def _level(self, call: Node) -> int:
        site = self._flow.sites.get((self._scopes.module, call.index))
        return 0 if site is None else site.level

    def _enclosed(self, function: Function, keyword: str, call: str) -> None:
        """A plain function around a generator that has the author's parameters and body."""
        node = function.node
        token = node.token(keyword)
        assert token is not None
        self._edits.replace(token, "")
        before = f"(...$fu_a){{return {call}(function*"
        after = ").apply(this,$fu_a))}"
        if node.type == "arrow_function":
            self._refuse_super(node)
            _, arguments = _lexical(node)
            opening, closing = f"((...$fu_a)=>{call}(function*", ").apply(this,$fu_a)))"
            if arguments:
                opening, closing = f"(($fu_o) => {opening}", f"{closing})(arguments)"
                for name in arguments:
                    self._edits.replace(name, "$fu_o")
            self._before(node, opening)
            self._arrow_parts(node)
            self._edits.after(node, closing)
            return
        self._refuse_super(node)
        self._parameters(node)
        self._edits.before(node.at("parameters"), before)
        self._edits.after(node.at("body"), after)

    def _refuse_super(self, node: Node) -> None:
        for found in _own(self._scopes, node):
            if found.type == "super":
                self._problem(found, "super cannot be used in an async or waiting arrow function")

    # ---- text ------------------------------------------------------------------------------

    def _before(self, node: Node, text: str) -> None:
        self._edits.before(node, text)
        self._opened.add(node.start)

    def end_statements(self, opened: set[int]) -> None:
        """A statement that now begins with a parenthesis must not continue the one before it.

        ``opened``: offsets where somebody else has put one."""
        opened = opened | self._opened
        for node in self._scopes.tree.nodes:
            if (
                node.type == "expression_statement"
                and node.start in opened
                and node.parent is not None
                and node.parent.type in _LISTS
            ):
                self._edits.before(node, ";")

    def _problem(self, node: Node, message: str) -> None:
        line, column = self._source.position(node.start)
        self.problems.append(
            Problem(message=message, file=self._scopes.module, line=line, column=column)
        )


def _let(names: list[str]) -> str:
    return f"let {', '.join(names)}; " if names else ""


def _optional_before(node: Node) -> Node | None:
    """The last ``?.`` in front of the end of a call's own chain, if there is one."""
    at: Node | None = node
    while at is not None and at.type in _CHAIN:
        optional = at.get("optional_chain")
        if optional is not None:
            return optional
        at = at.get(_CHAIN[at.type])
    return None


def _spine(part: Node) -> Iterator[Node]:
    """From a part of a chain up to the whole chain, or to where the next ``?.`` takes over."""
    yield part
    while (parent := part.parent) is not None and _CHAIN.get(parent.type, "") == part.field:
        if parent.get("optional_chain") is not None:
            return
        part = parent
        yield part


def _own(scopes: Scopes, node: Node) -> Iterator[Node]:
    """Nodes inside a function, without those of functions with a ``this`` of their own."""
    skip_to = -1
    for found in scopes.tree.inside(node):
        if found.index <= skip_to:
            continue
        if found.type in _OWN_THIS or found.type in ("class", "class_declaration"):
            skip_to = found.last
            continue
        yield found


def _lexical(node: Node) -> tuple[bool, list[Node]]:
    """Whether an arrow function uses ``this`` (or ``new.target``), and its ``arguments``."""
    uses_this = False
    arguments = []
    stack = list(node.children)
    while stack:
        found = stack.pop()
        if found.type in _OWN_THIS or found.type == "class_body":
            continue
        if found.type == "this":
            uses_this = True
        elif found.type == "identifier" and found.text == "arguments":
            arguments.append(found)
        stack.extend(found.children)
    return uses_this, arguments
