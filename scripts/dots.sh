# To be read by other scripts: shows on a terminal that a command goes on.

# usage: with_dots COMMAND [ARGUMENT…]; a dot each two seconds, and the command's exit code
with_dots() {
    if [ ! -t 1 ]; then
        "$@"
        return
    fi
    (while sleep 2; do printf .; done) &
    dots=$!
    trap 'kill "$dots" 2>/dev/null' EXIT
    code=0
    "$@" || code=$?
    kill "$dots" 2>/dev/null || true
    trap - EXIT
    echo
    return "$code"
}
