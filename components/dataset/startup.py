"""What a step finds in its environment here, and how it starts TensorFlow without its noise."""

import contextlib
import logging
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from typing import Final

PINS: Final = "FASHION_MNIST_PINS"
"""The variable with a digest of the packages that the step was to install, in a run here."""
PREDICTIONS: Final = "FASHION_MNIST_PREDICTIONS"
"""The variable with a folder of predictions, so that none is computed twice; optional."""
LOGGERS: Final = ("absl", "tensorflow")
NO_PROXY: Final = ("NO_PROXY", "no_proxy", "no_grpc_proxy")
"""Libraries differ in which spelling they read, and in which one wins."""


def direct_loopback(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables with which no client asks this machine through the environment's proxy."""
    given = [environment.get(name, "") for name in NO_PROXY]
    hosts = dict.fromkeys(filter(None, ",".join([*given, "127.0.0.1,localhost"]).split(",")))
    return dict.fromkeys(NO_PROXY, ",".join(hosts))


@contextlib.contextmanager
def quiet_start() -> Iterator[None]:
    """Keeps TensorFlow's start-up messages out of the log, but not its errors.

    Its libraries write to standard error while they load, before any setting has an effect; if
    loading fails, all of it is written after all.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    sys.stderr.flush()
    original = os.dup(2)
    with tempfile.TemporaryFile() as noise:
        os.dup2(noise.fileno(), 2)
        try:
            yield
            for name in LOGGERS:
                logging.getLogger(name).setLevel(logging.ERROR)
        except BaseException:
            noise.seek(0)
            os.write(original, noise.read())
            raise
        finally:
            os.dup2(original, 2)
            os.close(original)
