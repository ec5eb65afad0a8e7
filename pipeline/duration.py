"""Durations as a person reads them."""


def duration(seconds: float) -> str:
    """Seconds in words: ``0.4 s``, ``12 s``, ``3 min 05 s``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s"


def age(seconds: float) -> str:
    """How old something is, in one unit: ``12 s``, ``5 min``, ``3 h``, ``12 days``."""
    for size, least, unit in ((86_400, 2, "days"), (3600, 1, "h"), (60, 1, "min")):
        if seconds >= size * least:
            return f"{seconds // size:.0f} {unit}"
    return f"{max(0, seconds):.0f} s"
