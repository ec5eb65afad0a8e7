#!/bin/sh
# Resolves pyproject.toml to requirements.lock, and from it the pins of each step and the locks
# of the images, which are parts of requirements.lock.
# usage: lock.sh UV
set -eu
uv=$1
universal="--python-version 3.11 --universal"
image="--python-version 3.11 --python-platform x86_64-manylinux_2_28 --constraint requirements.lock"

compile() {
    "$uv" pip compile --quiet --no-header "$@"
}

# shellcheck disable=SC2086 # the options are words
compile $universal --group dev --generate-hashes --output-file requirements.lock pyproject.toml
for step in ingest decode train train_cuda evaluate find_champion package_model; do
    compile $image --no-annotate --group "pyproject.toml:$step" \
        --output-file "components/requirements/$step.txt"
done
compile $image --no-annotate --generate-hashes --group ingest --group decode --group train \
    --group evaluate --group find_champion --group package_model \
    --output-file requirements-image.lock
compile $image --no-annotate --generate-hashes --group train_cuda \
    --output-file requirements-cuda.lock
compile $image --no-annotate --generate-hashes --group serving \
    --output-file serving/requirements.lock
# shellcheck disable=SC2086 # the options are words
compile $universal --no-annotate --generate-hashes --constraint requirements.lock \
    --group pyproject.toml:notebook --output-file requirements-notebook.lock
