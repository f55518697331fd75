#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Programs of tests/programs that are restarted on another node, when theirs has lost its power.
#
# usage: tests/cluster/moved.sh [PROGRAM…]

. "$(dirname "$0")/lib.sh"
SSI_NODES=3
FOLDER=${SSI_SHARED:-$(mktemp -d)}
BASE=/shared/moved
STORE=$BASE/checkpoints
SIZE=0
. "$REPO/scripts/pipeline.sh"
PROGRAMS=${*:-connect epoll files fpu identity memory pairs pipes rseq schedule shared signalfd \
    signals stopped tcp threads timerfd timers tree zombie}

# begin PROGRAM [NAME]: on node 3, and saves it.
begin() {
    local at=$BASE/${2:-$1}
    on 3 "mkdir -p $at && cd $at || exit
        ssi-run --output $at/log --pid-file $at/pid /usr/lib/ssi/tests/$1 $at >/dev/null 2>&1 &
        until [ -s $at/ready -o -s $at/result ]; do sleep 0.1; done
        [ ! -s $at/result ] || { cat $at/result; exit 1; }
        checkpoint --json --store $STORE \$(cat $at/pid) >$at/report"
}

# move NAME: restarts what node 3 ran.
move() {
    on 1 "restart --store $STORE $(application "$1")"
}

application() { field application <"$FOLDER/moved/$1/report"; }

# What runs on another node is not restarted on its own, which is up again; nothing happens to it.
runs_once() {
    local said status=0
    said=$(on 2 "restart --store $STORE $(application elsewhere)" 2>&1) || status=$?
    [ $status = 25 ] || { echo "status $status: $said"; return 1; }
    grep -qE 'PID [0-9]+ is in use on node [12]' <<<"$said" || { echo "$said"; return 1; }
    ends elsewhere
}

goes_on() {
    move "$1" && ends "$1"
}

# ends NAME: the program finds all as it was.
ends() {
    on 1 "touch $BASE/$1/go"
    await 60 "$1 ends" test -s "$FOLDER/moved/$1/result"
    [ "$(cat "$FOLDER/moved/$1/result")" = ok ] ||
        { cat "$FOLDER/moved/$1"/{result,log}; return 1; }
}

[ -n "${SSI_SHARED:-}" ] || AT_END+=('rm -rf "$FOLDER"')
start_cluster --shared "$FOLDER"
rm -rf "$FOLDER/moved"
for program in $PROGRAMS; do
    try "$program before" begin "$program"
done
try "memory before, to run elsewhere" begin memory elsewhere
cluster kill 3
try "node 1 sees it" await 20 "node 3 is down" sees_state 1 3 down
for program in $PROGRAMS; do
    try "$program moved" goes_on "$program"
done
stop_application 1 2
try "memory moved, and runs" move elsewhere
cluster boot 3
try "all nodes see each other" all_are_up
try "memory is not restarted on node 3" runs_once
stop_application 1 2
finish
