"""A pipeline that is not this project's, with parameters of the same names."""

from pathlib import Path
from typing import Any, Final

from kfp import dsl
from kfp.compiler import Compiler

from components.embedding import BASE_IMAGE

ARGUMENTS: Final[dict[str, Any]] = {
    "source": "a table",
    "seed": "plum",
    "min_accuracy": 90.0,
    "model_name": "forests/oak",
    "hyperparameters": {"depth": 3},
}


@dsl.component(base_image=BASE_IMAGE)
def train(source: str, seed: str) -> str:
    return source + seed


@dsl.pipeline(name="forest")
def forest(
    source: str = "a table",
    seed: str = "plum",
    min_accuracy: float = 90.0,
    model_name: str = "forests/oak",
    hyperparameters: dict[str, Any] = ARGUMENTS["hyperparameters"],
) -> None:
    train(source=source, seed=seed)


def write(folder: Path) -> Path:
    """Compiles it into a folder; its file."""
    path = folder / "forest.yaml"
    Compiler().compile(forest, str(path))
    return path
