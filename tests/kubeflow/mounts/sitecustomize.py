"""Puts the folders at which KFP expects a step's artifacts below another root.

A pod mounts ``/minio``, ``/s3`` and ``/gcs``. A test need not be root, so the process of a step
finds this on its ``PYTHONPATH`` and KFP's constants lead into the step's own folder.
"""

import importlib.abc
import importlib.util
import os
import sys

MODULE = "kfp.dsl.types.artifact_types"
MOUNTS = ("_GCS_LOCAL_MOUNT_PREFIX", "_MINIO_LOCAL_MOUNT_PREFIX", "_S3_LOCAL_MOUNT_PREFIX")


class Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):  # type: ignore[no-untyped-def]
        if name != MODULE:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        execute = spec.loader.exec_module  # type: ignore[union-attr]

        def moved(module):  # type: ignore[no-untyped-def]
            execute(module)
            for mount in MOUNTS:
                setattr(module, mount, os.environ["POD_ROOT"] + getattr(module, mount))

        spec.loader.exec_module = moved  # type: ignore[union-attr, method-assign]
        return spec


sys.meta_path.insert(0, Finder())
