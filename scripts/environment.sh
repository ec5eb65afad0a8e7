#!/bin/sh
# Makes the virtual environment: everything pinned by hash, .pyc files compiled.
# usage: environment.sh PYTHON VENV
set -eu
python=$1
venv=$2
. scripts/dots.sh

fail() {
    echo "setup: $*" >&2
    exit 1
}

debian_as_root() {
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null
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
    (cd "$wheels" && apt-get download -q python3-pip-whl python3-setuptools-whl >/dev/null &&
        for package in *.deb; do dpkg -x "$package" .; done) ||
        fail "this Python cannot make environments; install Debian's package python3-venv"
    "$found" -m venv --without-pip "$venv"
    pip=$(find "$wheels" -name 'pip-*.whl')
    "$venv/bin/python" "$pip/pip" install -q --disable-pip-version-check --no-index "$pip"
    rm -rf "$wheels"
}

echo "setup: making $venv (about a minute)"
if ! "$found" -c 'import ensurepip' 2>/dev/null; then
    if debian_as_root; then
        apt-get update -q >/dev/null || true
        minor=$("$found" -c 'import sys; print(f"python{sys.version_info[0]}.{sys.version_info[1]}-venv")')
        DEBIAN_FRONTEND=noninteractive apt-get install -qy "$minor" >/dev/null || true
    fi
fi
if "$found" -c 'import ensurepip' 2>/dev/null; then
    "$found" -m venv "$venv"
else
    install_with_debians_pip
fi
install="with_dots $venv/bin/python -m pip install --quiet --disable-pip-version-check --compile"
# The lock is the whole closure: resolving it again would only let older pips stumble over extras.
$install --require-hashes --no-deps -r requirements.lock
$install --no-deps --no-build-isolation --editable .
echo "setup: $venv is ready"
