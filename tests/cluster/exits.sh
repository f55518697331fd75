#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Exit codes that no other test shows, each with its message: the application runs on, or can be
# restarted when what was in the way is gone.

. "$(dirname "$0")/lib.sh"
FOLDER=/var/lib/ssi/tests/exits
STORE=$FOLDER/checkpoints
# Checkpoints that one node takes part in at the same time (checkpoints.rs).
OPERATIONS_MAX=16

# start NAME SCRIPT: an application that has begun; its PID is in the file NAME.
start() {
    on 1 "cd $FOLDER && rm -f go '$1'
        ssi-run --pid-file '$1' --output '$1.log' sh -c '$2' >/dev/null 2>&1 &
        until [ -s $FOLDER/$1 ]; do sleep 0.1; done"
}

# end NAME: saves it and ends it; prints the application.
end() {
    on 1 "checkpoint --kill --json --store $STORE \$(cat $FOLDER/$1)" |
        field application
}

# goes_on NAME: it hears the word that it waits for.
goes_on() {
    on 1 "cd $FOLDER && touch go
        until [ \"\$(cat '$1.log')\" = well ]; do sleep 0.1; done"
}

WAITS='until [ -e go ]; do sleep 0.1; done; echo well'

no_command() {
    gives 1 127 /no/such/command "ssi-run /no/such/command"
    gives 1 126 /etc/passwd "ssi-run /etc/passwd"
}

not_joined() {
    local status=0
    on 1 "ssictl leave"
    gives 1 11 "ssictl join" "checkpoint --store $STORE 1" || status=1
    gives 1 11 "ssictl join" "ssictl status" || status=1
    on 1 "ssictl join && until ssictl status >$FOLDER/status &&
        ! grep -qE ' (absent|joining) ' $FOLDER/status; do sleep 0.1; done"
    return $status
}

file_is_gone() {
    local app
    on 1 "echo words >$FOLDER/words"
    start reader "exec 3<words; $WAITS"
    app=$(end reader)
    on 1 "mv $FOLDER/words $FOLDER/words.away"
    gives 1 26 "$FOLDER/words" "restart --store $STORE $app"
    on 1 "mv $FOLDER/words.away $FOLDER/words && restart --store $STORE $app"
    goes_on reader
}

port_is_taken() {
    local app
    start listener "nc -4l 7005 >came & $WAITS; kill \$!"
    on 1 "until ss -Hltn 'sport = :7005' | grep -q LISTEN; do sleep 0.1; done"
    app=$(end listener)
    # Not nc, which shares its port.
    on 1 "while ss -Hltn 'sport = :7005' | grep -q LISTEN; do sleep 0.1; done
        python3 -c 'import socket, time
server = socket.create_server((\"\", 7005))
time.sleep(600)' >/dev/null 2>&1 & echo \$! >$FOLDER/stranger
        until ss -Hltn 'sport = :7005' | grep -q LISTEN; do sleep 0.1; done"
    gives 1 27 "TCP port 7005 is in use on node 1" "restart --store $STORE $app"
    on 1 "kill \$(cat $FOLDER/stranger) && restart --store $STORE $app"
    goes_on listener
}

# Processes that wait in the kernel for a medium that does not answer cannot be stopped. Each has a
# checkpoint under way; one more is refused at once.
never_rests() {
    local i many=$((OPERATIONS_MAX + 1)) said
    on 1 "mkdir -p $FOLDER/medium && mount -o loop $FOLDER/image $FOLDER/medium"
    for i in $(seq $many); do
        start writer-$i "until [ -e go ]; do echo >medium/$i; sleep 0.02; done; echo well"
    done
    said=$(on 1 "fsfreeze -f $FOLDER/medium; sleep 0.5; cd $FOLDER
        for i in \$(seq $many); do
            (checkpoint --store $STORE \$(cat writer-\$i) >said-\$i 2>&1
                echo \"status \$?\" >>said-\$i) &
        done
        wait; fsfreeze -u $FOLDER/medium; cat said-*")
    [ "$(grep -c '^status 19$' <<<"$said")" = $OPERATIONS_MAX ] &&
        [ "$(grep -c 'did not come to rest in time' <<<"$said")" = $OPERATIONS_MAX ] &&
        [ "$(grep -c '^status 28$' <<<"$said")" = 1 ] &&
        grep -q 'checkpoints at the same time' <<<"$said" || { echo "$said"; return 1; }
}

all_go_on() {
    local i
    on 1 "checkpoint --store $STORE \$(cat $FOLDER/writer-1)"
    for i in $(seq $((OPERATIONS_MAX + 1))); do
        goes_on writer-$i
    done
    on 1 "umount $FOLDER/medium"
}

start_cluster
on 1 "rm -rf $FOLDER && mkdir -p $FOLDER"
IMAGE=$(mktemp)
AT_END+=("rm -f $IMAGE")
PATH=$PATH:/sbin:/usr/sbin mke2fs -q -t ext4 -F "$IMAGE" 8M
cluster push 1 "$IMAGE" $FOLDER
on 1 "mv $FOLDER/${IMAGE##*/} $FOLDER/image"
try "a command that is not there, or is none" no_command
try "a node that has not joined" not_joined
try "a file that the application had open is gone" file_is_gone
try "a port of the application is taken" port_is_taken
try "processes that do not come to rest, and one too many" never_rests
try "all of them go on" all_go_on
finish
