"""What holds a secret, as far as names tell."""

import re

_SECRET_NAME = re.compile(
    r"pass(word|wd|phrase|code)?$|secret|token|api-?_?key|access-?_?key|private-?_?key|credential"
    r"|^(key|sig|signature|pwd|pin|otp|jwt|auth|authorization|session(-?_?id)?|sid|code_verifier)$",
    re.IGNORECASE,
)
_SECRET_HEADER = re.compile(r"^(proxy-)?authorization$|^cookie$|^x-.*auth", re.IGNORECASE)


def is_secret(name: str) -> bool:
    """Whether a field, parameter or variable of this name holds a secret."""
    return _SECRET_NAME.search(name) is not None


def is_secret_header(name: str) -> bool:
    """Whether a header of this name holds a secret."""
    return _SECRET_HEADER.search(name) is not None or is_secret(name)
