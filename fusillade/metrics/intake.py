"""All that comes in of a test: deltas of its shares, over all generations of each, counted once."""

from collections import Counter
from collections.abc import Sequence

import msgspec

from fusillade.engine.takeover import Takeover
from fusillade.metrics.aggregate import Aggregate
from fusillade.metrics.losses import Loss
from fusillade.metrics.thresholds import Threshold

SUPERSEDED = -1
"""The answer to a host whose share another has taken over: nothing of it counts any more."""


class Came(msgspec.Struct, tag="came", array_like=True, frozen=True):
    """A delta was taken."""

    share: int
    generation: int
    payload: bytes


class Lost(msgspec.Struct, tag="lost", array_like=True, frozen=True):
    """A generation is gone."""

    share: int
    generation: int
    node: str | None


class Resumed(msgspec.Struct, tag="resumed", array_like=True, frozen=True):
    """A generation has begun."""

    share: int
    generation: int
    at_seconds: float


Event = Came | Lost | Resumed
_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[Event] = msgspec.msgpack.Decoder(Event)


def encode(event: Event) -> bytes:
    """An event as a journal keeps it."""
    return _encoder.encode(event)


class Intake:
    """Of a test; ``regions`` has that of each of its shares.

    A share is run by one host after the other, its generations 0, 1, ...; of these only the
    present one is listened to. What had come of the others before they were lost stays.
    """

    def __init__(self, regions: Sequence[str], thresholds: Sequence[Threshold] = ()) -> None:
        self.shares = len(regions)
        self.aggregate = Aggregate(thresholds, regions)
        self.losses: list[Loss] = []
        self._present = [0] * len(regions)

    def present(self, share: int) -> int:
        """The generation that runs the share, or will."""
        return self._present[share]

    def apply(self, entry: bytes) -> None:
        """What :func:`encode` made of an event, once more. Raises ``msgspec.MsgspecError``."""
        match _decoder.decode(entry):
            case Came(share, generation, payload):
                self.take(share, generation, payload)
            case Lost(share, generation, node):
                self.lose(share, generation, node)
            case Resumed(share, generation, at_seconds):
                self.resume(share, generation, at_seconds)

    def take(self, share: int, generation: int, payload: bytes) -> bool:
        """Merge a delta; whether it was new.

        A delta of a superseded generation changes nothing. One of a generation that is new makes it
        the present one. Raises ``msgspec.MsgspecError`` when it is no delta.
        """
        if generation < self._present[share]:
            return False
        before = self.aggregate.merged
        self.aggregate.merge(self._source(share, generation), payload)
        if self.aggregate.merged == before:
            return False
        if generation > self._present[share]:
            self._supersede(share, generation)
        return True

    def acknowledged(self, share: int, generation: int) -> int:
        """The number up to which all deltas of a generation have come, or SUPERSEDED."""
        if generation < self._present[share]:
            return SUPERSEDED
        return self.aggregate.acknowledged(self._source(share, generation))

    def lose(self, share: int, generation: int, node: str | None) -> Takeover:
        """This generation is gone; what its successor has to know.

        From now on nothing of it is taken. That may be said more than once.
        """
        if generation >= self._present[share]:
            known = [
                self.aggregate.ended_at(self._source(share, one)) for one in range(generation + 1)
            ]
            known += [loss.to_seconds or 0.0 for loss in self.losses if loss.share == share]
            self._supersede(share, generation + 1)
            loss = self._open_loss(share)
            if loss is not None:
                loss.generation = generation + 1  # it was lost before it had begun
            else:
                self.losses.append(
                    Loss(
                        share=share,
                        generation=generation + 1,
                        node=node,
                        from_seconds=round(max(known), 3),
                    )
                )
        return self.takeover(share)

    def resume(self, share: int, generation: int, at_seconds: float) -> None:
        """This generation has begun, so many seconds after the shared start of the run."""
        loss = self._open_loss(share)
        if loss is not None and loss.generation == generation:
            loss.to_seconds = round(max(at_seconds, loss.from_seconds), 3)

    def takeover(self, share: int) -> Takeover:
        """What the present generation of a share has to know of the ones before it."""
        done: Counter[str] = Counter()
        for generation in range(self._present[share]):
            done.update(self.aggregate.iterations(self._source(share, generation)))
        return Takeover(self._present[share], dict(done))

    def warnings(self) -> list[str]:
        """What was lost, in sentences."""
        return [loss.in_words(self.shares) for loss in self.losses]

    def _open_loss(self, share: int) -> Loss | None:
        return next(
            (loss for loss in self.losses if loss.share == share and loss.to_seconds is None), None
        )

    def _source(self, share: int, generation: int) -> int:
        return generation * self.shares + share

    def _supersede(self, share: int, generation: int) -> None:
        for earlier in range(self._present[share], generation):
            self.aggregate.retire(self._source(share, earlier))
        self._present[share] = generation
