"""Types of fields that several resources have."""

from typing import Annotated

from fastapi import Query
from pydantic import AfterValidator, Field, StringConstraints

from fusillade.regions import canonical


def _without_controls(text: str) -> str:
    if any(ord(character) < 32 or ord(character) == 127 for character in text):
        raise ValueError("must not contain control characters")
    return _storable(text)


Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200),
    AfterValidator(_without_controls),
]
"""What people call something: one line of 1 to 200 characters."""


def _storable(text: str) -> str:
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("must not contain NUL or half a character")
    return text


def _script(text: str) -> str:
    if not text.strip():
        raise ValueError("is empty")
    return _storable(text)


Text = Annotated[str, StringConstraints(max_length=2000), AfterValidator(_storable)]
"""A few lines."""

Script = Annotated[
    str,
    AfterValidator(_script),
    Field(description="JavaScript or TypeScript, checked as an upload is"),
]
"""The text of a test script."""

REGION_DESCRIPTION = "Region code, or several with weights: `eu-hel1:60,us-east-1:40`"

Workers = Annotated[int, Field(ge=1, description="Number of virtual users")]
Seconds = Annotated[int, Field(ge=1, description="Duration in seconds")]
Region = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=1000),
    AfterValidator(_without_controls),
    AfterValidator(canonical),
    Field(
        description=REGION_DESCRIPTION,
        json_schema_extra={"examples": ["eu-hel1", "eu-hel1:60,us-east-1:40"]},
    ),
]
"""Of a test that is to be."""

PageSize = Annotated[int, Query(ge=1, le=100)]

Moment = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
"""A time in an answer, as :func:`fusillade.metrics.live.timestamp` writes it."""
