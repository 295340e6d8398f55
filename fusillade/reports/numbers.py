"""Numbers as people read them."""

_DATA_UNITS = ("B", "kB", "MB", "GB", "TB")


def count(value: float) -> str:
    """``1,234``; ``0.25`` and ``1,234.5`` where it is not whole."""
    if float(value).is_integer():
        return f"{value:,.0f}"
    return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.1f}"


def milliseconds(value: float) -> str:
    """Three digits or so, with the unit that they need: ``25 µs``, ``12.3 ms``, ``1.53 s``."""
    if value >= 60_000:
        return f"{value / 1000:,.0f} s"
    if value >= 1000:
        return f"{value / 1000:.2f} s"
    if value >= 100:
        return f"{value:.0f} ms"
    if value >= 10:
        return f"{value:.1f} ms"
    if value >= 0.1:
        return f"{value:.2f} ms"
    return f"{value * 1000:.0f} µs" if value else "0 ms"


def data(size: float) -> str:
    """Bytes, in powers of a thousand: ``1.2 MB``."""
    unit = 0
    while size >= 999.95 and unit < len(_DATA_UNITS) - 1:
        size /= 1000
        unit += 1
    return f"{size:,.1f} {_DATA_UNITS[unit]}" if unit else f"{size:,.0f} B"


def share(part: float) -> str:
    """A number between 0 and 1 as a percentage; one that is not whole is never shown as whole."""
    if 0 < part < 0.0001:
        return "<0.01%"
    if 0.9999 < part < 1:
        return ">99.99%"
    return f"{part:.2%}"
