"""How users name the regions of a test, and what each region gets."""

import re
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusillade.cli.platform import load_settings
from fusillade.errors import ValidationFailed
from fusillade.regions import canonical, workers_by_region
from fusillade.settings import Settings


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("eu-hel1", "eu-hel1"),
        ("eu-hel1:60,us-east-1:40", "eu-hel1:60,us-east-1:40"),
        (" eu-hel1 : 60 , us-east-1 : 040 ", "eu-hel1:60,us-east-1:40"),
        ("eu-hel1,us-east-1,ap-sin1", "eu-hel1:1,us-east-1:1,ap-sin1:1"),
        ("eu-hel1:7", "eu-hel1"),
    ],
)
def test_regions_are_stored_in_one_form(given: str, stored: str) -> None:
    assert canonical(given) == stored
    assert canonical(stored) == stored


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("eu-hel1:60,", "'' has no region's code in it: name several regions as eu-hel1:60,us-"),
        ("eu-hel1:60,:40", "':40' has no region's code in it"),
        ("eu-hel1:60,us east:40", "'us east:40' has no region's code in it"),
        ("eu-hel1:60,us-east-1", "us-east-1 has no weight although others have"),
        ("eu-hel1:60,eu-hel1:40", "names eu-hel1 more than once"),
        ("eu-hel1:0,us-east-1:1", "'eu-hel1:0' has no weight: it must be a whole number from 1"),
        ("eu-hel1:1.5,us-east-1:1", "'eu-hel1:1.5' has no weight"),
        ("eu-hel1:1001,us-east-1:1", "must be a whole number from 1 to 1,000"),
        ("eu-hel1:-1,us-east-1:1", "'eu-hel1:-1' has no weight"),
        ("eu-hel1:99999999999,us-east-1:1", "'eu-hel1:99999999999' has no weight"),
        (",".join(f"r{number}" for number in range(21)), "may name 20 regions at most"),
    ],
)
def test_what_is_wrong_with_regions_is_said(given: str, words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        canonical(given)


@given(st.lists(st.integers(1, 1000), min_size=2, max_size=20), st.integers(20, 5000))
def test_regions_get_workers_in_the_ratio_of_their_weights_and_one_at_least(
    weights: list[int], workers: int
) -> None:
    region = ",".join(f"r{number}:{weight}" for number, weight in enumerate(weights))
    parts = workers_by_region(region, workers)
    assert list(parts) == [f"r{number}" for number in range(len(weights))]
    assert sum(parts.values()) == workers
    proportions = [Fraction(workers * weight, sum(weights)) for weight in weights]
    for part, proportion in zip(parts.values(), proportions, strict=True):
        assert part >= 1
        # Only what the smallest need in order to have one is taken from the others.
        assert proportion - len(weights) < part < max(proportion, 1) + 1


def test_round_ratios_are_exact() -> None:
    assert workers_by_region("a:60,b:40", 10) == {"a": 6, "b": 4}
    assert workers_by_region("a:90,b:10", 100) == {"a": 90, "b": 10}
    assert workers_by_region("a:999,b:1", 10) == {"a": 9, "b": 1}
    assert workers_by_region("a", 10) == {"a": 10}


def test_more_regions_than_workers_are_refused() -> None:
    with pytest.raises(ValueError, match="2 regions need at least 2 workers; the test has 1"):
        workers_by_region("a:60,b:40", 1)


@pytest.mark.parametrize(
    "value", ["eu-hel1,cellar-1", '["eu-hel1", "cellar-1"]', " eu-hel1, cellar-1,"]
)
def test_the_platforms_regions_are_easy_to_set(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("FUSILLADE_REGIONS", value)
    assert Settings().regions == ["eu-hel1", "cellar-1"]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"REGIONS": "eu-hel1,eu:1"}, "'eu:1' cannot be the code of a region"),
        ({"REGIONS": '["eu-hel1", 1]'}, "The setting regions.1 is wrong"),
        ({"REGIONS": "["}, "name codes with commas between, or a JSON list of them"),
        ({"REGIONS": "us-east-1"}, "it must have the default region eu-hel1 in it"),
        ({"DEFAULT_REGION": "cellar"}, "it must have the default region cellar in it"),
    ],
)
def test_settings_of_regions_that_cannot_be_are_refused(
    monkeypatch: pytest.MonkeyPatch, values: dict[str, str], words: str
) -> None:
    for name, value in values.items():
        monkeypatch.setenv(f"FUSILLADE_{name}", value)
    with pytest.raises(ValidationFailed, match=re.escape(words)):
        load_settings()


def test_places_are_known_or_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(
        "FUSILLADE_REGION_PLACES", '{"cellar-1": {"name": "Cellar", "continent": "Europe"}}'
    )
    settings = Settings()
    names = [place and place.name for place in map(settings.place, ("cellar-1", "eu-hel1", "x"))]
    assert names == ["Cellar", "Helsinki", None]
