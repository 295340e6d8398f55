"""What a script finds in ``__ENV``."""

import os
from collections.abc import Iterable, Mapping

from fusillade.errors import ValidationFailed

_PREFIXES = ("FUSILLADE_", "K6_")
_OWN = frozenset(
    {"FUSILLADE_API_KEY", "FUSILLADE_API_URL", "FUSILLADE_DEBUG", "FUSILLADE_PLATFORM"}
)
"""Fusillade's variables that are not fields of ``Settings``."""


def script_env(
    given: Iterable[str], environment: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Variables of the environment named ``FUSILLADE_*`` or ``K6_*``, and over them those
    ``given`` as ``KEY=VALUE``. Never one that is a setting of Fusillade itself: those are secrets
    of the platform, and are recognised as it reads them, in capitals or not.

    Raises :class:`ValidationFailed`.
    """
    variables = {
        name: value
        for name, value in (os.environ if environment is None else environment).items()
        if name.startswith(_PREFIXES)
    }
    if variables:
        from fusillade.settings import Settings  # takes its time to import

        own = {f"FUSILLADE_{name.upper()}" for name in Settings.model_fields} | _OWN
        variables = {name: value for name, value in variables.items() if name.upper() not in own}
    return variables | given_variables(given)


def given_variables(given: Iterable[str]) -> dict[str, str]:
    """``KEY=VALUE`` each. Raises :class:`ValidationFailed`."""
    variables = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise ValidationFailed(f"-e {text}: write it as KEY=VALUE.")
        variables[name] = value
    return variables
