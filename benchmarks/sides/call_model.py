"""The model without a server: ``python -m benchmarks.sides.call_model FOLDER SECONDS``.

It writes how many instances a second it answers, by the name of a request's file.
"""

import base64
import json
import sys
import time
from pathlib import Path

import numpy as np
import tensorflow as tf


def main(folder: str, seconds: str) -> None:
    """Calls it with each request of the folder."""
    model = tf.saved_model.load(f"{folder}/model")
    rates = {path.stem: rate(model, path, float(seconds)) for path in Path(folder).glob("*.json")}
    print(json.dumps(rates))


def rate(model: tf.Module, path: Path, seconds: float) -> float:
    """Instances a second, one batch after another."""
    instances = json.loads(path.read_text())["instances"]
    ((key, _),) = instances[0].items()
    if key == "image":
        batch = np.array([each[key] for each in instances], np.uint8)
    else:
        batch = np.array([base64.b64decode(each[key]["b64"]) for each in instances], object)
    signature = model.signatures["serving_default" if key == "image" else "serving_bytes"]

    def call() -> None:
        for output in signature(**{key: tf.constant(batch)}).values():
            output.numpy()

    call()
    start, calls = time.perf_counter(), 0
    while (taken := time.perf_counter() - start) < seconds:
        call()
        calls += 1
    return calls * len(instances) / taken


if __name__ == "__main__":
    main(*sys.argv[1:])
