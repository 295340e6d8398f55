"""Modules: imports, exports, TypeScript."""

import pytest
from scripts import evaluate

from fusillade.errors import InvalidScript


async def test_named_default_and_namespace_imports() -> None:
    files = {
        "lib/math.js": "export const one = 1; export default (x) => x * 2;"
        "export function three() { return 3; } const four = 4; export { four as vier };",
        "lib/index.js": "export * from './math.js'; export { default as double } from './math.js';"
        "export * as math from './math.js';",
    }
    head = """import double, { one, three as drei } from './lib/math.js';
      import * as all from './lib';"""
    body = "return [double(one), drei(), all.vier, all.double(4), all.math.one, Object.keys(all)];"
    assert await evaluate(body, head=head, files=files) == [
        2,
        3,
        4,
        8,
        1,
        ["double", "math", "one", "three", "vier"],
    ]


@pytest.mark.parametrize(
    ("exported", "used"),
    [
        ("function () { sleep(0.001); return 'f'; }", "it()"),
        ("async function () { return 'f'; }", "await it()"),
        ("function* () { yield 'f'; }", "[...it()][0]"),
        ("class { f = 'f'; }", "new it().f"),
        ("class A { f = 'f'; }", "new it().f"),
    ],
)
async def test_what_follows_a_default_export_may_stand_on_the_same_line(
    exported: str, used: str
) -> None:
    files = {"a.js": f"export default {exported} export function two() {{ return 2; }}"}
    source = f"return (async () => [{used}, two()])();"
    head = "import it, { two } from './a.js';"
    assert await evaluate(source, head=head, files=files) == ["f", 2]


async def test_imports_are_live_bindings() -> None:
    files = {"counter.js": "export let count = 0; export function add() { count += 1; }"}
    head = "import { count, add } from './counter.js';"
    assert await evaluate("add(); add(); return { count };", head=head, files=files) == {"count": 2}


async def test_modules_may_import_each_other_in_a_circle() -> None:
    files = {
        "a.js": "import { b } from './b.js'; export const a = () => 'a'; export const ab = () => a() + b();",
        "b.js": "import { a } from './a.js'; export const b = () => 'b' + a();",
    }
    assert await evaluate("return ab();", head="import { ab } from './a.js';", files=files) == "aba"


async def test_functions_of_other_modules_wait() -> None:
    files = {
        "lib.js": "import { sleep } from 'k6'; export const pause = (x) => { sleep(0.001); return x; };"
    }
    head = "import { pause } from './lib.js'; import * as lib from './lib.js';"
    body = "return [1, 2].map((x) => pause(x) + lib.pause(x));"
    assert await evaluate(body, head=head, files=files) == [2, 4]


async def test_k6_modules_give_what_the_globals_are() -> None:
    head = "import http, { get } from 'k6/http'; import { check as c, group } from 'k6';"
    body = "return [typeof http.get, typeof get, typeof c, group('g', () => 5)];"
    assert await evaluate(body, head=head) == ["function", "function", "function", 5]


async def test_typescript_is_javascript_without_its_types() -> None:
    files = {
        "lib.ts": """
          import type { Nothing } from './nothing';
          export interface User<T = string> { readonly name: T; age?: number }
          export type Maybe<T> = T | null;
          export abstract class Base<T> {
            private readonly items: T[] = [];
            protected constructor(public_?: number) {}
            abstract size(): number;
            add(item: T, ...more: T[]): this { this.items.push(item, ...more); return this; }
            count(): number { return this.items!.length as number; }
          }
          export class List<T> extends Base<T> implements Iterable<T> {
            declare extra: string;
            constructor() { super(); }
            size(): number { return this.count(); }
            *[Symbol.iterator](): Iterator<T> {}
          }
          function over(x: string): string;
          function over(x: number): number;
          function over(x: any): any { return x; }
          export const pick = <K extends string, V>(o: Record<K, V>, k: K): V => o[k] satisfies V;
          export const wait = async (x: number): Promise<number> => { sleep(0.001); return over(x)!; };
          declare const __THING: string;
        """
    }
    head = "import { List, pick, wait } from './lib.ts';"
    body = (
        "return (async () => [new List().add(1, 2).size(), pick({ a: 7 }, 'a'), await wait(3)])();"
    )
    assert await evaluate(body, head=head, files=files) == [2, 7, 3]


async def test_what_is_more_than_a_type_is_refused_with_its_line() -> None:
    files = {"lib.ts": "export const a = 1;\nenum Color { Red }\n"}
    with pytest.raises(InvalidScript, match=r"lib\.ts:2:1: enum"):
        await evaluate("return a;", head="import { a } from './lib.ts';", files=files)
