"""Password hashes (bcrypt). Both functions take tens of milliseconds: call them in a thread."""

from functools import cache

import bcrypt

LONGEST_BYTES = 72
"""bcrypt looks at no more; a longer password is refused instead of being cut."""
SHORTEST = 8


def hash_password(password: str) -> str:
    """A salted hash. Raises ``ValueError`` for more than 72 bytes."""
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt()).decode()


def matches(password: str, hashed: str) -> bool:
    """Whether ``password`` is the one that was hashed."""
    content = password.encode()
    return len(content) <= LONGEST_BYTES and bcrypt.checkpw(content, hashed.encode())


@cache
def of_nobody() -> str:
    """Compared with where there is no user, so that the answer takes as long as any other."""
    return hash_password("nobody has this password")
