"""The regions of a test: one by its code, or several with weights, as ``eu-hel1:60,us-east-1:40``.

Such a text is what users write and what is stored with a test, a template and a schedule.
"""

import re

MOST_REGIONS = 20
MOST_WEIGHT = 1000

_CODE = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")
_EXAMPLE = "name several regions as eu-hel1:60,us-east-1:40"


def is_code(text: str) -> bool:
    """Whether a node could have it as its label. Commas and colons are not part of a code."""
    return _CODE.fullmatch(text) is not None


def canonical(text: str) -> str:
    """The text as it is stored. Several regions without weights have equal ones; one region needs
    no weight. A code that is alone is not looked at: whether there is such a region is another
    question.

    Raises ``ValueError`` with what is wrong.
    """
    if not {",", ":"} & set(text):
        return text
    weights: dict[str, int | None] = {}
    for part in text.split(","):
        code, colon, weight = (piece.strip() for piece in part.partition(":"))
        if not is_code(code):
            raise ValueError(f"'{part.strip()}' has no region's code in it: {_EXAMPLE}")
        if code in weights:
            raise ValueError(f"names {code} more than once")
        weights[code] = _weight(code, weight) if colon else None
    if len(weights) > MOST_REGIONS:
        raise ValueError(f"may name {MOST_REGIONS} regions at most")
    without = [code for code, weight in weights.items() if weight is None]
    if 0 < len(without) < len(weights):
        raise ValueError(f"{without[0]} has no weight although others have: {_EXAMPLE}")
    if len(weights) == 1:
        return next(iter(weights))
    return ",".join(f"{code}:{weight or 1}" for code, weight in weights.items())


def weights_of(region: str) -> dict[str, int]:
    """The weights of a test's regions by their codes, in the order in which it names them."""
    found = {}
    for part in region.split(","):
        code, _, weight = part.partition(":")
        found[code] = int(weight or 1)
    return found


def codes_of(region: str) -> list[str]:
    """The codes of a test's regions, in the order in which it names them."""
    return list(weights_of(region))


def workers_by_region(region: str, workers: int) -> dict[str, int]:
    """``workers`` virtual users in the ratio of the weights, by the largest remainder; each region
    has one at least.

    Raises ``ValueError`` if there are fewer virtual users than regions.
    """
    weights = weights_of(region)
    if workers < len(weights):
        raise ValueError(
            f"{len(weights)} regions need at least {len(weights)} workers; the test has {workers}"
        )
    left, parts = workers, {}
    while small := [code for code in weights if left * weights[code] < sum(weights.values())]:
        for code in small:
            del weights[code]
            parts[code] = 1
            left -= 1
    whole = sum(weights.values())
    parts |= {code: left * weight // whole for code, weight in weights.items()}
    by_remainder = sorted(weights, key=lambda code: -(left * weights[code] % whole))
    for code in by_remainder[: workers - sum(parts.values())]:
        parts[code] += 1
    return {code: parts[code] for code in codes_of(region)}


def _weight(code: str, text: str) -> int:
    if text.isascii() and text.isdigit() and 1 <= int(text[:5]) <= MOST_WEIGHT:
        return int(text)
    raise ValueError(
        f"'{code}:{text}' has no weight: it must be a whole number from 1 to {MOST_WEIGHT:,}"
    )
