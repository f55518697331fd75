#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The harness itself: commands on nodes, copies, a power cut and a boot, cut links.

. "$(dirname "$0")/lib.sh"
SSI_NODES=3
FILE=/var/lib/ssi/boot-test
WORK=$(mktemp -d)
AT_END+=("rm -rf '$WORK'")

same() { [ "$1" = "$2" ] || { printf 'is:     %q\nwanted: %q\n' "$1" "$2"; return 1; }; }

# Not a bare "!": errexit does not see that.
cannot() { ! "$@"; }

# Streams, status and arguments arrive as they were given.
pass_through() {
    local out status=0
    out=$(printf 'in  put' | cluster sh 2 -- sh -c 'cat; echo "|$1"; echo err >&2; exit 7' \
        x "a  'b" 2>"$WORK/err") || status=$?
    same "$out" "in  put|a  'b"
    same "$(cat "$WORK/err")" err
    same $status 7
    status=0
    cluster sh 1 -- sh -c 'kill -9 $$' || status=$?
    same $status 137
}

binary_stdin() {
    local sum
    head -c 1000000 /dev/urandom >"$WORK/random"
    sum=$(cluster sh 3 -- 'sha256sum' <"$WORK/random")
    same "$sum" "$(sha256sum <"$WORK/random")"
}

side_by_side() {
    local number pids=()
    for number in 1 2 3 1 2 3; do
        [ "$(on "$number" hostname)" = "node$number" ] &
        pids+=($!)
    done
    for number in "${pids[@]}"; do wait "$number"; done
}

copies() {
    mkdir -p "$WORK/folder" "$WORK/back"
    echo "with a space" >"$WORK/folder/a file"
    chmod 750 "$WORK/folder/a file"
    cluster push 2 "$WORK/folder" "$WORK/random" /root/copies
    cluster pull 2 /root/copies/folder "/root/copies/random" "$WORK/back"
    cmp "$WORK/random" "$WORK/back/random"
    same "$(cat "$WORK/back/folder/a file")" "with a space"
    same "$(stat -c %a "$WORK/back/folder/a file")" 750
}

shared_folder() {
    on 1 "echo from node 1 >/shared/boot-test"
    same "$(on 3 'cat /shared/boot-test')" "from node 1"
}

# replaced FILES: node 1 gives one name to a long and to a short file, in turn, while node 2 reads
# it. (Linux 6.12 read on for ever where a file was shorter than it had just been.)
replaced() {
    on 1 "timeout 60 perl -e 'for my \$n (1 .. $1) {
        open(my \$to, \">\", \"/shared/aside\") or die;
        print \$to \"x\" x (\$n % 2 ? 2000 : 100);
        close \$to;
        rename \"/shared/aside\", \"/shared/replaced\" or die;
    }'; touch /shared/replaced-end" &
    on 2 "rm -f /run/boot-test; perl -e 'until (-e \"/shared/replaced-end\") {
        open(my \$from, \"<\", \"/shared/replaced\") or next;
        my \$text = <\$from> // next;
        my \$len = length \$text;
        print \"\$len bytes\n\" if \$len != 2000 && \$len != 100;
    } print \"end\n\"' >/run/boot-test 2>&1 </dev/null &"
    wait
    # Not by waiting for the reader: nothing ends one that hangs.
    for _ in $(seq 20); do
        ! on 2 "grep -qx end /run/boot-test" || break
        sleep 0.5
    done
    same "$(on 2 'cat /run/boot-test')" end
}

boot_id() { on "$1" 'cat /proc/sys/kernel/random/boot_id'; }

# What was synced outlives the power cut; what only memory held does not.
power_cut() {
    local before pid
    before=$(boot_id 2)
    pid=$(on 2 'echo $$')
    on 2 "echo durable >$FILE && sync $FILE && echo memory >/tmp/boot-test"
    cluster kill 2
    cannot cluster sh 2 -- true 2>"$WORK/err"
    grep -q 'node 2 is killed' "$WORK/err"
    grep '^node 2  killed' <(cluster status)
    cluster boot 2
    [ "$(boot_id 2)" != "$before" ] || { echo "the boot id is the same"; return 1; }
    same "$(on 2 "cat $FILE")" durable
    on 2 "[ ! -e /tmp/boot-test ]"
    # An application that was born there may live elsewhere by now.
    pid=$(($(on 2 'echo $$') - pid))
    [ ${pid#-} -gt 1000 ] || { echo "PIDs begin again where they began"; return 1; }
}

# reaches FROM TO: a TCP connection within 3 s.
reaches() {
    on "$2" 'rm -f /run/boot-test; timeout 20 nc -4ld 7999 >/run/boot-test 2>&1 &
        until ss -Hltn "sport = :7999" | grep -q LISTEN; do :; done'
    on "$1" "echo hello | timeout 3 nc -4Nw 3 10.77.0.$2 7999" || { stop_listener "$2"; return 1; }
    same "$(on "$2" 'cat /run/boot-test')" hello
}

stop_listener() { on "$1" 'fuser -sk 7999/tcp; true'; }

cut_and_heal() {
    reaches 1 2
    cluster cut 1 2
    cannot reaches 1 2
    cannot reaches 2 1
    reaches 1 3
    cluster kill 2
    cluster boot 2
    cannot reaches 2 1
    cluster heal
    reaches 1 2
}

start_cluster
try "streams, status and arguments pass through" pass_through
try "a megabyte of binary standard input" binary_stdin
try "commands side by side" side_by_side
try "push and pull" copies
try "the shared folder" shared_folder
try "a file that another node replaces" replaced 300
try "a power cut keeps what was synced" power_cut
try "cut links, healed links" cut_and_heal
finish
