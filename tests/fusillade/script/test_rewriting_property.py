"""Random programs mean the same whether their calls really suspend or return at once."""

import json
import random
from typing import Any

import pytest
from scripts import evaluate

EXPRESSIONS = [
    "wait({0})",
    "(({0}) + ({1}))",
    "(({0}) * ({1}))",
    "(({0}) < ({1}))",
    "(({0}) === ({1}))",
    "(({0}) && ({1}))",
    "(({0}) || ({1}))",
    "(({0}) ?? ({1}))",
    "(({0}) ? ({1}) : ({2}))",
    "[{0}, {1}].map((x) => x + ({2})).length",
    "[1, {0}].reduce((x, y) => x + y * ({1}), 0)",
    "[3, {0}].some((x) => x === ({1}))",
    "((x, y = {0}) => x + y)({1})",
    "`${{{0}}}-${{{1}}}`.length",
    "new Box({0}).open()",
    "({{ k: {0} }})?.k",
    "box?.add({0}).value",
    "nothing?.add({0}).value",
    "table['f' + (({0}) % 2 === 0 ? 0 : 1)]({1})",
    "pick({0})({1})",
    "({{ ...[{0}, 1] }})[0]",
    "(function (x) {{ return arguments.length + x + ({0}); }})({1}, 2)",
]
STATEMENTS = [
    "{v} = {e};",
    "{v} += {e}\n",
    "log.push({e});",
    "wait({e})\n",
    "if ({e}) throw new Error(String({e}));",
    "if ({e}) return {e};",
    "const [p{n}, q{n} = {e}] = [{e}]; log.push(p{n}, q{n});",
    "if ({e}) {{ {s} }} else {{ {s} }}",
    "for (const i of [1, 2]) {{ a += i; {s} }}",
    "out{n}: for (let i = 0; i < 3; i++) {{ for (const j of [1, 2]) {{ if ({e}) continue out{n}; {s} break out{n}; }} }}",
    "try {{ {s} }} catch (e) {{ log.push(words(e)); {s} }} finally {{ {s} }}",
    "switch ({e}) {{ case 1: {s} case wait(2): log.push('two'); break; default: log.push('d'); }}",
    "[a, b].forEach((c) => {{ {s} }});",
    "{{ let n = 0; while (wait(n) < 2) {{ n++; {s} }} }}",
]


class Author(random.Random):
    """Writes programs."""

    count = 0

    def expression(self, depth: int) -> str:
        if depth == 0 or self.random() < 0.2:
            return self.choice(["a", "b", "c", str(self.randint(-3, 5)), "wait(a)", "wait(7)"])
        parts = [self.expression(depth - 1) for _ in range(3)]
        return self.choice(EXPRESSIONS).format(*parts)

    def statement(self, depth: int) -> str:
        self.count += 1
        number = self.count
        form = self.choice(STATEMENTS if depth else STATEMENTS[:7])
        for _ in range(form.count("{s}")):
            body = " ".join(self.statement(depth - 1) for _ in range(self.randint(1, 2)))
            form = form.replace("{s}", body.replace("{", "{{").replace("}", "}}"), 1)
        for _ in range(form.count("{e}")):
            part = self.expression(2).replace("{", "{{").replace("}", "}}")
            form = form.replace("{e}", part, 1)
        return form.format(v=self.choice("abc"), n=number)

    def program(self) -> str:
        return " ".join(self.statement(2) for _ in range(self.randint(1, 4)))


HEAD = """
class Box { constructor(v) { this.value = v; } open() { return wait(this.value); }
  add(n) { wait(n); return new Box(this.value + n); } }
const table = { f0: (x) => wait(x), f1(x) { return x; } };
const pick = (x) => (x ? (y) => wait(y) + 1 : (y) => y);
// The engine's own messages name the expression as it stands in the rewritten text.
const words = (error) => (error.name === 'Error' ? error.message : error.name);
const box = new Box(3); const nothing = null;
"""
RUNNER = """
function all() { return programs.map((program) => {
  const log = []; let a = 1, b = 2, c = 0;
  try { return [String(program(log, a, b, c)), log.map(String)]; }
  catch (error) { return [words(error), log.map(String)]; } }); }
"""


async def results(programs: list[str], wait: str) -> Any:
    functions = ",\n".join(f"function (log, a, b, c) {{ {body} return a; }}" for body in programs)
    return await evaluate(
        "return all();", head=f"{wait}\n{HEAD}\nconst programs = [{functions}];\n{RUNNER}"
    )


async def test_random_programs_mean_the_same_both_ways(request: pytest.FixtureRequest) -> None:
    author = Author(random.getrandbits(64))  # others with each --randomly-seed
    programs = [author.program() for _ in range(request.config.getoption("--random-programs"))]
    waiting = await results(programs, "function wait(x) { sleep(0); return x; }")
    plain = await results(programs, "function wait(x) { return x; }")
    for program, really, at_once in zip(programs, waiting, plain, strict=True):
        assert really == at_once, json.dumps(program)
