#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# An application moves to another cluster through a pipe, back through a file, and ends well there.
#
#   this cluster, three nodes          the other cluster, two nodes
#   cat | nc -> sort -> sha256sum  ==>  all of it  ==>  back  ->  the hash of an undisturbed run
#
# Both clusters have a folder of this machine for the application's files, and no store in common.

. "$(dirname "$0")/lib.sh"
SIZE=1
SLOW=1
FOLDER=${SSI_SHARED:-$(mktemp -d)}
. "$REPO/scripts/pipeline.sh"

other() { cluster --name "$OTHER" "$@"; }

here() { cluster "$@"; }

# Its nodes have the same addresses and PIDs as those here.
start_other() {
    OTHER=$SSI_CLUSTER-other
    AT_END=("other down" "${AT_END[@]}")
    other up --nodes 2 --mem "${SSI_MEM:-1024}" ${SSI_DEBUG:+--debug} --shared "$FOLDER"
}

# empty CLUSTER NODE…: no application runs there.
empty() {
    local cluster=$1 node listed
    shift
    for node; do
        listed=$($cluster sh "$node" -- "ssictl status --processes" </dev/null) || return 1
        [ "$(wc -l <<<"$listed")" = 1 ] || return 1
    done
}

moves_through_a_pipe() {
    local pid
    pid=$(on 1 "cat /run/ssi/part-pid")
    here sh 1 -- "checkpoint --kill --exportable=- --store $PIPELINE_STORE $pid" </dev/null |
        other sh 2 -- "restart --json --store /shared/elsewhere -" >"$FOLDER/report"
    grep -q '"processes":' "$FOLDER/report"
    await 20 "nothing is left here" empty here 1 2 3
    [ "$(on 1 "restart --list --store $PIPELINE_STORE" | tail -n +2 | wc -l)" = 1 ]
}

returns_through_a_file() {
    local pid
    pid=$(sed -n 's/.*"pid":\([0-9]*\).*/\1/p' "$FOLDER/report")
    other sh 1 -- "checkpoint --kill --exportable=/shared/job.ssi --store /shared/elsewhere $pid" \
        </dev/null
    await 20 "nothing is left there" empty other 1 2
    on 2 "ssi-image verify /shared/job.ssi && restart --store $PIPELINE_STORE /shared/job.ssi"
}

ends_well() {
    let_end
    await 120 "the result" has_result
    compare_hashes || { echo "hash $RESULT, undisturbed $WANTED"; return 1; }
    await 20 "all have ended" empty here 1 2 3
}

make_input
[ -n "${SSI_SHARED:-}" ] || AT_END+=('rm -rf "$FOLDER"')
undisturbed_hash
SSI_NODES=3 start_cluster --shared "$FOLDER"
start_other
mkdir -p "$FOLDER"/{checkpoints,elsewhere}
start_pipeline
await 60 "some of the input is read" has_read 1 20
try "moves to the other cluster through a pipe" moves_through_a_pipe
try "and back through a file" returns_through_a_file
try "ends with the result of an undisturbed run" ends_well
try "no kernel of the other cluster complained" other check
finish
