#!/bin/sh
# Installs locks into an environment: exactly what they pin, by hash, .pyc files compiled.
# usage: install.sh VENV LOCK...
set -eu
venv=$1
shift

# uv does not read pip's settings: where packages come from, and which certificates to trust.
eval "$("$venv/bin/python" -m pip config list | sort -r |
    sed -n "s/^[^=]*[.]index.url=/export UV_DEFAULT_INDEX=/p
            s/^[^=]*[.]extra.index.url=/export UV_INDEX=/p
            s/^[^=]*[.]find.links=/export UV_FIND_LINKS=/p
            s/^[^=]*[.]cert=/export SSL_CERT_FILE=/p")"
# Hashes decide which file is right, so every source may be asked, as pip does.
export UV_INDEX_STRATEGY=unsafe-best-match UV_HTTP_TIMEOUT=120 UV_NO_CONFIG=1

install() {
    # A lock is the whole closure: there is nothing left to resolve.
    set -- --require-hashes --no-deps "$@"
    "$venv/bin/uv" pip install --quiet --python "$venv/bin/python" --compile-bytecode "$@" ||
        "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --compile "$@"
}

# A dot every two seconds shows on a terminal that something happens.
[ ! -t 1 ] || while sleep 2; do printf .; done &
dots=$!
trap 'kill "$dots" 2>/dev/null || true' EXIT
for lock in "$@"; do
    set -- "$@" --requirement "$lock"
    shift
done
install "$@"
[ ! -t 1 ] || echo
