"""Durations as scripts write them: ``'30s'``, ``'1.5m'``, ``'500ms'``, ``'2h'``, ``'1m30s'``."""

import re

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")
_WHOLE = re.compile(rf"(?:{_PART.pattern})+")


def parse_duration(value: object) -> float:
    """Seconds; a bare number is milliseconds. Raises ``ValueError`` saying what would be right."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("must be a duration such as '30s', '1.5m' or '500ms'")
    if isinstance(value, str):
        text = value.strip()
        if re.fullmatch(r"\d+(?:\.\d+)?", text):
            return float(text) / 1000
        if _WHOLE.fullmatch(text) is None:
            raise ValueError(f"'{value}' is not a duration; write it as '30s', '1.5m' or '500ms'")
        return sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text))
    if not 0 <= value < float("inf"):
        raise ValueError("must not be negative")
    return value / 1000


def show_duration(seconds: float) -> str:
    """``1m30s``, ``2h``, ``500ms``: the reverse of :func:`parse_duration`, to the millisecond."""
    milliseconds = round(seconds * 1000)
    if milliseconds < 1000:
        return f"{milliseconds}ms" if milliseconds else "0s"
    minutes, milliseconds = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    parts = [f"{hours}h"] * (hours > 0) + [f"{minutes}m"] * (minutes > 0)
    if milliseconds:
        parts.append(f"{milliseconds / 1000:g}s")
    return "".join(parts)
