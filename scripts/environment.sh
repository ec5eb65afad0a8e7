#!/bin/sh
# Makes a virtual environment from a lock; the project is part of the one that runs it.
# usage: environment.sh PYTHON VENV LOCK
set -eu
python=$1
venv=$2
lock=$3

fail() {
    echo "setup: $*" >&2
    exit 1
}

supported() {
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null
}

for candidate in "$python" python3.11 python3.12 python3.13; do
    if supported "$candidate"; then
        found=$candidate
        break
    fi
done
[ -n "${found:-}" ] || fail "Python 3.11, 3.12 or 3.13 is needed; name one with PYTHON=..."

# Debian leaves out the part of Python that makes environments with pip.
install_with_debians_pip() {
    wheels=$(mktemp -d)
    [ "$(id -u)" != 0 ] || apt-get update -q >/dev/null || true
    (cd "$wheels" && apt-get download -q python3-pip-whl python3-setuptools-whl >/dev/null &&
        for package in *.deb; do dpkg -x "$package" .; done) ||
        fail "this Python cannot make environments; install Debian's package python3-venv"
    "$found" -m venv --without-pip "$venv"
    pip=$(find "$wheels" -name 'pip-*.whl')
    "$venv/bin/python" "$pip/pip" install -q --disable-pip-version-check --no-index "$pip"
    rm -rf "$wheels"
}

echo "setup: making $venv (under a minute, mostly downloads)"
# An environment of an older lock is replaced: what is no longer pinned must not stay.
[ ! -e "$venv/.installed" ] || rm -rf "$venv"
if "$found" -c 'import ensurepip' 2>/dev/null; then
    "$found" -m venv "$venv"
else
    install_with_debians_pip
fi
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    --require-hashes --no-deps --requirement requirements-uv.lock
# Its commands then work when the project is moved or copied; without uv they do not.
"$venv/bin/uv" venv --quiet --no-config --relocatable --allow-existing --python "$found" "$venv" ||
    true
scripts/install.sh "$venv" "$lock"

install_project() {
    set -- --quiet --no-deps --no-build-isolation --editable .
    "$venv/bin/uv" pip install --no-config --python "$venv/bin/python" "$@" ||
        "$venv/bin/python" -m pip install --disable-pip-version-check "$@"
    "$venv/bin/python" -c '
import os, pathlib, sysconfig
site = sysconfig.get_path("purelib")
(found,) = pathlib.Path(site).glob("__editable__.*.pth")
found.write_text(os.path.relpath(".", site))'
}

[ "$lock" != requirements.lock ] || install_project
echo "setup: $venv is ready"
