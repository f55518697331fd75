#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Versions from the nodes' memory to disk (ssictl flush), which survive the loss of all nodes.
#
# usage: tests/cluster/flush.sh
#
# A pipeline over three nodes is checkpointed in memory. The version goes to a store that all
# share: what is refused, a power cut in the middle, the loss of all nodes. What was restarted
# goes to the nodes' own disks, two copies of each part, and all nodes are lost once more.

. "$(dirname "$0")/lib.sh"
SSI_NODES=3
FOLDER=${SSI_SHARED:-$(mktemp -d)}
SIZE=${SSI_SIZE:-4}
SLOW=1
. "$REPO/scripts/pipeline.sh"
MEMORY=/run/ssi/memory
SHARED=/shared/flushed
OWN=/var/lib/ssi/flushed
FULL=/var/lib/ssi/full

newest() { on "$1" "restart --list --store $2" | awk 'END { print $1, $2 }'; }

begin() {
    start_pipeline
    await 120 "a fifth is read" has_read 1 20
    save
}

save() { on 1 "checkpoint --media=memory $(processes_of 1 | head -n 1)"; }

# flush NODE OPTION…: the newest version in memory, asked for on that node.
flush() {
    local node=$1 what
    shift
    what=$(newest 1 $MEMORY)
    on "$node" "ssictl flush $* ${what% *}"
}

# Whatever a store of a node has but marks of numbers.
leftovers() {
    on "$1" "find $2 -name 'node-*' -o -name 'commit*' -o -name '.flush-*' -o -name '.gone-*' \
        2>/dev/null; true"
}

leaves_nothing() {
    local node left
    for node in 1 2 3; do
        left=$(leftovers $node "$1") || return 1
        [ -z "$left" ] || { echo "node $node: $left"; return 1; }
    done
}

is_refused() {
    local id version other='setpriv --reuid 4321 --regid 4321 --clear-groups'
    read -r id version <<<"$(newest 1 $MEMORY)"
    gives 2 23 "no application 1 in" "ssictl flush --store $SHARED 1"
    gives 2 23 "version 99 of application $id does not exist" "ssictl flush $id 99"
    gives 2 2 "name a folder on a disk" "ssictl flush --store $MEMORY $id"
    gives 2 14 "Permission denied" "$other ssictl flush --store /tmp/flushed $id $version"
    gives 2 14 "Permission denied" "$other ssictl flush --store /tmp/flushed $id"
    # What is closed to a user is not in his way.
    gives 2 0 "" "$other restart --list --media=memory"
    # Each node writes into a store of its own, which is not what one copy means.
    gives 2 29 "use --copies=2" "ssictl flush --store /var/lib/ssi/alone $id"
    leaves_nothing /var/lib/ssi/alone
}

# fails_for_room NODE…: where node 3 has no room, a flush to the nodes' own disks fails, and each
# NODE loses its power at once.
fails_for_room() {
    local id status=0 node
    id=$(newest 1 $MEMORY)
    on 3 "mkdir -p $FULL && mount -t tmpfs -o size=64k none $FULL"
    gives 1 31 "node 3" "ssictl flush --copies=2 --store $FULL ${id% *}" || status=1
    for node in "$@"; do
        cluster kill $node
    done
    on 3 "umount $FULL"
    return $status
}

is_full() { fails_for_room && leaves_nothing $FULL; }

# What was removed does not come back with a node that fell right after it.
stays_removed() {
    begin
    fails_for_room 2
    cluster boot 2
    all_are_up
    # Who is left of the application is in the way of the next one.
    stop_application 1 3
    leaves_nothing $FULL
}

has_fallen() { cluster status | grep -q "^node $1  killed"; }

# falls_at NODE STEP ASKED STATUS: a node loses its power in the middle of a flush.
falls_at() {
    local status=0
    cluster kill "$1" --at "$2"
    flush "$3" --store $SHARED || status=$?
    [ $status = "$4" ] || { echo "flush: status $status"; return 1; }
    await 20 "node $1 falls" has_fallen "$1"
    [ -z "$(find "$FOLDER/flushed" -name commit)" ] || { echo "a version is there"; return 1; }
}

# The others tell the caller, and nothing of the version is left; the next flush works.
survives_a_fall() {
    falls_at 2 part-written 1 18
    [ -z "$(find "$FOLDER/flushed" -name 'node-*')" ] || { ls -aR "$FOLDER/flushed"; return 1; }
    flush 3 --store $SHARED
    flush 1 --store $SHARED | grep -q already
}

# Every node loses its power, and with it all memory.
all_fall() {
    local node
    for node in 1 2 3; do
        [ "$(cluster status | awk -v node=$node '$2 == node { print $3 }')" != up ] ||
            cluster kill $node
    done
    for node in 1 2 3; do
        cluster boot $node
    done
    all_are_up
    leaves_nothing $MEMORY
}

# returns STORE: the application lives again, from the disk.
returns() { on 1 "restart --store $1 $(newest 1 "$1")"; }

# Every part is there twice, on its own node and on the next, and the record everywhere.
is_doubled() {
    local node version
    version=$(newest 1 $OWN | sed 's, ,/v,')
    for node in 1 2 3; do
        on $node "cd $OWN/$version && [ -s commit ] && [ -s node-$node/part ] &&
            [ -s node-$(((node + 1) % 3 + 1))/part ] && [ \$(ls -d node-* | wc -l) = 2 ] &&
            [ -z \"\$(find $OWN -name '.flush-*' -o -name '.gone-*')\" ]" ||
            { echo "node $node:"; on $node "ls -aR $OWN"; return 1; }
    done
}

# hold NODE [STEP]: what gets to that step there waits until there is none.
hold() { on "$1" "echo ${2:-} >/sys/module/ssi/parameters/hold"; }

# The flush is done when another node has the record, so that of the third may come to its store
# after the news of that.
is_doubled_once() {
    local status=0
    save
    hold 1 commit-written
    flush 3 --copies=2 --store $OWN || status=$?
    hold 1
    [ $status = 0 ] || return $status
    await 20 "every part and the record are on each node" is_doubled
    flush 2 --copies=2 --store $OWN | grep -q already
}

ends_right() {
    let_end
    await 120 "the result is there" has_result
    compare_hashes || { echo "$RESULT, undisturbed $WANTED"; return 1; }
}

[ -n "${SSI_SHARED:-}" ] || AT_END+=('rm -rf "$FOLDER"')
start_cluster --shared "$FOLDER"
make_input
undisturbed_hash
rm -rf "$FOLDER/flushed"
for node in 1 2 3; do
    on $node "rm -rf $OWN $FULL /var/lib/ssi/alone $MEMORY/*"
done
try "a pipeline, with a version in memory" begin
[ ${#FAILED[@]} = 0 ] || finish
try "what is refused, by name" is_refused
try "a full disk on one node" is_full
try "a power cut of one node in its middle, and the next flush" survives_a_fall
try "all nodes fall" all_fall
try "the application returns from the shared store" returns $SHARED
try "two copies on the nodes' own disks, the record slow on one" is_doubled_once
try "all nodes fall" all_fall
try "the application returns from the nodes' own disks" returns $OWN
try "the right result" ends_right
stop_application 1 2 3
try "what a flush removed stays so after a power cut" stays_removed
finish
