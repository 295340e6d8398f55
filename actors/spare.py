"""Imported by each Python process of the platform's own Ray before it takes any work.

One that has been started ahead, as ``actors.spares`` asks for it, belongs to no job yet: it uses
the time to import what the actors of a test need. Ray names this module to its processes by a
variable that ``actors.platform`` sets.
"""

import os

_NO_JOB = "f" * 8
"""Ray's id of it."""

if os.environ.get("RAY_JOB_ID") == _NO_JOB:
    import actors.test_run  # noqa: F401  (which imports the other two)
