#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Many checkpoints of a running pipeline, and many rounds of checkpoint, kill and restart.
#
# usage: tests/cluster/rounds.sh [CHECKPOINTS [RESTARTS]]    (100 and 20; SSI_DEBUG=1: leaks, too)

. "$(dirname "$0")/lib.sh"
CHECKPOINTS=${1:-100}
RESTARTS=${2:-20}
SIZE=12
SLOW=yes
FOLDER=${SSI_SHARED:-$(mktemp -d)}
. "$REPO/scripts/pipeline.sh"

# A process that lives until the test lets it end: not cat, nor the shell's sleep.
any_pid() {
    on "$1" "ssictl status --processes" |
        awk 'NR > 1 && $NF != "cat" && $NF != "sleep" { pid = $1 } END { print pid }'
}

take_version() { on "$1" "checkpoint --json --store $PIPELINE_STORE $2"; }

# One second apart, each by the PID of a process on another node.
many_checkpoints() {
    local round pid node
    for round in $(seq "$CHECKPOINTS"); do
        node=$((round % 3 + 1))
        pid=$(any_pid $node)
        take_version $node "$pid" || { echo "checkpoint $round by PID $pid"; return 1; }
        # Only the newest is kept: the store would grow to many times the application.
        [ "$round" = 1 ] || rm -rf "$FOLDER/checkpoints"/*/"v$((round - 1))"
        sleep 1
    done
}

many_restarts() {
    local round id version
    for round in $(seq "$RESTARTS"); do
        take_version 2 "$(any_pid 2)" || { echo "checkpoint of round $round"; return 1; }
        stop_application 1 2 3
        read -r id version < <(newest_version 3)
        on 3 "restart --store $PIPELINE_STORE $id $version" ||
            { echo "restart of round $round"; return 1; }
        ! has_result || { echo "the pipeline ended in round $round"; return 1; }
    done
}

ends_well() {
    let_end
    await 600 "the result" has_result
    compare_hashes || { echo "hash $RESULT, undisturbed $WANTED"; return 1; }
}

make_input
[ -n "${SSI_SHARED:-}" ] || AT_END+=('rm -rf "$FOLDER"')
undisturbed_hash
SSI_NODES=3 start_cluster --shared "$FOLDER"
start_pipeline
await 120 "the data is on its way" has_read 1 1
try "$CHECKPOINTS checkpoints" many_checkpoints
try "$RESTARTS restarts" many_restarts
try "the right hash" ends_well
[ -z "${SSI_DEBUG:-}" ] || try "no leak" cluster check --leaks
finish
