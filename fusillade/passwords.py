"""Passwords and their hashes (bcrypt), which take tens of milliseconds: make them in a thread."""

from functools import cache

import bcrypt

from fusillade.errors import ValidationFailed

LONGEST_BYTES = 72
"""bcrypt looks at no more; a longer password is refused instead of being cut."""
SHORTEST = 8
ROUNDS = 12
"""Two to the power of it is how often bcrypt repeats itself."""


def check(password: str) -> None:
    """Raises :class:`ValidationFailed` for a password that nobody may choose."""
    if len(password) < SHORTEST:
        raise ValidationFailed(f"The password must have at least {SHORTEST} characters.")
    if len(password.encode("utf-8", "surrogatepass")) > LONGEST_BYTES:
        raise ValidationFailed(
            f"The password must have at most {LONGEST_BYTES} bytes (letters outside ASCII have "
            "several)."
        )


def hash_password(password: str) -> str:
    """A salted hash. Raises ``ValueError`` for more than 72 bytes."""
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(ROUNDS)).decode()


def matches(password: str, hashed: str) -> bool:
    """Whether ``password`` is the one that was hashed."""
    content = password.encode()
    return len(content) <= LONGEST_BYTES and bcrypt.checkpw(content, hashed.encode())


@cache
def of_nobody() -> str:
    """Compared with where there is no user, so that the answer takes as long as any other."""
    return hash_password("nobody has this password")
