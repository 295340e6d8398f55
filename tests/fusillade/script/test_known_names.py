"""Names that nobody has declared."""

from scripts import as_files, evaluate

from fusillade.script.compiler import compile_script
from fusillade.script.known_names import LANGUAGE, SCRIPT_API


async def test_the_known_names_are_those_that_a_script_finds() -> None:
    found = await evaluate("return Object.getOwnPropertyNames(globalThis);")
    hidden = {"debuggerGlobal"}  # cannot be deleted: it is emptied and sealed
    assert set(found) - LANGUAGE - hidden == SCRIPT_API
    assert (
        await evaluate(f"return {sorted(LANGUAGE)!r}.filter((name) => !(name in globalThis));")
        == []
    )


def test_an_undeclared_name_is_a_warning_at_its_first_use() -> None:
    source = """export default function (data) {
      const { a, b: [c] } = data;
      for (const item of a) htpp.get(item, { c, item, later });
      if (typeof window === 'undefined') return fetch(arguments[0]);
      label: for (;;) break label;
      return htpp, later2;
    }
    class Later {}
    function later2() { return new Later(); }
    """
    warnings = compile_script(as_files(source), "script.js").warnings
    assert [(w.message, w.line, w.column, w.severity) for w in warnings] == [
        (
            "'htpp' is not defined: neither the script nor Fusillade has that name; did you mean "
            "'http'?",
            3,
            29,
            "warning",
        ),
        (
            "'later' is not defined: neither the script nor Fusillade has that name",
            3,
            55,
            "warning",
        ),
        (
            "'fetch' is not defined: neither the script nor Fusillade has that name",
            4,
            49,
            "warning",
        ),
    ]
