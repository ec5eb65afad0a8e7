"""The trainer's command line, as training jobs call it.

With nothing but the job's directory it trains on FashionMNIST's files of this machine::

    python -m components.train.trainer.task --job-dir out

Globs name record files or other IDX files, here or in a bucket. The ``dataset.json`` in their
folder describes them::

    python -m components.train.trainer.task --job-dir gs://bucket/job \
        --train-files records/train-* --eval-files records/validation-*
"""

import argparse
import logging
import os
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from components.dataset.errors import StepError

from . import data_files
from .arguments import hyperparameters, parse, parser
from .hyperparameters import HyperparameterError
from .job import run
from .outputs import OutputError, Outputs
from .tf_config import is_evaluator

# As a program, this module's own name is outside of the package.
logger = logging.getLogger(__package__)

INTERRUPTED: Final = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit code: 1 after an error that it foresaw."""
    arguments = parse(argv)
    logging.basicConfig(level=logging.WARNING, stream=sys.stdout, format="%(message)s")
    # Not the root: libraries say a lot at DEBUG.
    logging.getLogger(__package__).setLevel(arguments.verbosity)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="train-") as scratch:
        try:
            if is_evaluator(os.environ):
                logger.info("the evaluator has nothing to do: the chief validates each epoch")
                return 0
            _train(arguments, Path(scratch))
        except (HyperparameterError, OutputError) as error:
            parser().error(str(error))
        except StepError as error:
            logger.error("%s", error)
            return 1
        except KeyboardInterrupt:
            logger.error("interrupted; start it again with the same arguments to resume")
            return INTERRUPTED
    return 0


def _train(arguments: argparse.Namespace, scratch: Path) -> None:
    chosen, seed = hyperparameters(arguments), arguments.seed
    outputs = Outputs.of_job(arguments.job_dir, os.environ, scratch)
    if arguments.train_files:
        given = (arguments.train_files, arguments.eval_files)
        train, validation = (data_files.matching(globs, scratch) for globs in given)
    else:
        train, validation = data_files.official(seed, scratch)
    outcome = run(train, validation, chosen, outputs, seed=seed, eval_steps=arguments.eval_steps)
    if outcome.chief:
        job = outputs.model.parent
        job.write_json("history.json", outcome.history)
        job.write_json("metrics.json", outcome.metrics)
        logger.info("the model is in %s", outputs.model)


if __name__ == "__main__":
    sys.exit(main())
