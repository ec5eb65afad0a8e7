#!/bin/sh
# Resolves pyproject.toml to requirements.lock, and from it the pins of each step.
# usage: lock.sh UV
set -eu
uv=$1
compile="$uv pip compile --quiet --no-header --no-emit-index-url --python-version 3.11 pyproject.toml"

$compile --group dev --universal --generate-hashes --output-file requirements.lock
for step in ingest decode train train_cuda evaluate find_champion package_model; do
    "$uv" pip compile --quiet --no-header --no-annotate --no-emit-index-url --python-version 3.11 \
        --python-platform x86_64-manylinux_2_28 --constraint requirements.lock \
        --group "pyproject.toml:$step" --output-file "components/requirements/$step.txt"
done
