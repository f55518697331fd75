#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Versions that survive the loss of any one node without a shared store.
#
# usage: tests/cluster/memory.sh [disk|memory]…
#
# A pipeline over three nodes, whose images stay in the nodes' own memory (checkpoint
# --media=memory) or on their own disks (--copies=2); each node in turn loses its power, and the
# two that are left go on. Then a checkpoint is taken from the node that was down, whose store has
# missed a version.

. "$(dirname "$0")/lib.sh"
SSI_NODES=3
FOLDER=${SSI_SHARED:-$(mktemp -d)}
SIZE=${SSI_SIZE:-4}
SLOW=1
. "$REPO/scripts/pipeline.sh"
DISK=/var/lib/ssi/copies
MEMORY=/run/ssi/memory
ALONE=/var/lib/ssi/alone
FULL=/var/lib/ssi/full

others() { for node in 1 2 3; do [ $node = "$1" ] || echo $node; done; }

# take NODE OPTION…: a checkpoint of the pipeline, asked for on that node.
take() {
    local node=$1 pid
    shift
    pid=$(for at in 1 2 3; do processes_of $at || true; done 2>/dev/null | head -n 1)
    on "$node" "checkpoint $* $pid"
}

# newest NODE STORE: as `ID VERSION`.
newest() { on "$1" "restart --list --store $2" | awk 'END { print $1, $2 }'; }

begin() {
    start_pipeline
    await 120 "a fifth is read" has_read 1 20
}

# media disk|memory: what the rounds use.
media() {
    case $1 in
    disk) STORE=$DISK KEPT="--copies=2 --store $DISK" FROM="--store $DISK" ;;
    memory) STORE=$MEMORY KEPT=--media=memory FROM=--media=memory ;;
    *) echo "error: $1 is no medium: disk, memory" >&2; exit 2 ;;
    esac
}

# Every part is there twice, on its own node and on the next, and the record everywhere.
is_doubled() {
    local node version
    version=$(newest 1 $STORE | sed 's, ,/v,')
    for node in 1 2 3; do
        on $node "cd $STORE/$version && [ -s commit ] && [ -s node-$node/part ] &&
            [ -s node-$(((node + 1) % 3 + 1))/part ] && [ \$(ls -d node-* | wc -l) = 2 ]" ||
            { echo "node $node:"; on $node "ls -R $STORE"; return 1; }
    done
}

# falls NODE: it loses its power, with what the application had there.
falls() {
    local node
    cluster kill "$1"
    for node in $(others "$1"); do
        await 20 "node $node sees the fall of $1" sees_state "$node" "$1" down
    done
    # shellcheck disable=SC2046 # One word for each node.
    stop_application $(others "$1")
}

goes_on_without() {
    local root
    root=$(others "$1" | tail -n 1)
    on "$root" "restart $FROM $(newest "$root" $STORE)"
}

# The application lives on two nodes, the third comes back and takes a version of it.
is_saved_from() {
    local before now
    before=$(newest "$(others "$1" | head -n 1)" $STORE)
    take "$(others "$1" | head -n 1)" $KEPT
    cluster boot "$1"
    for node in 1 2 3; do
        await 30 "node $node sees node $1" sees_state $node "$1" up
    done
    take "$1" $KEPT
    now=$(newest "$1" $STORE)
    [ "$now" = "${before% *} $((${before#* } + 2))" ] || { echo "$before, then $now"; return 1; }
}

ends_right() {
    let_end
    await 120 "the result is there" has_result
    compare_hashes || { echo "$RESULT, undisturbed $WANTED"; return 1; }
}

# A part that no living node has: said by name, and nothing is left behind.
is_missed() {
    take 1 --store $ALONE
    falls 2
    gives 3 23 "does not exist" "restart --store $ALONE $(newest 1 $ALONE)"
    gives 1 34 "that these nodes wrote: 2;" "restart --store $ALONE $(newest 1 $ALONE)"
    for node in 1 3; do
        is_empty $node
    done
    cluster boot 2
    await 30 "node 1 sees node 2" sees_state 1 2 up
    await 30 "node 3 sees node 2" sees_state 3 2 up
    on 1 "restart --store $ALONE $(newest 1 $ALONE)"
}

# refuses STATUS WORDS OPTION…: the checkpoint fails, leaves nothing, and the application goes on.
refuses() {
    local status=$1 words=$2 pid
    shift 2
    pid=$(processes_of 1 | head -n 1)
    gives 1 "$status" "$words" "checkpoint $* $pid"
}

leaves_nothing() {
    local node left
    for node in 1 2 3; do
        left=$(on $node "find $1 -name part -o -name commit -o -name 'mm-*' 2>/dev/null; true") ||
            return 1
        [ -z "$left" ] || { echo "node $node: $left"; return 1; }
    done
}

is_full() {
    on 3 "mkdir -p $FULL && mount -t tmpfs -o size=64k none $FULL"
    refuses 31 "node 3" --copies=2 --store $FULL
    leaves_nothing $FULL
    on 3 "umount $FULL"
}

is_shared() {
    refuses 29 "shared" --copies=2 --store /shared/checkpoints
    leaves_nothing /shared/checkpoints
}

# The oldest versions go first, on all nodes alike.
keeps_two() {
    local node versions
    for _ in 1 2 3; do
        take 1 --media=memory
    done
    for node in 1 2 3; do
        versions=$(on $node "ls -d $MEMORY/*/v*/commit $MEMORY/*/v*/node-*")
        [ "$(wc -l <<<"$versions")" = 6 ] || { echo "node $node: $versions"; return 1; }
    done
}

# A bound that is reached on one node; nothing happens to the application or to older versions.
is_bounded() {
    local before
    before=$(newest 1 $MEMORY)
    on 3 "ssictl limits --memory \$((\$(du -sm $MEMORY | cut -f1) + 1))MiB"
    refuses 31 "node 3" --media=memory
    [ "$(newest 1 $MEMORY)" = "$before" ]
    on 3 "ssictl limits --memory 25%"
    take 1 --media=memory
}

for media in "$@"; do
    # Before anything is booted.
    media "$media"
done
[ -n "${SSI_SHARED:-}" ] || AT_END+=('rm -rf "$FOLDER"')
start_cluster --shared "$FOLDER"
make_input
undisturbed_hash
for node in 1 2 3; do
    on $node "rm -rf $DISK $ALONE $FULL $MEMORY/*"
done
for media in ${*:-disk memory}; do
    media "$media"
    for victim in 1 2 3; do
        try "$media: a pipeline, before node $victim falls" begin
        # shellcheck disable=SC2086 # Several options.
        try "$media: saved twice" take $(((victim + 1) % 3 + 1)) $KEPT
        try "$media: every part is there twice" is_doubled
        try "$media: node $victim falls" falls $victim
        try "$media: goes on without node $victim" goes_on_without $victim
        try "$media: node $victim comes back, and saves it" is_saved_from $victim
        try "$media: the right result" ends_right
        stop_application 1 2 3
        # After a failure nothing is where the next round would look for it.
        [ ${#FAILED[@]} = 0 ] || finish
    done
done
for node in 1 2 3; do
    on $node "rm -rf $MEMORY/*"
done
try "a pipeline, for bounds and errors" begin
try "two versions stay in memory" keeps_two
try "a bound on one node" is_bounded
try "a full disk at a partner" is_full
try "a shared store" is_shared
try "a part that nobody has" is_missed
try "the right result" ends_right
finish
