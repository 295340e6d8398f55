"""Where the regions are that people are likely to have machines in."""

from pydantic import BaseModel


class Place(BaseModel):
    """Where the machines of a region stand, for people."""

    name: str
    continent: str


_CODES = {
    "Africa": {"af-south-1": "Cape Town"},
    "Asia": {
        "ap-sin1": "Singapore",
        "ap-south-1": "Mumbai",
        "ap-southeast-1": "Singapore",
        "ap-northeast-1": "Tokyo",
        "ap-northeast-2": "Seoul",
    },
    "Europe": {
        "eu-hel1": "Helsinki",
        "eu-fsn1": "Falkenstein",
        "eu-nbg1": "Nuremberg",
        "eu-north-1": "Stockholm",
        "eu-central-1": "Frankfurt",
        "eu-west-1": "Dublin",
        "eu-west-2": "London",
        "eu-west-3": "Paris",
    },
    "North America": {
        "us-ash1": "Ashburn",
        "us-hil1": "Hillsboro",
        "us-east-1": "Virginia",
        "us-east-2": "Ohio",
        "us-west-1": "California",
        "us-west-2": "Oregon",
        "ca-central-1": "Montreal",
    },
    "Oceania": {"ap-southeast-2": "Sydney"},
    "South America": {"sa-east-1": "São Paulo"},
}

PLACES = {
    code: Place(name=name, continent=continent)
    for continent, names in _CODES.items()
    for code, name in names.items()
}
"""By code, as Hetzner and AWS have them. Which of them a platform has is in its settings."""
