"""The model in the form of MLflow's pyfunc: signature, packages, and what answers.

This module travels inside the model, so it imports nothing of the project at its top.
"""

from pathlib import Path
from typing import Any

VERSION_FOLDER = "1"
SIGNATURE = "serving_default"


class Classifier:
    """Answers with the SavedModel in a folder of TensorFlow Serving's layout."""

    def __init__(self, path: str) -> None:
        import tensorflow as tf

        loaded = tf.saved_model.load(str(Path(path, VERSION_FOLDER)))
        self.answer = loaded.signatures[SIGNATURE]

    def predict(self, model_input: Any, params: Any = None) -> dict[str, Any]:
        """Images, uint8 [n, height, width] or [n, height, width, channels], to answers.

        Returns:
            probabilities float32 [n, classes], class_id int64 [n], label: text [n].
        """
        import numpy as np
        import tensorflow as tf

        del params
        images = np.asarray(model_input, np.uint8)
        found = {name: value.numpy() for name, value in self.answer(tf.constant(images)).items()}
        return {**found, "label": np.array([each.decode() for each in found["label"]], object)}


def _load_pyfunc(path: str) -> Classifier:
    """What MLflow calls, by this name."""
    return Classifier(path)


def log_model(served: Path, description: Any, found: Any) -> Any:
    """Logs the model in the active run of MLflow; what MLflow says about it.

    Args:
        served: The folder with the SavedModel as ``1/``.
        description: What the pictures are.
        found: The provenance, with the versions of packages.
    """
    import mlflow.pyfunc
    import numpy as np
    from mlflow.models.signature import ModelSignature
    from mlflow.types import Schema, TensorSpec

    outputs = [
        TensorSpec(np.dtype("float32"), (-1, len(description.classes)), "probabilities"),
        TensorSpec(np.dtype("int64"), (-1,), "class_id"),
        TensorSpec(np.dtype("object"), (-1,), "label"),
    ]
    inputs = [TensorSpec(np.dtype("uint8"), (-1, *description.shape))]
    versions = found["versions"]
    return mlflow.pyfunc.log_model(
        name="model",
        loader_module=Path(__file__).stem,
        data_path=str(served),
        code_paths=[__file__],
        signature=ModelSignature(Schema(inputs), Schema(outputs)),
        pip_requirements=[
            f"mlflow=={mlflow.__version__}",
            f"tensorflow=={versions['tensorflow']}",
            f"numpy=={versions['numpy']}",
        ],
    )
