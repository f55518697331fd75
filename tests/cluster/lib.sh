# SPDX-License-Identifier: GPL-2.0
# What the tests on a real cluster share: the cluster itself, commands on nodes, verdicts. Sourced.
#
# With SSI_CLUSTER set the tests run on that cluster, which must be up and stays up (SSI_SHARED: its
# shared folder); otherwise each test boots one of its own (SSI_DEBUG=1: the debug kernel).

set -euo pipefail
REPO=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
TEST=$(basename "$0" .sh)
# Against a command on a node that hangs: one check fails then, not the test of which it is a part.
COMMAND_SECONDS_MAX=$((${SSI_DEBUG:+4 *} 400))
PASSED=0
FAILED=()

cluster() { "$REPO/scripts/qemu-cluster/cluster" "$@"; }

# on NODE SCRIPT: runs a shell script on a node; its status, its output.
on() {
    local status=0 start=$SECONDS
    timeout $COMMAND_SECONDS_MAX "$REPO/scripts/qemu-cluster/cluster" sh "$1" -- "$2" \
        </dev/null || status=$?
    [ $((SECONDS - start)) -lt $COMMAND_SECONDS_MAX ] ||
        echo "node $1 was not ready after $COMMAND_SECONDS_MAX s: $2" >&2
    return $status
}

# Commands for the end of the test, however it ends.
AT_END=()
at_end() {
    local command
    for command in "${AT_END[@]}"; do
        eval "$command" || true
    done
}
trap at_end EXIT

# start_cluster [OPTION…]: options of `cluster up`.
start_cluster() {
    [ -z "${SSI_CLUSTER:-}" ] || return 0
    export SSI_CLUSTER=$TEST-$$
    AT_END=("cluster down" "${AT_END[@]}")
    cluster up --nodes "${SSI_NODES:-1}" --mem "${SSI_MEM:-1024}" ${SSI_DEBUG:+--debug} "$@"
}

# verdict NAME STATUS TEXT [SECONDS]: one line per check, with its text if it failed.
verdict() {
    if [ "$2" = 0 ]; then
        PASSED=$((PASSED + 1))
        printf '  ok   %-60s %4s\n' "$1" "${4:-}"
    else
        FAILED+=("$1")
        printf '  FAIL %-60s %4s\n' "$1" "${4:-}"
        printf '%s\n' "$3" | sed 's/^/       /'
    fi
}

# try NAME COMMAND...: runs it and gives its verdict.
try() {
    local name=$1 text status start=$SECONDS
    shift
    # Not "|| status=$?" around it: that would switch off errexit inside.
    set +e
    text=$(set -e; "$@" 2>&1)
    status=$?
    set -e
    verdict "$name" "$status" "$text" $((SECONDS - start))
    # 70: a node's kernel has crashed; nothing after that would mean anything.
    [ "$status" != 70 ] || finish
}

# spread FUNCTION ITEM…: FUNCTION NODE ITEM for every item, on nodes 1 and 2 at once, each with its
# next one when it is ready: a node keeps one processor of this machine busy under TCG, no more.
spread() {
    local work=$1 at node
    shift
    at=$(mktemp -d)
    for node in 1 2; do
        share "$node" "$work" "$at" "$@" &
    done
    # What went wrong there is in what was said.
    wait || true
    cat "$at"/*/said >"$at/all"
    PASSED=$((PASSED + $(grep -c '^  ok ' "$at/all" || true)))
    mapfile -t -O ${#FAILED[@]} FAILED \
        < <(sed -n 's/^  FAIL \(.*[^ ]\)  *[0-9]*$/\1/p' "$at/all")
    [ "$(find "$at" -name done | wc -l)" = $# ] || try "all of $*" false
    rm -rf "$at"
}

# share NODE FUNCTION FOLDER ITEM…: what nobody has taken yet.
share() {
    local node=$1 work=$2 at=$3 number=0 item
    shift 3
    for item; do
        number=$((number + 1))
        mkdir "$at/$number" 2>/dev/null || continue
        "$work" "$node" "$item" >"$at/$number/said"
        cat "$at/$number/said"
        touch "$at/$number/done"
    done
}

# field NAME: that number of a report, which comes as JSON; as in node.sh.
field() { sed -n "s/.*\"$1\":\([0-9]*\).*/\1/p"; }

# gives NODE STATUS WORDS SCRIPT: the script must end with the status and say the words.
gives() {
    local node=$1 wanted=$2 words=$3 status=0 said
    shift 3
    said=$(on "$node" "$*" 2>&1) || status=$?
    [ $status = "$wanted" ] || { echo "status $status, not $wanted: $said"; return 1; }
    grep -qF -- "$words" <<<"$said" || { echo "no '$words' in: $said"; return 1; }
}

# Ends the test: says what failed, and lets no complaint of a kernel pass.
finish() {
    try "no kernel complained" cluster check
    printf '%s: %d passed, %d failed\n' "$TEST" "$PASSED" "${#FAILED[@]}"
    [ ${#FAILED[@]} = 0 ] || { printf '  failed: %s\n' "${FAILED[@]}"; exit 1; }
    exit 0
}
