"""All measures in the order in which they can be taken."""

from collections.abc import Callable

from fusillade.engine.sandbox.kernel import Unsupported
from fusillade.engine.sandbox.landlock import read_only
from fusillade.engine.sandbox.limits import die_with_parent, set_limits
from fusillade.engine.sandbox.privileges import (
    become_nobody,
    drop_capabilities,
    no_new_privileges,
    not_to_be_looked_into,
)
from fusillade.engine.sandbox.reading import needed, readable, samples
from fusillade.engine.sandbox.seccomp import filter_calls

Measures = dict[str, str]
"""A measure's name, and in words what it does."""


def confine(memory_bytes: int, parent_pid: int) -> tuple[Measures, Measures]:
    """Give up what no script needs, as far as this system allows it.

    Call it while the process has one thread. Returns the measures that are in force, and those
    that this system does not allow, with the reason.
    """
    in_force: Measures = {}
    left_out: Measures = {}

    def take(name: str, measure: Callable[[], str]) -> None:
        try:
            in_force[name] = measure()
        except Unsupported as reason:
            left_out[name] = str(reason)

    python = samples()
    take("limits", lambda: set_limits(memory_bytes))
    take("no new privileges", no_new_privileges)
    take("landlock", lambda: read_only(needed()))
    take("user", lambda: become_nobody(lambda: readable(python)))
    take("capabilities", lambda: drop_capabilities(lambda: readable(python)))
    take("not dumpable", not_to_be_looked_into)
    die_with_parent(parent_pid)
    # The last: it refuses most of the calls above.
    take("seccomp", filter_calls)
    return in_force, left_out
