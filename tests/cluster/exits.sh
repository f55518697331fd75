#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Exit codes that no other test shows, each with its message: the application runs on, or can be
# restarted when what was in the way is gone.

. "$(dirname "$0")/lib.sh"
FOLDER=/var/lib/ssi/tests/exits
STORE=$FOLDER/checkpoints
# Checkpoints that one node takes part in at the same time (checkpoints.rs).
OPERATIONS_MAX=16
# Of private memory that a process maps and does not touch.
LARGE_MIB=400

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

# No file is left with the PID of nobody.
no_command() {
    gives 1 127 /no/such/command "ssi-run --pid-file $FOLDER/nobody /no/such/command"
    gives 1 126 /etc/passwd "ssi-run --pid-file $FOLDER/nobody /etc/passwd"
    on 1 "[ ! -e $FOLDER/nobody ]"
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

# KiB of memory that node 1 has promised to processes.
promised() { on 1 "awk '/^Committed_AS/ { print \$2 }' /proc/meminfo"; }

# promises KIB: node 1 promises so much, and no more.
promises() { on 1 "cd /proc/sys/vm && echo $1 >overcommit_kbytes && echo 2 >overcommit_memory"; }

promises_all() { on 1 "echo 0 >/proc/sys/vm/overcommit_memory"; }

# A node that keeps its promises can neither clone a large memory nor make it anew: the clone of a
# checkpoint counts as that of a fork does.
no_memory() {
    local before app large=$((LARGE_MIB * 1024)) status=0
    before=$(promised)
    start large "python3 -c \"import mmap, time
memory = mmap.mmap(-1, $LARGE_MIB << 20, mmap.MAP_PRIVATE)
time.sleep(600)\" & $WAITS; kill \$!"
    until [ "$(promised)" -gt $((before + large)) ]; do sleep 0.2; done
    promises $(($(promised) + large / 2))
    gives 1 22 "not enough memory" "checkpoint --store $STORE \$(cat $FOLDER/large)" || status=1
    promises_all
    app=$(end large)
    until [ "$(promised)" -lt $((before + large / 4)) ]; do sleep 0.2; done
    promises $((before + large / 2))
    gives 1 22 "not enough memory: mapping at" "restart --store $STORE $app" || status=1
    promises_all
    on 1 "restart --store $STORE $app"
    goes_on large
    return $status
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
try "a node without memory for a clone, or for a restart" no_memory
try "processes that do not come to rest, and one too many" never_rests
try "all of them go on" all_go_on
finish
