#!/bin/sh
# Makes sure that the four files of FashionMNIST are on this machine: from a public mirror, or from
# the Debian package dataset-fashion-mnist (without root into data/).
set -eu
package=dataset-fashion-mnist
file=train-images-idx3-ubyte.gz

[ -e "/usr/share/datasets/fashion-mnist/$file" ] && exit 0
[ -e "data/$file" ] && exit 0

.venv/bin/python -m scripts.fetch_dataset data && exit 0
if ! command -v apt-get >/dev/null; then
    echo "setup: put the four .gz files of FashionMNIST into data/" >&2
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
    echo "setup: no source has the data; put the four .gz files of FashionMNIST into data/" >&2
fi
