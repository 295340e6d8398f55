"""The constants of a script: base addresses, variables, and secrets, which stay out of it."""

import re

from fusillade.converters.model import Choices, Code, Constant, Text, text
from fusillade.secret_names import is_secret_header

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_RESERVED = frozenset(
    re.findall(
        r"\w+",
        """
        arguments await break case catch class const continue debugger default delete do else enum
        eval export extends false finally for function if implements import in instanceof interface
        let new null package private protected public return static super switch this throw true
        try typeof undefined var void while with yield
        http check sleep group segment open print console crypto encoding utils metrics stats ws sse
        test expect describe options setup teardown headers res form chromium assertion
        """,
    )
)
"""Words of JavaScript, and names of the engine and of the script itself."""


def environment_name(name: str) -> str:
    """``apiKey`` and ``api-key`` as ``API_KEY``."""
    joined = "_".join(_WORDS.findall(name)).upper() or "VALUE"
    return joined if not joined[0].isdigit() else f"_{joined}"


def constant_name(variable: str) -> str:
    """``API_KEY`` as ``apiKey``; never a word that JavaScript or the engine has for itself."""
    first, *rest = variable.strip("_").lower().split("_")
    name = first + "".join(word.capitalize() for word in rest)
    if not name or name[0].isdigit():
        name = f"_{name}"
    return f"{name}Value" if name in _RESERVED else name


class Constants:
    """Collects the constants; the same value under the same name is one."""

    def __init__(self, choices: Choices) -> None:
        self._keep_secrets = choices.keep_secrets
        self._values: dict[str, str] = {}
        self.all: list[Constant] = []

    def named(
        self, name: str, default: Text = (), purpose: str = "", *, required: bool = False
    ) -> Code:
        """The constant of a variable, made if there is none of that name yet."""
        variable = environment_name(name)
        for constant in self.all:
            if constant.variable == variable:
                return Code(constant.name)
        return self._add(variable, default, purpose, required)

    def secret(self, name: str, value: str, purpose: str) -> Text:
        """``value`` as a constant without it; or itself, where secrets are to be kept."""
        if value == "" or self._keep_secrets:
            return text(value)
        return (self.hidden(name, value, purpose),)

    def hidden(self, name: str, value: str, purpose: str) -> Code:
        """A constant for a secret, one for each value; its value only if secrets are to be kept."""
        variable = environment_name(name)
        number = 1
        while True:
            numbered = variable if number == 1 else f"{variable}_{number}"
            known = self._values.get(numbered)
            if known == value:
                return self.named(numbered)
            if known is None and all(one.variable != numbered for one in self.all):
                break
            number += 1
        self._values[numbered] = value
        kept = self._keep_secrets and value != ""
        return self._add(numbered, text(value) if kept else (), purpose, not kept)

    def authorization(self, value: str) -> Text:
        """An Authorization header: the scheme stays, what follows it is a secret."""
        scheme, space, rest = value.partition(" ")
        if not space:
            return self.secret("AUTHORIZATION", value, "the Authorization header")
        name = {"bearer": "TOKEN", "basic": "BASIC_CREDENTIALS"}.get(scheme.lower(), "CREDENTIALS")
        what = f"what follows {scheme} in the Authorization header"
        return text(f"{scheme} ", *self.secret(name, rest, what))

    def header(self, name: str, value: str) -> Text:
        """A header's value, without the secret that it may be."""
        if name.lower() in ("authorization", "proxy-authorization"):
            return self.authorization(value)
        if is_secret_header(name):
            return self.secret(name, value, f"the header {name}")
        return text(value)

    def _add(self, variable: str, default: Text, purpose: str, required: bool) -> Code:
        name = constant_name(variable)
        if any(constant.name == name for constant in self.all):
            name = f"{name}_{len(self.all)}"
        self.all.append(Constant(name, variable, default, purpose, required))
        return Code(name)
