#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The options of checkpoint, restart and ssictl, on an application over two nodes and a small one.

. "$(dirname "$0")/lib.sh"
SSI_NODES=2
FOLDER=/shared/tools
STORE=$FOLDER/checkpoints

# A loop on node 1 that feeds a file through a connection to node 2.
start_pair() {
    on 2 "rm -rf $FOLDER; mkdir -p $FOLDER"
    cluster push 2 "$REPO/tests/cluster/node.sh" $FOLDER
    on 2 "cd $FOLDER
        ssi-run --output in --pid-file pid2 sh -c 'nc -4nl 7004 >came' >/dev/null 2>&1 &
        until ss -Hltn 'sport = :7004' | grep -q LISTEN; do sleep 0.1; done"
    on 1 "cd $FOLDER
        ssi-run --output out --pid-file pid1 sh -c \
            'i=0; while :; do echo \$i; i=\$((i + 1)); sleep 0.05; done | nc -4n 10.77.0.2 7004' \
            >/dev/null 2>&1 &
        until [ -s came ]; do sleep 0.1; done"
    PID=$(on 1 "cat $FOLDER/pid1")
}

# A shell that says a word and ends with a status of its own when it is told to.
start_small() {
    on 1 "cd $FOLDER; rm -f go
        { ssi-run --pid-file pid3 \
            sh -c 'until [ -e go ]; do sleep 0.1; done; echo well; exit 7' </dev/null 2>&1 |
            cat >/dev/null; } >/dev/null 2>&1 &
        until [ -s pid3 ]; do sleep 0.1; done"
    SMALL=$(on 1 "cat $FOLDER/pid3")
}

# states NODE: the state letters of all processes of applications there, each once. Who has ended
# (Z), and whose father could not wait for it before he was stopped, cannot be stopped.
states() {
    on "$1" "for pid in \$(ssictl status --processes | awk 'NR > 1 { print \$1 }'); do
        sed 's/.*) \(.\).*/\1/' /proc/\$pid/stat; done | sort -u | tr -d 'Z\n'"
}

all_stopped() { [ "$(states 1)" = T ] && [ "$(states 2)" = T ]; }

# await_gone NODE…: until no application runs there.
await_gone() {
    local node
    for node; do
        on "$node" "for i in \$(seq 200); do
            ssictl status --processes | grep -q '^ *[0-9]' || exit 0; sleep 0.1; done; exit 1"
    done
}

# grows: the numbers go on arriving, none twice and none left out.
grows() {
    local before after
    before=$(on 2 "wc -l <$FOLDER/came")
    on 2 "for i in \$(seq 100); do [ \$(wc -l <$FOLDER/came) -le $before ] || exit 0
        sleep 0.1; done; exit 1"
    on 2 "head -n -1 $FOLDER/came | awk '\$1 != NR - 1 { exit 1 }'"
}

freeze() {
    local said before
    said=$(on 1 "checkpoint --freeze --json $PID")
    [ "$(field nodes <<<"$said")" = 2 ] && all_stopped || { echo "$said"; states 1; return 1; }
    before=$(on 2 "wc -l <$FOLDER/came")
    on 2 "sleep 1; [ \$(wc -l <$FOLDER/came) = $before ]"
}

unfreeze() { on 2 "checkpoint --unfreeze $PID" && grows; }

# take_and_end [OPTION…]: the version is kept in TAKEN, as `ID VERSION`.
take_and_end() {
    local said
    said=$(on 1 "checkpoint --kill --json --store $STORE $* $PID")
    echo "$(field application <<<"$said") $(field version <<<"$said")" >"$TAKEN"
    await_gone 1 2
}

taken() { cat "$TAKEN"; }

image_is_whole() {
    local version
    version=$(taken | tr ' ' :)
    on 1 "ssi-image verify --store $STORE $version &&
        ssi-image print --store $STORE --json $version | grep -q TcpStream"
}

back_and_stopped() {
    on 1 "restart --stopped --store $STORE $(taken)" && all_stopped
}

back_on_one_node() {
    on 1 "restart --nodes 2 --store $STORE $(taken)" && await_gone 1 && grows
}

nowhere() {
    local status=0
    on 1 "restart --nodes 9,254 --store $STORE $(taken)" || status=$?
    [ $status = 17 ]
}

# What runs is not restarted, and its files are left alone.
twice() {
    local status=0
    on 1 "restart --store $STORE $(taken)" || status=$?
    [ $status = 25 ] && grows
}

# Through a pipe into another store, as between clusters.
moved_through_a_pipe() {
    on 1 "checkpoint --kill --exportable=- --store $STORE $PID >$FOLDER/job.ssi"
    await_gone 1 2
    on 1 "ssi-image verify $FOLDER/job.ssi && cat $FOLDER/job.ssi |
        restart --store $FOLDER/elsewhere -" && grows
}

drained() {
    on 1 "ssictl drain --store $STORE" && await_gone 1 && grows
}

# The status of a restored process is that of restart, and a file takes what went to the pipe.
followed() {
    local status=0 app
    app=$(on 1 "checkpoint --kill --json --store $STORE $SMALL" | field application)
    await_gone 1
    on 1 "cd $FOLDER; (sleep 2; touch go) &
        restart --foreground --substitute 1=said --store $STORE $app" || status=$?
    [ $status = 7 ] || { echo "status $status"; return 1; }
    [ "$(on 1 "cat $FOLDER/said")" = well ]
}

# On another node it is no son of restart, which says so; it runs all the same.
elsewhere() {
    local app
    start_small
    app=$(on 1 "checkpoint --kill --json --store $STORE $SMALL" | field application)
    await_gone 1
    gives 1 7 "runs on other nodes" "restart --foreground --nodes 2 --store $STORE $app"
    on 2 "touch $FOLDER/go" && await_gone 2
}

end_all() {
    local node
    for node; do
        on "$node" ". $FOLDER/node.sh; end_applications"
    done
}

# Nodes of this cluster, which has two or more.
nodes_up() { on 1 "ssictl status --json" | grep -o '"state":"up"' | wc -l; }

TAKEN=$(mktemp)
AT_END+=('rm -f "$TAKEN"')
start_cluster
start_pair
try "frozen at one moment on both nodes" freeze
try "goes on where it was" unfreeze
try "held, saved and ended" take_and_end
try "the image is whole" image_is_whole
try "no node may be used" nowhere
try "comes back stopped" back_and_stopped
try "goes on when it is told to" unfreeze
try "a restart of what runs does it no harm" twice
try "saved and ended again" take_and_end --description=again
try "comes back on the node that was named" back_on_one_node
try "moves through a pipe" moved_through_a_pipe
try "a drained node is empty" drained
end_all $(seq 2 "$(nodes_up)")
start_small
try "its exit status is passed on" followed
try "on another node it has none" elsewhere
finish
