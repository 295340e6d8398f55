"""What is wrong with a script is said with its file, line and column."""

import pytest

from fusillade.script.compiler import ScriptErrors, compile_script

DEFAULT = "export default function () {}\n"


def problems(source: str, **more: str) -> list[str]:
    """``line:column message`` of each problem; none for a script that compiles."""
    files = {"script.js": source.encode()} | {
        name.replace("_", ".", 1): text.encode() for name, text in more.items()
    }
    try:
        compile_script(files, "script.js")
    except ScriptErrors as errors:
        return [f"{p.file}:{p.line}:{p.column} {p.message}" for p in errors.problems]
    return []


@pytest.mark.parametrize(
    ("source", "place", "words"),
    [
        ("const a = ;\n" + DEFAULT, "script.js:1:", "syntax error"),
        ("export default function () {\n  http.get('u'\n}", "script.js:2:", "syntax error"),
        ("import x from './other.js';\n" + DEFAULT, "script.js:1:15", "no file './other.js'"),
        ("import x from 'lodash';\n" + DEFAULT, "script.js:1:15", "no module 'lodash'"),
        ("import x from 'https://jslib.k6.io/a.js';\n", "script.js:1:15", "from the network"),
        ("const m = import('./a.js');\n", "script.js:1:11", "import()"),
        ("eval('1');\n", "script.js:1:1", "eval"),
        ("const $fu = 1;\n", "script.js:1:7", "reserved"),
        ("class A {\n  get b() { return http.get('u'); }\n}", "script.js:2:20", "the getter b"),
        ("class A { constructor() { sleep(1); } }", "script.js:1:27", "a constructor"),
        ("[1].sort((a, b) => { sleep(1); return a - b; });", "script.js:1:22", "comparator"),
        ("'a'.replace(/a/, () => http.get('u').body);", "script.js:1:24", "replace()"),
        ("const o = { toString() { sleep(1); return ''; } };", "script.js:1:26", "toString()"),
        ("function* g() { sleep(1); yield 1; }", "script.js:1:17", "a generator function"),
        ("async function* g() { yield 1; }", "script.js:1:1", "async generator"),
        ("function f() { await g(); }", "script.js:1:16", "async function"),
        ("export default () => {\n  new GrpcClient();\n}", "script.js:2:7", "cannot use gRPC"),
        ("const c = new JsMqttClient();", "script.js:1:15", "cannot use MQTT"),
        ("const c = { JsAmqpClient };", "script.js:1:13", "cannot use AMQP"),
        ("const b = chromium.launch();", "script.js:1:11", "cannot use a browser"),
        ("class A { get b() { return ws.connect('u'); } }", "script.js:1:28", "the getter b"),
        (
            "const wait = () => sleep(1);\nclass A { set b(v) { wait(); } }",
            "script.js:2:22",
            "wait() waits",
        ),
    ],
)
def test_a_problem_has_its_place_and_its_words(source: str, place: str, words: str) -> None:
    (found,) = problems(source)
    assert found.startswith(place)
    assert words in found


def test_a_script_may_use_the_names_of_what_is_not_available_for_its_own_things() -> None:
    assert problems("class GrpcClient {}\nnew GrpcClient();\nconst x = { chromium: 1 };") == []


def test_positions_count_characters_not_bytes() -> None:
    (found,) = problems("const ü = 'äöü'; eval('1');")
    assert found.startswith("script.js:1:18 ")


def test_a_problem_in_an_imported_file_names_that_file() -> None:
    (found,) = problems("import './b.js';\n" + DEFAULT, b_js="\n  const = 1;")
    assert found.startswith("b.js:2:")


def test_what_cannot_wait_may_call_what_does_not_wait() -> None:
    source = """
      const plain = (x) => x + 1;
      class A { get b() { return plain(1); } constructor() { this.c = plain(2); } }
      export default function () { sleep(1); [2, 1].sort((a, b) => plain(a) - plain(b)); }
    """
    assert problems(source) == []


def test_deeply_nested_code_is_no_problem_for_the_compiler() -> None:
    assert problems(f"const x = {'(' * 2000}1{')' * 2000};\n{DEFAULT}") == []


def test_no_line_is_added_or_moved() -> None:
    source = """import { sleep } from 'k6'; // one
export default function () {
  const list = [1,
    2].map((x) => {
      sleep(x);
      return x;
    });
  const later = async (x) =>
    await x;
}"""
    (module,) = compile_script({"script.js": source.encode()}, "script.js").modules
    produced = module.code.split("\n")
    for number, line in enumerate(source.split("\n")):
        for word in ("// one", "const list", "sleep(x)", "return x", "const later"):
            if word in line:
                assert word.split("(")[0] in produced[number]


def test_columns_lead_back_to_the_authors_columns() -> None:
    source = "export default function () { sleep(1); sleep(2); boom(3); }"
    (module,) = compile_script({"script.js": source.encode()}, "script.js").modules
    line, column = 1, module.code.split("\n")[0].index("boom") + 1
    assert module.original_position(line, column) == (1, source.index("boom") + 1)


def test_target_urls_are_the_origins_in_the_script() -> None:
    source = """
      const base = 'https://api.example.com';
      export default function () {
        http.get(`${base}/a`); http.get('http://127.0.0.1:8080/b?c'); http.get(`https://x.test/${1}`);
        http.get('https://api.example.com/d'); ws.connect('wss://chat.example.com/room');
      }
    """
    compiled = compile_script({"script.js": source.encode()}, "script.js")
    assert compiled.target_urls == [
        "https://api.example.com",
        "http://127.0.0.1:8080",
        "https://x.test",
        "wss://chat.example.com",
    ]
