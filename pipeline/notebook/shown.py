"""What a cell shows below itself."""

import dataclasses


@dataclasses.dataclass(frozen=True, repr=False)
class Shown:
    """A piece of HTML that a notebook draws.

    Attributes:
        html: The HTML.
    """

    html: str

    def _repr_html_(self) -> str:
        return self.html
