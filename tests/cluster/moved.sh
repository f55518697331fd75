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
PROGRAMS=${*:-connect epoll files fpu identity memory pipes rseq schedule shared signals stopped \
    tcp threads timers tree zombie}

begin() {
    on 3 "mkdir -p $BASE/$1 && cd $BASE/$1 || exit
        ssi-run --output $BASE/$1/log \
            --pid-file $BASE/$1/pid /usr/lib/ssi/tests/$1 $BASE/$1 >/dev/null 2>&1 &
        until [ -s $BASE/$1/ready -o -s $BASE/$1/result ]; do sleep 0.1; done
        [ ! -s $BASE/$1/result ] || { cat $BASE/$1/result; exit 1; }
        checkpoint --json --store $STORE \$(cat $BASE/$1/pid) >$BASE/$1/report"
}

goes_on() {
    local app
    app=$(sed -n 's/.*"application":\([0-9]*\).*/\1/p' "$FOLDER/moved/$1/report")
    on 1 "restart --store $STORE $app"
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
cluster kill 3
try "node 1 sees it" await 20 "node 3 is down" sees_state 1 3 down
for program in $PROGRAMS; do
    try "$program moved" goes_on "$program"
done
stop_application 1 2
cluster boot 3
try "node 3 is back" await 30 "node 3 is up" sees_state 1 3 up
finish
