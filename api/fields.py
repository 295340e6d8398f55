"""Types of fields that several resources have."""

from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints


def _without_controls(text: str) -> str:
    if any(ord(character) < 32 or ord(character) == 127 for character in text):
        raise ValueError("must not contain control characters")
    return text


Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200),
    AfterValidator(_without_controls),
]
"""What people call something: one line of 1 to 200 characters."""

Moment = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
"""A time in an answer, as :func:`fusillade.metrics.live.timestamp` writes it."""
