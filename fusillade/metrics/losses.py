"""Times in which a share of the load did not run, because the host that ran it was gone."""

import msgspec

_SHOWN_OF_NODE = 12


class Loss(msgspec.Struct, kw_only=True):
    """One of them. Seconds count from the run's shared start."""

    share: int
    """Index of the share."""
    generation: int
    """The one that takes over; the one that was lost is an earlier one."""
    node: str | None
    """Ray's id of the machine that the lost host ran on, if it is known."""
    from_seconds: float
    """The end of what is known of the lost host."""
    to_seconds: float | None = None
    """When the share was running again; None if it was not."""

    def in_words(self, shares: int) -> str:
        """A sentence for people who look at the run; ``shares``: how many there are."""
        which = "The WorkerActor" if shares == 1 else f"WorkerActor {self.share + 1} of {shares}"
        where = "" if self.node is None else f" on node {self.node[:_SHOWN_OF_NODE]}"
        lost = f"{which}{where} was lost: its share of the load"
        if self.to_seconds is None:
            return f"{lost} has not been running since second {self.from_seconds:.1f}."
        gone = self.to_seconds - self.from_seconds
        return (
            f"{lost} did not run from second {self.from_seconds:.1f} to {self.to_seconds:.1f} "
            f"({gone:.1f} s)."
        )
