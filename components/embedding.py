"""What of the code travels inside which step.

A step's code is embedded in the compiled spec as an archive whose root becomes ``sys.path[0]``
before the step's body runs. The archive holds ``components/__init__.py``, the ``dataset`` modules
that the step names, and the step's own modules; so ``from components.decode import shards`` works
the same in a checkout, a notebook and a container.
"""

import shutil
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from kfp import dsl
from kfp.dsl.python_component import PythonComponent

from components.dataset.provenance import INTERFACES

COMPONENTS: Final = Path(__file__).resolve().parent
BASE_IMAGE: Final = "python:3.11-slim"
"""The image of every Python step; its packages come from ``components/requirements/``."""


def step(
    *, folder: str, dataset: Sequence[str], modules: Sequence[str] = (), pins: str = ""
) -> Callable[[Callable[..., Any]], PythonComponent]:
    """Makes a function a component that carries its code and its pinned packages.

    Args:
        folder: The step's package under ``components/``.
        dataset: The modules of ``components.dataset`` that the step uses, without ``.py``.
        modules: The modules of ``folder`` that the step uses; empty: all but its interfaces.
        pins: The file of ``components/requirements/`` to install; empty: that of ``folder``.
    """

    def decorate(function: Callable[..., Any]) -> PythonComponent:
        with tempfile.TemporaryDirectory(prefix="step-") as staging:
            stage(Path(staging), folder=folder, dataset=dataset, modules=modules)
            return dsl.component(
                function,
                base_image=BASE_IMAGE,
                packages_to_install=read_pins(pins or folder),
                embedded_artifact_path=staging,
            )

    return decorate


def stage(
    root: Path,
    *,
    folder: str,
    dataset: Sequence[str],
    modules: Sequence[str] = (),
    unused: Iterable[str] = INTERFACES,
) -> None:
    """Copies the files that ``step`` embeds to ``root``.

    Args:
        root: Becomes ``sys.path[0]``.
        folder: See ``step``.
        dataset: See ``step``.
        modules: See ``step``.
        unused: Files of ``folder`` to leave out where no modules are named.

    Raises:
        FileNotFoundError: A named module does not exist.
    """
    own = COMPONENTS / folder
    if modules:
        chosen = [own / "__init__.py", *(own / f"{name}.py" for name in modules)]
    else:
        left_out = {own / name for name in unused}
        chosen = [path for path in own.rglob("*.py") if path not in left_out]
    shared = [COMPONENTS / "dataset" / f"{name}.py" for name in ("__init__", *dataset)]
    for source in [COMPONENTS / "__init__.py", *shared, *chosen]:
        target = root / "components" / source.relative_to(COMPONENTS)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)


def read_pins(name: str) -> list[str]:
    """The ``name==version`` lines of ``components/requirements/<name>.txt``."""
    return (COMPONENTS / "requirements" / f"{name}.txt").read_text().split()
