#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Jobs of reliable_run end well although nodes lose power: the supervisor's, a worker's, none.
#
# usage: tests/cluster/reliable.sh [CASE…]

. "$(dirname "$0")/lib.sh"
SIZE=1
FOLDER=${SSI_SHARED:-$(mktemp -d)}
. "$REPO/scripts/pipeline.sh"
JOBS=$FOLDER/checkpoints/jobs

# job NODE ARGUMENT…: reliable_run there, with the store of this test.
job() {
    local node=$1
    shift
    on "$node" "reliable_run --store $PIPELINE_STORE $(printf '%q ' "$@")"
}

# The last part of the pipeline, on node 3, is the command of the job; its status ends in `status`.
start_job() {
    rm -f "$FOLDER"/{result,may-end,status}
    on 3 "cd /shared || exit
        { reliable_run --store $PIPELINE_STORE --name $1 ${MEDIA:-} --periodicity ${PERIOD:-2s} \
            --output /shared/out-$1 \
            sh -c 'nc -4nl 7002 </dev/null | sha256sum >result; exit 7' &
            echo \$! >pid; wait \$!; echo \$? >status; } >/dev/null 2>&1 &"
    await 30 "node 3 listens" listens 3 7002
    part 2 "nc -4nl 7001 </dev/null | LC_ALL=C sort -S 50M | nc -4nN 10.77.0.3 7002"
    await 30 "node 2 listens" listens 2 7001
    part 1 "{ $SOURCE; } | nc -4nN 10.77.0.2 7001"
    [ -z "${PERIOD:-}" ] || job 1 --checkpoint "$1"
    await 60 "a version of all three nodes" log_says "$1" "on 3 nodes"
}

log_says() { grep -q "$2" "$JOBS/$1/log"; }

runs_again() { log_says "$1" "runs again"; }

is_over() { [ -s "$FOLDER/status" ]; }

shown_log() { sed 's/^/log: /' "$JOBS/$1/log"; }

# ends NAME NODE: the job is let go, and ends with its status, seen from the node, and its result.
ends() {
    local status=0
    let_end
    timeout 120 "$REPO/scripts/qemu-cluster/cluster" sh "$2" -- \
        "reliable_run --store $PIPELINE_STORE --wait $1" </dev/null || status=$?
    shown_log "$1"
    [ $status = 7 ] || { echo "status $status"; return 1; }
    compare_hashes || { echo "hash $RESULT, undisturbed $WANTED"; return 1; }
}

# restarts NAME NODE: how often the job was restarted.
restarts() {
    job "$2" --list --json | grep -o "\"job\":\"$1\".*" |
        grep -o '"restarts":[0-9]*' | head -n 1 | cut -d: -f2
}

# supervisor_dies [NAME]
supervisor_dies() {
    local name=${1:-first}
    start_job "$name"
    cluster kill 3
    await 60 "another node restarts it" runs_again "$name"
    log_says "$name" "node 3 is gone; this node supervises the job"
    ends "$name" 1
    [ "$(restarts "$name" 2)" = 1 ]
}

worker_dies() {
    start_job second
    cluster kill 2
    await 60 "node 3 restarts it" runs_again second
    ends second 1
    await 20 "reliable_run itself ends" is_over
    [ "$(cat "$FOLDER/status")" = 7 ]
}

images_in_store() { find "$FOLDER/checkpoints" -name commit; }

# The images are in the nodes' memory; the supervisor's node, which has a part, takes it with it.
supervisor_dies_with_memory() {
    local before
    before=$(images_in_store)
    MEDIA=--media=memory
    supervisor_dies memory
    [ "$(images_in_store)" = "$before" ] || { echo "images in the store"; return 1; }
}

attends() { [ -s "$JOBS/$1/node-$2" ]; }

# beat NAME NODE: how often its attendant has reported.
beat() { grep -o '"beat":[0-9]*' "$JOBS/$1/node-$2" | cut -d: -f2; }

has_beaten() { attends "$1" "$2" && [ "$(beat "$1" "$2")" -ge "$3" ]; }

# The attendant of a node that has just come back, and that the others do not reach yet, hears of
# theirs by the store, and leaves the job to its supervisor.
a_node_comes_back_and_reaches_nobody() {
    start_job parted
    cluster kill 1
    await 60 "node 3 restarts it" runs_again parted
    rm "$JOBS/parted/node-1"
    cluster cut 1 2
    cluster cut 1 3
    cluster boot 1
    await 30 "node 1 attends the job" attends parted 1
    await 30 "it has looked at it for a while" has_beaten parted 1 $(($(beat parted 1) + 6))
    cluster heal
    all_are_up
    ! log_says parted "this node supervises" || { shown_log parted; return 1; }
    ends parted 1
    [ "$(restarts parted 2)" = 1 ]
}

