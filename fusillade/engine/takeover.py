"""What a host is told that takes over a share of the load in the middle of a run."""

import msgspec

ID_LEAP = 1 << 31
"""How many ``sequentialId``s of a worker belong to each generation of its share. With the most
workers that a test may have (100,000) there is room for 41 generations below 2**53."""


class Takeover(msgspec.Struct, frozen=True, omit_defaults=True):
    """Generation 0, the default, takes over from nobody: it begins with the run.

    A later one begins in the middle: with the workers that are due now, and with the iterations
    that are due from now on, not with those that were missed. It has the same ``__WORKER_ID``s,
    ``__ITER`` counts from 0 again, and ``sequentialId`` leaps.
    """

    generation: int = 0
    iterations: dict[str, int] = {}
    """By scenario: those that are known to have ended in the generations before, all together. Of
    a limited number they are not done again; what was under way when a generation was lost is."""


FROM_THE_START = Takeover()
"""There was nobody before."""
