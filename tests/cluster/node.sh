# SPDX-License-Identifier: GPL-2.0
# What the tests share on the node itself: waiting for conditions, ending applications. Sourced.

set -eu
WAIT_S=${WAIT_S:-60}
# The debug kernel is slow.
[ ! -e /sys/kernel/debug/kmemleak ] || WAIT_S=$((WAIT_S * 10))

fail() {
    echo "$*" >&2
    exit 1
}

# await TEXT COMMAND...: until the command succeeds, or WAIT_S seconds have passed.
await() {
    what=$1
    shift
    end=$(($(date +%s) + WAIT_S))
    until "$@"; do
        [ "$(date +%s)" -lt "$end" ] || fail "timed out: $what"
        sleep 0.05
    done
}

# PIDs of all processes of applications on this node.
members() { ssictl status --processes | awk 'NR > 1 { print $1 }'; }

no_members() { [ -z "$(members)" ]; }

# Ends every application on this node at once, so that no parent sees a child's death.
end_applications() {
    local signal pid
    for signal in STOP KILL; do
        for pid in $(members); do
            kill -s $signal "$pid" 2>/dev/null || true
        done
    done
    await "the applications end" no_members
}

# field NAME: the number called NAME in a report on standard input.
field() { sed -n "s/.*\"$1\":\([0-9]*\).*/\1/p"; }

# take_checkpoint PID: sets APPLICATION and VERSION, or returns the status of checkpoint.
take_checkpoint() {
    report=$(checkpoint --json --store "$STORE" "$1") || return $?
    APPLICATION=$(echo "$report" | field application)
    VERSION=$(echo "$report" | field version)
}