# Node 1 is the lowest, and back, but the newest version was made without it: it lists none.
supervisor_dies_where_another_came_back() {
    MEDIA=--media=memory
    PERIOD=1h
    start_job back
    cluster kill 1
    await 60 "node 3 restarts it" runs_again back
    job 2 --checkpoint back
    await 60 "a version of two nodes" log_says back "on 2 nodes"
    rm "$JOBS/back/node-1"
    cluster boot 1
    all_are_up
    await 30 "node 1 attends the job" has_beaten back 1 3
    cluster kill 3
    await 60 "node 2 restarts it" log_says back "node 2: version 2 of application .* runs again"
    ends back 1
}

# A version with all three parts is on disk.
is_flushed() {
    awk '/on 3 nodes/ { whole = 1 } /is on disk/ && whole { found = 1 } END { exit !found }' \
        "$JOBS/$1/log"
}

# With all nodes their memory is lost, and the job goes on from the disk.
all_nodes_die() {
    local node
    MEDIA="--media=memory --flush-every 1"
    start_job levels
    await 60 "a version is on disk" is_flushed levels
    for node in 1 2 3; do
        cluster kill $node
    done
    boot_dead
    await 120 "a node restarts it" runs_again levels
    ends levels 1
}

preempted() {
    start_job third
    on 3 'kill -s TERM "$(cat /shared/pid)"'
    await 60 "reliable_run ends" is_over
    shown_log third
    [ "$(cat "$FOLDER/status")" = 32 ] || { echo "status $(cat "$FOLDER/status")"; return 1; }
    for node in 1 2 3; do is_empty $node || { echo "processes on node $node"; return 1; }; done
    # What ran on node 3 goes on elsewhere.
    cluster kill 3
    on 1 "reliable_run --store $PIPELINE_STORE --resume third >/dev/null 2>&1 &"
    await 60 "the job is resumed" runs_again third
    ends third 2
}

# A command that fails by itself is tried again as often as allowed, from its last version.
fails_by_itself() {
    local status=0
    job 1 --name bug --periodicity 0 --max-restarts 1 sh -c "echo begun >>/shared/begun
        reliable_run --store $PIPELINE_STORE --checkpoint bug; sleep 4; kill -9 \$\$" || status=$?
    shown_log bug
    [ $status = 137 ] || { echo "status $status"; return 1; }
    log_says bug "version 1 of application .* runs again"
    [ "$(restarts bug 1)" = 1 ]
    [ "$(cat "$FOLDER/begun")" = begun ]
}

status_is_passed_on() {
    local said status=0
    said=$(job 1 --name plain --periodicity 0 sh -c 'echo said; exit 5' 2>/dev/null) || status=$?
    [ "$said,$status" = said,5 ] || { echo "$said,$status"; return 1; }
}

# A job of a user who is not root is taken over with that user's rights.
another_users_job() {
    local as='setpriv --reuid 1234 --regid 1234 --clear-groups'
    on 1 "chmod 1777 $PIPELINE_STORE; mkdir -p /shared/user && chown 1234:1234 /shared/user
        exec >/dev/null 2>&1
        cd /shared/user && $as reliable_run --store $PIPELINE_STORE --name user --periodicity 1s \
            --output out \
            sh -c 'n=0; while [ ! -e end ]; do n=\$((n + 1)); sleep 0.1; done; id -u' &"
    await 60 "a version" log_says user "version 2"
    cluster kill 1
    await 60 "another node restarts it" runs_again user
    on 2 "$as touch /shared/user/end
        timeout 60 $as reliable_run --store $PIPELINE_STORE --wait user"
    shown_log user
    [ "$(cat "$FOLDER/user/out")" = 1234 ]
}

# Whoever lost power comes back.
boot_dead() {
    local node
    for node in 1 2 3; do
        cluster sh $node -- true 2>/dev/null </dev/null || cluster boot $node
    done
    all_are_up
}

# Jobs of other users are there, too.
chmod 755 "$FOLDER"
make_input
[ -n "${SSI_SHARED:-}" ] || AT_END+=('rm -rf "$FOLDER"')
undisturbed_hash
SOURCE="cat ${INPUT##*/}; while [ ! -e may-end ]; do sleep 0.2; done"
SSI_NODES=3 start_cluster --shared "$FOLDER"
rm -rf "$FOLDER"/{checkpoints,begun,user}
mkdir -p "$FOLDER/checkpoints"
[ $# -gt 0 ] || set -- status_is_passed_on fails_by_itself supervisor_dies \
    supervisor_dies_with_memory all_nodes_die worker_dies preempted another_users_job \
    a_node_comes_back_and_reaches_nobody supervisor_dies_where_another_came_back
for case; do
    try "${case//_/ }" "$case"
    boot_dead
done
finish
