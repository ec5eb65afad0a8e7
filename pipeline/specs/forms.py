"""What options must look like: regular expressions, and the same in words."""

import re
from collections.abc import Mapping
from typing import Any

from pipeline.errors import UsageError

Forms = Mapping[str, tuple[str, str]]
"""The form of an option's value by the name of its parameter, and the same in words."""


def check(options: Mapping[str, Any], forms: Forms) -> None:
    """Checks the values of options that are texts or lists of texts; None: not given.

    Raises:
        UsageError: A value has another form.
    """
    for name, (form, words) in forms.items():
        given = options[name]
        for value in [given] if isinstance(given, str) else given or ():
            # An empty value is that of a variable that is not set.
            if not re.fullmatch(form, value):
                option = name.replace("_", "-")
                raise UsageError(f"--{option} {value or repr(value)}: give {words}")
