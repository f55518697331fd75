#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A node loses power while a checkpoint runs: the version is whole or absent, the earlier one stays.
#
# usage: tests/cluster/powercut.sh [DELAY_MS…]    from the call of checkpoint to the power cut

. "$(dirname "$0")/lib.sh"
SIZE=12
SLOW=yes
FOLDER=${SSI_SHARED:-$(mktemp -d)}
. "$REPO/scripts/pipeline.sh"

versions() { on 1 "restart --list --store $PIPELINE_STORE" | awk 'NR > 1 { print $2 }'; }

# Whatever is in the store and was not committed.
leftovers() {
    local folder
    for folder in "$FOLDER"/checkpoints/*/v*; do
        [ -e "$folder/commit" ] || echo "$folder"
    done
}

# cut_at MS: a first version, then the power cut in the middle of the second.
cut_at() {
    local pid id version status=0
    rm -rf "$FOLDER/checkpoints"
    start_pipeline
    await 120 "the data is on its way" has_read 1 1
    pid=$(processes_of 1 | tail -n 1)
    on 1 "checkpoint --store $PIPELINE_STORE $pid"
    on 1 "checkpoint --store $PIPELINE_STORE $pid" &
    sleep "$(printf '%d.%03d' $(($1 / 1000)) $(($1 % 1000)))"
    cluster kill 3
    wait $! || status=$?
    await 20 "node 1 sees that node 3 is down" sees_state 1 3 down
    case $status,$(versions | paste -sd' ') in
    0,"1 2") version=2 ;;
    17,1 | 18,1) version=1 ;;
    *) echo "checkpoint: status $status, versions: $(versions)"; return 1 ;;
    esac
    [ -z "$(leftovers)" ] || { echo "left in the store: $(leftovers)"; return 1; }
    stop_application 1 2
    read -r id _ < <(newest_version 1)
    on 1 "restart --store $PIPELINE_STORE $id $version"
    let_end
    await 600 "the result" has_result
    compare_hashes || { echo "hash $RESULT, undisturbed $WANTED"; return 1; }
}

make_input
[ -n "${SSI_SHARED:-}" ] || AT_END+=('rm -rf "$FOLDER"')
undisturbed_hash
SSI_NODES=3 start_cluster --shared "$FOLDER"
for delay in ${*:-0 10 30 100 300 1000}; do
    try "power cut after $delay ms" cut_at "$delay"
    stop_application 1 2
    cluster boot 3
    await 30 "node 3 is back" sees_state 1 3 up
done
finish
