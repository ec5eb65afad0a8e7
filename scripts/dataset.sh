#!/bin/sh
# Sees to it that the four files of FashionMNIST are on this machine: from a public mirror into
# data/, or from the Debian package dataset-fashion-mnist (without root into data/).
set -eu
package=dataset-fashion-mnist
file=train-images-idx3-ubyte.gz

[ -e "/usr/share/datasets/fashion-mnist/$file" ] && exit 0
[ -e "data/$file" ] && exit 0

mirror_answers() {
    .venv/bin/python - <<'PYTHON' 2>/dev/null
import requests
from components.dataset.facts import FILES, MIRRORS

for mirror in MIRRORS:
    try:
        answer = requests.head(f"{mirror}{FILES[1]}.gz", timeout=3, allow_redirects=True)
    except requests.RequestException:
        continue
    if answer.ok and "html" not in answer.headers.get("Content-Type", ""):
        raise SystemExit(0)
raise SystemExit(1)
PYTHON
}

if mirror_answers; then
    echo "setup: fetching FashionMNIST into data/ (31 MB)"
    .venv/bin/python -m scripts.fetch_dataset data && exit 0
fi
if ! command -v apt-get >/dev/null; then
    echo "setup: no mirror of FashionMNIST can be reached; put its four .gz files into data/" >&2
    exit 0
fi
if [ "$(id -u)" = 0 ]; then
    echo "setup: installing Debian's package $package"
    apt-get update -q >/dev/null || true
    if log=$(DEBIAN_FRONTEND=noninteractive apt-get install -qy "$package" 2>&1); then
        exit 0
    fi
    echo "$log" >&2
fi
echo "setup: unpacking Debian's package $package into data/"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
if (cd "$scratch" && apt-get download -q "$package" >/dev/null && dpkg -x "$package"_*.deb .); then
    mkdir -p data
    cp "$scratch"/usr/share/datasets/fashion-mnist/*.gz data/
else
    echo "setup: the data cannot be had; put the four .gz files of FashionMNIST into data/" >&2
fi
