"""Line charts of a run's seconds as HTML with inline SVG: no script, nothing from elsewhere.

The plot is stretched to its box, so its labels are HTML beside it: text keeps its size on a phone.
"""

import math
from collections.abc import Callable, Sequence
from html import escape

import msgspec

from fusillade.durations import show_duration

_WIDTH, _HEIGHT = 1000, 200
_MOST_POINTS = 240
_TIME_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800)


class Line(msgspec.Struct, frozen=True):
    """One line of a chart."""

    label: str
    values: Sequence[float]
    """One a second."""
    color: int
    """Number of a color of the page's style: 1 to 4."""
    highest: bool = False
    """Of several seconds in one point, show the highest value instead of the mean."""


def chart(title: str, lines: Sequence[Line], show: Callable[[float], str]) -> str:
    """A figure with the lines over time. ``show`` writes a value with its unit."""
    seconds = max((len(line.values) for line in lines), default=0)
    width = math.ceil(seconds / _MOST_POINTS) or 1
    drawn = [(line, _condensed(line, width)) for line in lines]
    highest = max((value for _, values in drawn for value in values), default=0.0)
    step, top = _scale(highest)
    ticks = [step * i for i in range(round(top / step) + 1)]
    grid = "".join(f'<path class="grid" d="M0 {_y(tick, top):.1f}H{_WIDTH}"/>' for tick in ticks)
    paths = "".join(_path(line.color, values, top) for line, values in drawn)
    keys = "".join(
        f'<span class="key"><i class="bar{line.color}"></i>{escape(line.label)}</span>'
        for line, _ in drawn
    )
    labels = "".join(
        f'<span style="bottom:{100 * tick / top:.2f}%">{escape(show(tick))}</span>'
        for tick in ticks
    )
    note = f'<p class="note">Each point is {width} s.</p>' if width > 1 else ""
    return (
        f'<figure><figcaption><b>{escape(title)}</b><span class="keys">{keys}</span></figcaption>'
        f'<div class="chart"><div class="y">{labels}</div>'
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" preserveAspectRatio="none" role="img" '
        f'aria-label="{escape(title)}">{grid}{paths}{_touch(drawn, width, show)}</svg>'
        f'<div class="x">{_times(seconds)}</div></div>{note}</figure>'
    )


def _condensed(line: Line, width: int) -> list[float]:
    """One value for each ``width`` seconds."""
    values = [float(value) for value in line.values]
    chunks = [values[i : i + width] for i in range(0, len(values), width)]
    return [max(chunk) if line.highest else sum(chunk) / len(chunk) for chunk in chunks]


def _scale(highest: float) -> tuple[float, float]:
    """A step of 1, 2 or 5 times a power of ten, and the multiple of it that covers ``highest``."""
    if highest <= 0:
        return 1.0, 1.0
    rough = highest / 4
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)
    return step, step * math.ceil(highest / step - 1e-9)


def _x(index: int, points: int) -> float:
    return _WIDTH * index / (points - 1) if points > 1 else 0.0


def _y(value: float, top: float) -> float:
    return _HEIGHT - _HEIGHT * value / top


def _path(color: int, values: Sequence[float], top: float) -> str:
    if not values:
        return ""
    places = [f"{_x(i, len(values)):.1f} {_y(value, top):.1f}" for i, value in enumerate(values)]
    if len(places) == 1:
        places.append(f"{_WIDTH} {_y(values[0], top):.1f}")
    line = "M" + "L".join(places)
    return (
        f'<path class="area fill{color}" d="{line}L{_WIDTH} {_HEIGHT}L0 {_HEIGHT}Z"/>'
        f'<path class="line stroke{color}" d="{line}"/>'
    )


def _touch(
    drawn: Sequence[tuple[Line, Sequence[float]]], width: int, show: Callable[[float], str]
) -> str:
    """Invisible columns, one a point, that say their values when they are pointed at."""
    points = max((len(values) for _, values in drawn), default=0)
    columns = []
    for i in range(points):
        words = [show_duration(i * width)]
        words += [f"{line.label} {show(values[i])}" for line, values in drawn if i < len(values)]
        half = _WIDTH / max(points - 1, 1) / 2
        left = max(0.0, _x(i, points) - half)
        right = min(float(_WIDTH), _x(i, points) + half) if points > 1 else float(_WIDTH)
        columns.append(
            f'<rect class="touch" x="{left:.1f}" y="0" width="{right - left:.1f}" '
            f'height="{_HEIGHT}"><title>{escape(", ".join(words))}</title></rect>'
        )
    return "".join(columns)


def _times(seconds: int) -> str:
    """Labels of the time axis, at most seven."""
    last = max(seconds - 1, 1)
    step = next((step for step in _TIME_STEPS if last / step <= 6), math.ceil(last / 6))
    return "".join(
        f'<span style="left:{100 * at / last:.2f}%">{show_duration(at)}</span>'
        for at in range(0, last + 1, step)
    )
