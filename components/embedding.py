"""What of the code travels inside which step.

A step's code is embedded in the compiled spec as an archive whose root becomes ``sys.path[0]``
before the step's body runs. The archive holds the modules that the body imports and those that they
import, so ``from components.decode import conversion`` works the same in a checkout and in a
container.
"""

import ast
import inspect
import tempfile
import textwrap
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from kfp import dsl
from kfp.dsl.python_component import PythonComponent

from components.dataset.code import imported, travelling
from components.dataset.errors import StepError

COMPONENTS: Final = Path(__file__).resolve().parent
BASE_IMAGE: Final = "python:3.11-slim"
"""The image of every Python step; its packages come from ``components/requirements/``."""


def step(
    *,
    pins: str = "",
    defaults: Mapping[str, Any] | None = None,
    carried: Iterable[str] = (),
) -> Callable[[Callable[..., Any]], PythonComponent]:
    """Makes a function a component that carries its code and its pinned packages.

    Args:
        pins: The file of ``components/requirements/`` to install; empty: the function's name.
        defaults: Defaults of the interface that the function's source cannot hold: KFP copies the
            source into the container, where the names of this module do not exist.
        carried: Modules that travel along besides those that the function imports.
    """

    def decorate(function: Callable[..., Any]) -> PythonComponent:
        # KFP reads the interface from the signature.
        function.__defaults__ = tuple(
            (defaults or {}).get(name, parameter.default)
            for name, parameter in inspect.signature(function).parameters.items()
            if parameter.default is not parameter.empty
        )
        with tempfile.TemporaryDirectory(prefix="step-") as staging:
            for name, content in travelling([*modules_of(function), *carried]).items():
                path = Path(staging) / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            return dsl.component(
                function,
                base_image=BASE_IMAGE,
                packages_to_install=read_pins(pins or function.__name__),
                embedded_artifact_path=staging,
            )

    return decorate


def modules_of(function: Callable[..., Any]) -> list[str]:
    """The modules of ``components`` that a function's body imports."""
    return imported(ast.parse(textwrap.dedent(inspect.getsource(function))))


def read_pins(name: str) -> list[str]:
    """The ``name==version`` lines of ``components/requirements/<name>.txt``.

    Raises:
        StepError: There is no such file.
    """
    path = COMPONENTS / "requirements" / f"{name}.txt"
    if not path.is_file():
        raise StepError(f"{path} does not exist; `make lock` writes it from pipeline/steps.py")
    return path.read_text().split()
