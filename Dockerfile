# The dependencies of the Python steps, and nothing else: their code travels in the compiled spec.
#   docker build --target steps --tag IMAGE .           every step
#   docker build --target accelerators --tag IMAGE .    and what drives NVIDIA's accelerators
FROM python:3.11-slim AS steps
COPY requirements-image.lock /tmp/
# The lock is a closure, every file of it by its hash; there is nothing left to resolve.
RUN python -m pip install --no-cache-dir --no-deps --require-hashes --requirement /tmp/requirements-image.lock

FROM steps AS accelerators
COPY requirements-cuda.lock /tmp/
RUN python -m pip install --no-cache-dir --no-deps --require-hashes --requirement /tmp/requirements-cuda.lock
ENV LD_LIBRARY_PATH=/usr/local/nvidia/lib64:/usr/local/nvidia/lib
