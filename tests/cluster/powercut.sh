#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Power cuts at each step of a checkpoint: the version is whole or absent, the earlier ones stay.
#
# usage: tests/cluster/powercut.sh [STEP…]    steps of /sys/module/ssi/parameters/power_cut
#
# An application of two processes wanders over three nodes: a checkpoint is taken on the node of
# the first, either node falls in the middle of it, and the newest version is restarted by the
# node that was spare, where the part of the fallen one goes. Then the same on one node with the
# store and a file of the application on its own disk, which loses what was not made durable.

. "$(dirname "$0")/lib.sh"
FOLDER=${SSI_SHARED:-$(mktemp -d)}
STORE=/shared/checkpoints
# What pipeline.sh asks for; of it only the helpers are used.
SIZE=0
. "$REPO/scripts/pipeline.sh"
FALLEN=(17 18)
LOST=255

steps() { on 1 'tr -d "[]" </sys/module/ssi/parameters/power_cut'; }

# The root alone makes the folder of the version and the commit record.
is_of_root() { [[ $1 = opened || $1 = commit-* ]]; }

is_of_media() { [[ $1 = part-* || $1 = pages-* || $1 = folders-* || $1 = commit-* ]]; }

# Before this the version is absent, after it there.
may_exist() { [[ $1 = commit-renamed || $1 = commit-done ]]; }

# newest NODE STORE: as `ID VERSION`.
newest() { on "$1" "restart --list --store $2" | awk 'END { print $1, $2 }'; }

has_fallen() { cluster status | grep -q "^node $1  killed"; }

# Whatever is in the store and was not committed.
leftovers() {
    local folder
    for folder in "$FOLDER"/checkpoints/*/v*; do
        [ -e "$folder/commit" ] || echo "$folder"
    done
}

# checkpoint_falls NODE FALLS STEP STORE: on NODE, in whose middle the node FALLS; sets STATUS.
checkpoint_falls() {
    local pid
    pid=$(processes_of "$1" | head -n 1)
    cluster kill "$2" --at "$3"
    STATUS=0
    on "$1" "checkpoint --store $4 $pid" || STATUS=$?
    await 20 "node $2 falls" has_fallen "$2"
}

# The token goes round: the process comes to rest and wakes again.
lives() {
    on "$1" "pid=\$(ssictl status --processes | awk 'NR > 1 { print \$1 }' | tail -n 1)
        [ -n \"\$pid\" ] || exit 1
        switches() { awk '/^voluntary/ { print \$2 }' /proc/\$pid/status; }
        before=\$(switches)
        for _ in \$(seq 50); do [ \"\$(switches)\" -gt \$((before + 2)) ] && exit; sleep 0.1; done
        exit 1" || { says_why "$1"; return 1; }
}

# What there is to know where the application should live and does not.
says_why() {
    local node
    echo "no life on node $1"
    for node in "$ROOT" "$OTHER" "$SPARE"; do
        echo "processes of node $node: $(processes_of "$node" 2>&1 | paste -sd' ')"
    done
    tail -n 5 "$FOLDER"/ring-*/log
}

ring() {
    on "$1" "mkdir -p /shared/ring-$1
        ssi-run --output /shared/ring-$1/log \
        /usr/lib/ssi/tests/bench_ring /shared/ring-$1 $2 2 4 10.77.0.$3 >/dev/null 2>&1 &"
}

start_ring() {
    rm -rf "$FOLDER"/{checkpoints,ring-*}
    ring "$ROOT" 0 "$OTHER"
    ring "$OTHER" 1 "$ROOT"
    await 30 "the ring is closed" eval '[ -s "$FOLDER/ring-1/ready" -a -s "$FOLDER/ring-2/ready" ]'
    on "$ROOT" "checkpoint --store $STORE $(processes_of "$ROOT")"
}

# after_fall STEP BEFORE: what the store must hold when a checkpoint was cut short at STEP.
store_is_right() {
    local now
    now=$(newest "$SPARE" "$STORE")
    if may_exist "$1"; then
        [ "$now" != "$2" ] || { echo "the version is not there: $now"; return 1; }
    else
        [ "$now" = "$2" ] || { echo "newest version: $now, before: $2"; return 1; }
    fi
}

# The other node falls: the root tells its caller, and leaves nothing behind.
other_falls() {
    local old
    old=$(leftovers)
    checkpoint_falls "$ROOT" "$OTHER" "$1" "$STORE"
    [[ " ${FALLEN[*]} " = *" $STATUS "* ]] || { echo "checkpoint: status $STATUS"; return 1; }
    await 10 "the version is removed" eval '[ "$(leftovers)" = "$old" ]'
}

