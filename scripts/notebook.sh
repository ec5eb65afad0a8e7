#!/bin/sh
# Opens the notebook in JupyterLab, which is installed the first time.
# usage: notebook.sh VENV [OPTIONS OF JUPYTER LAB…]
set -eu
venv=$1
shift
mark=$venv/.notebook
. scripts/dots.sh

if [ ! "$mark" -nt requirements-notebook.lock ]; then
    echo "notebook: installing JupyterLab (about a minute)"
    with_dots "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --compile \
        --require-hashes --no-deps -r requirements-notebook.lock
    touch "$mark"
fi
# In a container one is root, which the server refuses without being told.
[ "$(id -u)" = 0 ] && set -- --allow-root "$@"
exec "$venv/bin/jupyter" lab notebooks/components.ipynb "$@"
