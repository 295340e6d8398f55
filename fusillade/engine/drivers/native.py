"""The plain driver's common case in C, where it was built (``_native.c``; see pyproject.toml)."""

from typing import Any

native: Any
try:
    from fusillade.engine.drivers import _native  # type: ignore[attr-defined]

    native = _native
except ImportError:
    native = None
