# The packages of the Python steps, and nothing else: the steps' code travels in the compiled spec.
#   docker build --target steps --tag IMAGE .           for CPUs
#   docker build --target accelerators --tag IMAGE .    for NVIDIA's accelerators
# A lock is the whole closure, each file with its hash: there is nothing to resolve.
FROM python:3.11-slim AS accelerators
COPY requirements-cuda.lock /tmp/
RUN python -m pip install --no-cache-dir --no-deps --require-hashes --requirement /tmp/requirements-cuda.lock
ENV LD_LIBRARY_PATH=/usr/local/nvidia/lib64:/usr/local/nvidia/lib

FROM python:3.11-slim AS steps
COPY requirements-image.lock /tmp/
RUN python -m pip install --no-cache-dir --no-deps --require-hashes --requirement /tmp/requirements-image.lock
