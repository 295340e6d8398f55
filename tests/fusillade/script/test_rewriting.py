"""Scripts behave as they read: calls that wait look as if they did not."""

import pytest
import pytest_asyncio
from scripts import evaluate

WAIT = "function wait(value) { sleep(0.001); return value; }"

CASES = {
    "a function that calls one that waits": (
        "function twice(x) { return wait(x) * 2; } return twice(4);",
        8,
    ),
    "an arrow function with an expression body": ("const f = (x) => wait(x) + 1; return f(1);", 2),
    "an arrow function keeps this": (
        "const o = { n: 5, get() { return [1, 2].map((x) => wait(x) + this.n); } }; return o.get();",
        [6, 7],
    ),
    "an arrow function keeps arguments": (
        "function f() { return [1].map(() => wait(arguments[1])); } return f('a', 'b');",
        ["b"],
    ),
    "methods, classes and inheritance": (
        """class A { constructor(n) { this.n = n; } value() { return wait(this.n); } }
        class B extends A { value() { return super.value() + 1; } static make(n) { return new B(n); } }
        return B.make(4).value();""",
        5,
    ),
    "private methods and fields": (
        "class A { #n = 3; #get() { return wait(this.#n); } go() { return this.#get(); } } "
        "return new A().go();",
        3,
    ),
    "class fields with arrow functions": (
        """class A { n = 2
          double = () => wait(this.n) * 2
          triple() { return wait(this.n) * 3 } }
        return [new A().double(), new A().triple()];""",
        [4, 6],
    ),
    "closures": (
        "const make = (n) => () => wait(n++); const next = make(1); next(); return next();",
        2,
    ),
    "recursion": (
        "function sum(n) { return n === 0 ? 0 : wait(n) + sum(n - 1); } return sum(20);",
        210,
    ),
    "mutual recursion": (
        "const even = (n) => n === 0 || odd(n - 1); const odd = (n) => n !== 0 && even(wait(n) - 1);"
        "return [even(4), even(5)];",
        [True, False],
    ),
    "default parameters": (
        "function f(a, b = wait(a + 1), ...rest) { return [a, b, rest]; } return [f(1), f(1, 5, 6)];",
        [[1, 2, []], [1, 5, [6]]],
    ),
    "destructuring": (
        "const { a, b: [c = wait(3)] } = { a: wait(1), b: [] }; return [a, c];",
        [1, 3],
    ),
    "spread": ("const f = (...all) => all.length; return f(...wait([1, 2]), wait(3));", 3),
    "template literals": ("return `${wait('a')}-${wait('b')}`;", "a-b"),
    "tagged templates": (
        "const tag = (parts, x) => parts[0] + wait(x); return tag`<${7}`;",
        "<7",
    ),
    "an optional chain": (
        """const client = { get: (u) => wait({ status: u }) }; let none = null;
        return [client?.get(1).status, none?.get(2).status, none?.get(3)?.status ?? 'no'];""",
        [1, None, "no"],
    ),
    "an optional call": (
        "const hooks = { n: 9, before() { return wait(this.n); } };"
        "return [hooks.before?.(), hooks.after?.() ?? 'none'];",
        [9, "none"],
    ),
    "an optional chain that ends in a TypeError": (
        "const c = { get: () => wait(undefined) };"
        "try { c?.get().status; return 'no error'; } catch (e) { return e.name; }",
        "TypeError",
    ),
    "short circuits": (
        "return [false && wait(1), true || wait(2), null ?? wait(3)];",
        [False, True, 3],
    ),
    "the conditional operator": ("return wait(true) ? wait(1) : wait(2);", 1),
    "labelled loops": (
        """let n = 0; outer: for (const i of [1, 2, 3]) { for (let j = 0; ; j++) {
        if (wait(j) === i) continue outer; if (n > 50) break outer; n += 10; } } return n;""",
        60,
    ),
    "while and do loops": (
        "let n = 0; while (wait(n) < 3) n++; do n++; while (wait(n) < 6); return n;",
        6,
    ),
    "switch": (
        "switch (wait(2)) { case wait(1): return 'a'; case wait(2): return 'b'; default: return 'c'; }",
        "b",
    ),
    "try, catch and finally": (
        """const log = []; function f() { try { wait(1); throw new Error('x'); }
        catch (e) { log.push(e.message); return wait('r'); } finally { log.push(wait('f')); } }
        return [f(), log];""",
        ["r", ["x", "f"]],
    ),
    "an exception through several waiting functions": (
        "const a = () => { wait(1); throw new TypeError('deep'); }; const b = () => { a(); };"
        "try { b(); } catch (e) { return `${e.name}: ${e.message}`; }",
        "TypeError: deep",
    ),
    "forEach": ("const l = []; [1, 2].forEach((x) => { l.push(wait(x)); }); return l;", [1, 2]),
    "filter, some, every, find": (
        "const l = [1, 2, 3]; return [l.filter((x) => wait(x) > 1), l.some((x) => wait(x) > 2),"
        "l.every((x) => wait(x) > 2), l.find((x) => wait(x) === 2), l.findIndex((x) => wait(x) > 5)];",
        [[2, 3], True, False, 2, -1],
    ),
    "reduce with and without a start": (
        "return [[1, 2, 3].reduce((a, b) => a + wait(b)), [1, 2].reduceRight((a, b) => a + wait(b), 'x')];",
        [6, "x21"],
    ),
    "flatMap and Array.from": (
        "return [[1, 2].flatMap((x) => [wait(x), x]), Array.from([1, 2], (x) => wait(x) * 2)];",
        [[1, 1, 2, 2], [2, 4]],
    ),
    "a named function as the callback": ("return [1, 2].map(wait);", [1, 2]),
    "forEach of a Map and a Set": (
        "const l = []; new Map([['a', 1]]).forEach((v, k) => { l.push(k, wait(v)); });"
        "new Set([2]).forEach((v) => { l.push(wait(v)); }); return l;",
        ["a", 1, 2],
    ),
    "a method of one's own called map": (
        "class List { map(f) { return f(wait(1)); } } return new List().map((x) => wait(x) + 1);",
        2,
    ),
    "functions in objects": (
        "const actions = { a: () => wait(1), ['b']: () => wait(2), c() { return wait(3); } };"
        "return Object.keys(actions).map((k) => actions[k]());",
        [1, 2, 3],
    ),
    "functions in a Map": ("const m = new Map([['k', () => wait(1)]]); return m.get('k')();", 1),
    "functions in arrays": (
        "const steps = [() => wait(1), () => 2]; let n = 0; for (const s of steps) n += s(); return n;",
        3,
    ),
    "functions as arguments": (
        "const twice = (f) => [f(1), f(2)]; return [twice(wait), twice((x) => x)];",
        [[1, 2], [1, 2]],
    ),
    "functions that are returned": (
        "const pick = (b) => (b ? wait : (x) => -x); return [pick(true)(1), pick(false)(1)];",
        [1, -1],
    ),
    "functions assigned later": (
        "let f; f = (x) => wait(x); const o = {}; o.go = f; return o.go(3);",
        3,
    ),
    "functions under computed keys": (
        "const table = {}; const add = (k, f) => { table[k] = f; }; add('x', () => wait(4));"
        "return table.x();",
        4,
    ),
    "call and apply": (
        "function f(x) { return wait(this.n + x); } return [f.call({ n: 1 }, 2), f.apply({ n: 3 }, [4])];",
        [3, 7],
    ),
    "bind": ("function f(x) { return wait(this.n + x); } return f.bind({ n: 1 })(2);", 3),
    "an immediately called function": ("return (function (x) { return wait(x); })(5);", 5),
    "a function hoisted over its first use": ("return f(); function f() { return wait(1); }", 1),
    "a named function expression that calls itself": (
        "const f = function self(n) { return n ? wait(n) + self(n - 1) : 0; }; return f(3);",
        6,
    ),
    "a generator of one's own": (
        "function* g(n) { for (let i = 0; i < n; i++) yield i; } const [a, b] = g(3);"
        "return [[...g(3)], a, b, wait(1)];",
        [[0, 1, 2], 0, 1, 1],
    ),
    "await in front of a parenthesis that is called": (
        """const add = async (a, b) => wait(a) + b; const o = { add, n: (x) => ({ x }) };
        const main = async () => [await (async () => wait(1))(), await (add)(1, 2) + 4, await (o.n)(5).x,
          await (o.n)(6)['x'], await (add(3, 4)), (await (async (x) => x)(8)) + 1];
        return main();""",
        [1, 7, 5, 6, 7, 9],
    ),
    "async functions and await": (
        """const load = async (x) => { const y = await wait(x); return y + (await Promise.resolve(1)); };
        const main = async () => { const a = load(1); const b = load(10); return (await a) + (await b); };
        return main();""",
        13,
    ),
    "an async function that throws": (
        "const bad = async () => { wait(1); throw new Error('no'); };"
        "const main = async () => { try { await bad(); } catch (e) { return e.message; } };"
        "return main();",
        "no",
    ),
    "Promise.all over async functions": (
        "const f = async (x) => wait(x); const main = async () => Promise.all([f(1), f(2)]); return main();",
        [1, 2],
    ),
    "statements without semicolons": (
        "let n = 0\nwait(1)\n;[1, 2].forEach((x) => { n += wait(x) })\nwait(2)\nn++\nwait(3)\nreturn n",
        4,
    ),
    "shadowed builtins": (
        "const sleep = (x) => x * 2; const http = { get: (u) => u }; return [sleep(2), http.get('u')];",
        [4, "u"],
    ),
    "a comparator that may be anything": (
        "const by = (f) => (a, b) => f(a) - f(b); wait(1); return [3, 1, 2].sort(by((x) => x));",
        [1, 2, 3],
    ),
    "comments and strings that look like calls": (
        "/* sleep(1) */ const s = 'sleep(1)'; // sleep(2)\nreturn s + wait('!');",
        "sleep(1)!",
    ),
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def results() -> dict[str, object]:
    """All cases in one script: each as a function, its result or its error."""
    functions = ",\n".join(
        f"{index}: function () {{ {body} }}" for index, (body, _) in enumerate(CASES.values())
    )
    body = """
      const results = {};
      for (const key of Object.keys(cases)) {
        try { results[key] = await cases[key](); }
        catch (error) { results[key] = `${error}`; }
      }
      return results;
    """
    source_head = f"{WAIT}\nconst cases = {{ {functions} }};\nasync function all() {{ {body} }}"
    return await evaluate("return all();", head=source_head)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.asyncio(loop_scope="module")
async def test_a_script_may_use(name: str, results: dict[str, object]) -> None:
    assert results[str(list(CASES).index(name))] == CASES[name][1]
