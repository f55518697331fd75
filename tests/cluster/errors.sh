#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What can go wrong for a user: each has its message and exit code, and nothing is changed by it.

. "$(dirname "$0")/lib.sh"
SSI_NODES=2
FOLDER=/var/lib/ssi/tests/errors
STORE=$FOLDER/checkpoints
BYSTANDER='setpriv --reuid 1234 --regid 1234 --clear-groups'

# The application that all of this must leave alone.
start_victim() {
    on 1 "rm -rf $FOLDER && mkdir -p $FOLDER/small && mount -t tmpfs -o size=1m small $FOLDER/small
        ssi-run --output $FOLDER/log --pid-file $FOLDER/pid /usr/lib/ssi/tests/memory $FOLDER &
        until [ -s $FOLDER/ready ]; do sleep 0.1; done" >/dev/null 2>&1
    PID=$(on 1 "cat $FOLDER/pid")
}

# Every error left it alone: it is still there, and finds all that it had.
victim_is_well() {
    on 1 "touch $FOLDER/go; until [ -s $FOLDER/result ]; do sleep 0.1; done
        cat $FOLDER/result; [ \"\$(cat $FOLDER/result)\" = ok ]"
}

no_version() { [ "$(on 1 "restart --list --json --store $1")" = '[]' ]; }

take_version() {
    local said
    said=$(on 1 "checkpoint --json --store $STORE $PID")
    APP=$(field application <<<"$said")
    LAST=$(field version <<<"$said")
}

# damage FILE: changes one byte in the middle of a file of a version.
damage() {
    on 1 "cd $STORE/$APP/v$LAST && at=\$((\$(stat -c %s $1) / 2)) &&
        byte=\$(od -An -tu1 -j\$at -N1 $1) &&
        printf \"\\\\\$(printf %o \$(((byte + 1) % 256)))\" | dd of=$1 bs=1 seek=\$at conv=notrunc"
}

checkpoint_errors() {
    local stranger
    stranger=$(on 1 'sleep 600 >/dev/null 2>&1 & echo $!')
    try "unknown PID" gives 1 12 7000077 checkpoint --store $STORE 7000077
    try "no capability" gives 1 13 "$stranger has no CHECKPOINTABLE" \
        checkpoint --store $STORE "$stranger"
    try "another's process" gives 1 14 "process $PID is somebody else's" \
        "$BYSTANDER checkpoint --store $STORE $PID"
    try "another's capability" gives 1 14 "somebody else's" "$BYSTANDER ssi-cap --clear $PID"
    try "full disk" gives 1 31 "$FOLDER/small is full" checkpoint --store $FOLDER/small "$PID"
    try "nothing is left on the full disk" no_version $FOLDER/small
    try "leaving in the middle" gives 1 21 "applications run here" ssictl leave
    on 1 "kill $stranger"
}

# It is refused; what the application has written since then must stay, without a hole.
restart_of_what_runs() {
    gives 1 25 "in use" "cd $FOLDER
        ssi-run --output count --pid-file writer sh -c '
            i=0; until [ -e stop ]; do i=\$((i + 1)); echo \$i; sleep 0.02; done' >/dev/null 2>&1 &
        until [ -s count ]; do sleep 0.1; done
        checkpoint --json --store $FOLDER/running \$(cat writer) >report || exit
        old=\$(wc -l <count); until [ \$(wc -l <count) -gt \$((old + 9)) ]; do sleep 0.1; done
        restart --store $FOLDER/running \$(sed 's/.*\"application\":\([0-9]*\).*/\1/' report)"
    on 1 "cd $FOLDER; old=\$(wc -l <count)
        until [ \$(wc -l <count) -gt \$((old + 9)) ]; do sleep 0.1; done
        touch stop; awk '\$1 != NR { print \"line \" NR \": \" \$1; exit 1 }' count"
}

restart_errors() {
    take_version
    try "PIDs in use" gives 1 25 "in use" "restart --store $STORE $APP $LAST"
    try "a restart of what runs does it no harm" restart_of_what_runs
    try "missing version" gives 1 23 "does not exist" "restart --store $STORE $APP 99"
    try "another's version" gives 1 14 "not permitted" \
        "$BYSTANDER restart --store $STORE $APP $LAST"
    try "damage to the part" damage node-1/part
    try "damaged part" gives 1 24 "damaged" "restart --store $STORE $APP $LAST"
    try "damage to the commit" damage commit
    try "damaged commit" gives 1 24 "damaged" "restart --store $STORE $APP $LAST"
}

# An application over two nodes whose network is cut; nothing works between them after that.
cut_off() {
    local pid
    on 2 "mkdir -p ${FOLDER%/*}; ssi-run --output $FOLDER.nc nc -4nl 7003 >/dev/null 2>&1 &
        until ss -Hltn 'sport = :7003' | grep -q LISTEN; do sleep 0.1; done"
    pid=$(on 1 "ssi-run --output $FOLDER.nc --pid-file $FOLDER.pid \
            sh -c 'sleep 600 | nc -4n 10.77.0.2 7003' >/dev/null 2>&1 &
        until ss -Htn 'dport = :7003' | grep -q ESTAB; do sleep 0.1; done; cat $FOLDER.pid")
    cluster cut 1 2
    on 1 "until ssictl status | grep -qE '^ *2 +down '; do sleep 0.1; done"
    gives 1 17 "node 2 cannot be reached" "checkpoint --store $STORE $pid"
}

# saved_on_2 PROGRAM FOLDER: starts a program of the tests on node 2, where it stays, and takes a
# version of it; prints the application.
saved_on_2() {
    on 2 "rm -rf $2 && mkdir -p $2 || exit
        ssi-run --output $2/log --pid-file $2/pid \
            /usr/lib/ssi/tests/$1 $2 >/dev/null 2>&1 &
        until [ -s $2/ready ]; do sleep 0.1; done
        checkpoint --json --store $2/checkpoints \$(cat $2/pid)" |
        field application
}

# ends_well_from_1 FOLDER APPLICATION: restarted by node 1, it finds itself as it was.
ends_well_from_1() {
    on 1 "restart --store $1/checkpoints $2; touch $1/go
        until [ -s $1/result ]; do sleep 0.1; done; [ \"\$(cat $1/result)\" = ok ]"
}

# The program in whose context another node restores is not there.
without_helper() {
    local app failed='' at=/shared/errors
    app=$(saved_on_2 tree $at)
    on 2 "$(end_applications)
        mv /usr/bin/ssi-restart-helper /usr/bin/ssi-restart-helper.away"
    gives 1 30 "/usr/bin/ssi-restart-helper does not run" \
        "timeout 10 restart --store $at/checkpoints $app" || failed=1
    on 2 "mv /usr/bin/ssi-restart-helper.away /usr/bin/ssi-restart-helper"
    [ -z "$failed" ] || return 1
    ends_well_from_1 $at $app
}

# The program in whose context another node restores is killed, sooner or later. The restart ends
# soon, whatever had been made by then, and the next one is a restart like any other.
killed_helper() {
    local app after failed='' at=/shared/killed helper=/usr/bin/ssi-restart-helper
    app=$(saved_on_2 memory $at)
    on 2 "$(end_applications)
        mv $helper $helper.away
        printf '%s\n' '#!/bin/sh' '(sleep \$(cat /run/after); kill -KILL \$\$) &' \
            'exec $helper.away \"\$@\"' >$helper
        chmod 755 $helper"
    for after in 0.02 0.05 0.1 0.15 0.2 0.3; do
        on 2 "echo $after >/run/after"
        on 1 "timeout 10 restart --store $at/checkpoints $app || [ \$? != 124 ]" || failed=1
        on 2 "$(end_applications)"
    done
    on 2 "mv $helper.away $helper"
    [ -z "$failed" ] || return 1
    ends_well_from_1 $at $app
}

end_applications() {
    echo 'for signal in STOP KILL; do
            ssictl status --processes | awk "NR > 1 { print \$1 }" | xargs -r kill -s $signal
        done
        until [ -z "$(ssictl status --processes | awk "NR > 1")" ]; do sleep 0.1; done'
}

# Both have given each other up: who hears of it joins as a new epoch, without a reboot.
joins_again() {
    local node
    cluster heal
    on 2 "until ssictl status 2>&1 | grep -q 'ssictl leave && ssictl join'; do sleep 0.1; done
        ssictl status | grep -qE '^ *1 +estranged '"
    for node in 1 2; do
        on $node "$(end_applications)"
    done
    on 2 "ssictl leave && ssictl join"
    on 1 "until ssictl status | grep -qE '^ *2 +up '; do sleep 0.1; done"
    on 2 "until ssictl status | grep -qE '^ *1 +up '; do sleep 0.1; done
        ! ssictl status 2>&1 | grep -q join"
}

# A node that has come back never meets one that lives, and restarts what runs there: the life that
# it took for gone is not believed afterwards.
never_met() {
    local app at=/shared/never-met
    app=$(saved_on_2 tree $at)
    cluster cut 1 2
    cluster kill 1
    cluster boot 1
    on 1 "restart --nodes 1 --store $at/checkpoints $app"
    cluster heal
    on 2 "until ssictl status 2>&1 | grep -qE '^ *1 +estranged '; do sleep 0.1; done"
    on 1 "ssictl status | grep -qE '^ *2 +estranged '"
}

start_cluster
start_victim
checkpoint_errors
restart_errors
try "the application noticed nothing" victim_is_well
try "no restart helper" without_helper
try "a restart helper that is killed" killed_helper
try "unreachable node" cut_off
try "a node that was given up joins again" joins_again
try "a node that was never met" never_met
try "which joins again, too" joins_again
finish
