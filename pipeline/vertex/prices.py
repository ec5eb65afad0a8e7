"""What machines that serve a model cost."""

from typing import Final

PRICES: Final = {"n1-standard": 0.05475, "e2-standard": 0.0385282}
"""US$ an hour for each core with its memory: list prices of us-central1."""
AS_OF: Final = "list price of us-central1, September 2026"
PAGE: Final = "https://cloud.google.com/vertex-ai/pricing"
MONTH: Final = 730
"""Hours of a month."""


def an_hour(machine_type: str) -> float | None:
    """US$ that a machine which serves a model costs an hour; None if that is not known here."""
    series, _, cores = machine_type.rpartition("-")
    if series not in PRICES or not cores.isdecimal():
        return None
    return PRICES[series] * int(cores)


def sentence(machine_type: str, least: int, most: int) -> str:
    """What a number of machines costs, in words."""
    count = f"{least if least == most else f'{least} to {most}'} {machine_type}"
    if (price := an_hour(machine_type)) is None:
        return f"{count}: the price is not known here; {PAGE} has it"
    costs = [f"{price * number:.2f}" for number in sorted({least, most})]
    month = [f"{price * number * MONTH:.0f}" for number in sorted({least, most})]
    return (
        f"{count}: about {' to '.join(costs)} US$ an hour, {' to '.join(month)} a month, used or "
        f"not ({AS_OF})"
    )