root_falls() {
    checkpoint_falls "$ROOT" "$ROOT" "$1" "$STORE"
    [ "$STATUS" = $LOST ] || { echo "checkpoint: status $STATUS"; return 1; }
}

# falls WHO STEP: one round; WHO is root or other.
falls() {
    local victim survivor before
    case $1 in
    root) victim=$ROOT survivor=$OTHER ;;
    other) victim=$OTHER survivor=$ROOT ;;
    esac
    before=$(newest "$SPARE" "$STORE")
    "$1_falls" "$2"
    await 20 "node $SPARE sees the fall" sees_state "$SPARE" "$victim" down
    store_is_right "$2" "$before"
    stop_application "$survivor"
    on "$SPARE" "restart --store $STORE $(newest "$SPARE" "$STORE")"
    lives "$SPARE"
    lives "$survivor"
    cluster boot "$victim"
    all_are_up
}

# Who is who after a round: the spare node has the part of the one that fell.
wander() {
    local fallen
    case $1 in
    root) fallen=$ROOT ROOT=$SPARE ;;
    other) fallen=$OTHER OTHER=$SPARE ;;
    esac
    SPARE=$fallen
}

ends_well() {
    local which
    touch "$FOLDER"/ring-{1,2}/go
    for which in 1 2; do
        await 30 "process $which ends" test -s "$FOLDER/ring-$which/result"
        [ "$(cat "$FOLDER/ring-$which/result")" = ok ] || { cat "$FOLDER/ring-$which/"*; return 1; }
    done
}

# One node, its own disk.

OWN=/var/lib/ssi/powercut

start_counter() {
    on 1 "rm -rf $OWN && mkdir -p $OWN && cd $OWN || exit
        ssi-run --output count sh -c '
            i=0; until [ -e go ]; do i=\$((i + 1)); echo \$i; sleep 0.05; done' >/dev/null 2>&1 &
        until [ -s $OWN/count ]; do sleep 0.1; done
        checkpoint --store $OWN/store \$(ssictl status --processes | awk 'NR == 2 { print \$1 }')"
}

falls_alone() {
    local before now
    before=$(newest 1 $OWN/store)
    checkpoint_falls 1 1 "$1" $OWN/store
    [ "$STATUS" = $LOST ] || { echo "checkpoint: status $STATUS"; return 1; }
    cluster boot 1
    now=$(newest 1 $OWN/store)
    if ! may_exist "$1" || [ "$1" = commit-done ]; then
        store_is_right_alone "$1" "$before" "$now"
    fi
    on 1 "restart --store $OWN/store --output $OWN/output $now"
    grows || { echo "no life after the restart of $now"; return 1; }
}

grows() {
    on 1 "lines() { wc -l <$OWN/count; }
        before=\$(lines)
        for _ in \$(seq 50); do [ \"\$(lines)\" -gt \$((before + 2)) ] && exit; sleep 0.1; done
        exit 1"
}

# A name that was not made durable is there or not: either is right.
store_is_right_alone() {
    if [ "$1" = commit-done ]; then
        [ "$3" != "$2" ] || { echo "the version is not there: $3"; return 1; }
    else
        [ "$3" = "$2" ] || { echo "newest version: $3, before: $2"; return 1; }
    fi
}

counts_on() {
    on 1 "touch $OWN/go; until [ -z \"\$(ssictl status --processes | awk 'NR > 1')\" ]; do
            sleep 0.1; done
        awk '\$1 != NR { print \"line \" NR \": \" \$1; exit 1 }' $OWN/count"
}

[ -n "${SSI_SHARED:-}" ] || AT_END+=('rm -rf "$FOLDER"')
SSI_NODES=3 start_cluster --shared "$FOLDER"
ROOT=1 OTHER=2 SPARE=3
read -ra STEPS <<<"${*:-$(steps)}"
try "a ring over two nodes" start_ring
for step in "${STEPS[@]}"; do
    # After a failure nobody is where the next round would look for him.
    [ ${#FAILED[@]} = 0 ] || finish
    try "the root's node falls: $step" falls root "$step"
    wander root
    is_of_root "$step" && continue
    try "another node falls: $step" falls other "$step"
    wander other
done
try "the ring ends well" ends_well
stop_application 1 2 3
try "a counter with a disk of its own" start_counter
for step in "${STEPS[@]}"; do
    ! is_of_media "$step" || try "with its own disk: $step" falls_alone "$step"
done
try "no number is missing" counts_on
finish
