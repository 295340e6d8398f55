"""What an API key may do: ``full > test:create > test:read > read``, each including the next.

``read`` grants "read-only access to everything", so it opens what reads tests as well, although
``test:read`` stands before it.
"""

from collections.abc import Iterable

SCOPES = ("full", "test:create", "test:read", "read")

_READING = frozenset(("test:read", "read"))
_GRANTS = {
    "full": frozenset(SCOPES),
    "test:create": _READING | {"test:create"},
    "test:read": _READING,
    "read": _READING,
}


def allows(held: Iterable[str], needed: str) -> bool:
    """Whether one of the scopes ``held`` grants ``needed``."""
    return any(needed in _GRANTS.get(scope, ()) for scope in held)
