#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A job on three nodes ends well although a node taken by chance loses power again and again.
#
# usage: tests/cluster/storm.sh [SECONDS [SEED [MEDIA]]]    default: 75 s, 1, disk
#
#   node 1: 20 lines a second  ->  node 2: sort  ->  node 3: sha256sum, the command of the job
#
# SECONDS is what the job takes undisturbed. Every line that node 1 sends is noted in a file that
# does not belong to the application, so that work that was done twice can be counted. The last
# lines say how much that was, and how fast the job was compared with its first seconds, which are
# undisturbed.

. "$(dirname "$0")/lib.sh"
LENGTH=${1:-75}
RANDOM=${2:-1}
MEDIA=${3:-disk}
RATE=20
SIZE=0
FOLDER=${SSI_SHARED:-$(mktemp -d)}
. "$REPO/scripts/pipeline.sh"
# Between two power cuts, and until a node is back: seconds, from and by how much more.
if [ "$LENGTH" -ge 300 ]; then CALM=(45 30) DARK=(5 15); else CALM=(14 8) DARK=(3 5); fi
CUTS=0

# by_chance FROM MORE: sets CHANCE. (A subshell would draw numbers of its own.)
by_chance() { CHANCE=$(($1 + RANDOM % ($2 + 1))); }

make_work() {
    awk -v lines=$((LENGTH * RATE)) 'BEGIN {
        for (x = 1; n < lines; n++) { x = (x * 16807) % 2147483647; printf("%010d %d\n", x, n) }
    }' >"$FOLDER/work"
    LC_ALL=C sort "$FOLDER/work" | sha256sum | cut -d' ' -f1 >"$FOLDER/wanted"
    cat >"$FOLDER/send.pl" <<'PERL'
use Time::HiRes qw(sleep time);
$| = 1;
open(my $work, '<', 'work') or die;
while (<$work>) {
    print;
    # Opened anew each time: what the application holds open would go back with it.
    open(my $note, '>>', 'sent') or die;
    printf $note "%d %.1f\n", $., time;
    close $note;
    sleep(1 / $ENV{RATE});
}
PERL
}

start_job() {
    rm -f "$FOLDER"/{result,status,sent}
    on 3 "cd /shared || exit
        { reliable_run --store $PIPELINE_STORE --name storm --media $MEDIA \
            --periodicity auto --mtbf 60s --output /shared/out \
            sh -c 'nc -4nl 7002 </dev/null | sha256sum >result' &
            wait \$!; } >/dev/null 2>&1 &"
    await 30 "node 3 listens" listens 3 7002
    part 2 "nc -4nl 7001 </dev/null | LC_ALL=C sort -S 50M | nc -4nN 10.77.0.3 7002"
    await 30 "node 2 listens" listens 2 7001
    part 1 "RATE=$RATE perl send.pl | nc -4nN 10.77.0.2 7001"
    await 60 "a version of all three nodes" \
        grep -q "on 3 nodes" "$FOLDER/checkpoints/jobs/storm/log"
}

# It has ended, or was given up.
is_over() {
    grep -qsE '"phase":"(ended|failed|preempted)"' "$FOLDER"/checkpoints/jobs/storm/state-*
}

# wait_or_end SECONDS: fails if the job ends meanwhile.
wait_or_end() {
    local end=$((SECONDS + $1))
    while [ $SECONDS -lt $end ]; do
        ! is_over || return 1
        sleep 0.5
    done
}

# One node after the other falls and comes back, until the job has ended.
storm() {
    local node end=$((SECONDS + LENGTH * 3 + 120))
    while by_chance "${CALM[@]}" && wait_or_end $CHANCE; do
        [ $SECONDS -lt $end ] || { echo "not over after three times its length"; return 1; }
        by_chance 1 2
        node=$CHANCE
        cluster kill "$node"
        CUTS=$((CUTS + 1))
        echo "power cut $CUTS: node $node"
        by_chance "${DARK[@]}"
        sleep $CHANCE
        cluster boot "$node"
    done
}

ends_well() {
    local status=0
    on 1 "timeout 60 reliable_run --store $PIPELINE_STORE --wait storm" || status=$?
    [ $status = 0 ] || { echo "status $status"; return 1; }
    compare_hashes || { echo "hash $RESULT, undisturbed $WANTED"; return 1; }
}

# A number that does not follow on the one before it: the job went back.
lost_work() {
    awk -v lines=$((LENGTH * RATE)) '
        NR == 1 { first = $2 }
        $1 <= last { again = last + 1 - $1; lost += again; back++; if (again > most) most = again }
        $1 > last + 1 { gap++ }
        !back && NR == 200 { calm = 199 / ($2 - first) }
        { last = $1; end = $2 }
        END {
            printf "%d lines, %d sent again (%.1f %%), most at once %d, in %d restarts\n", \
                lines, lost, 100 * lost / lines, most, back
            printf "%.0f s; at the pace of the first 200 lines %.0f s (%.0f %%)\n", \
                end - first, lines / calm, 100 * lines / calm / (end - first)
            exit gap || last != lines || !back
        }' "$FOLDER/sent"
}

# What the job's folder and its attendants say, where the job did not end well.
evidence() {
    local job=$FOLDER/checkpoints/jobs/storm node
    sed 's/^/log: /' "$job/log"
    tail -n +1 "$job"/{state,node,claim}-*
    for node in 1 2 3; do
        echo "node $node:"
        timeout 20 "$REPO/scripts/qemu-cluster/cluster" sh $node -- 'ssictl status --processes
            for pid in $(pgrep reliable_run); do
                ps -o pid,stat,time,args -p $pid; cat /proc/$pid/stack
            done' </dev/null 2>&1 || true
    done
}

[ -n "${SSI_SHARED:-}" ] || AT_END+=('rm -rf "$FOLDER"')
mkdir -p "$FOLDER"
make_work
SSI_NODES=3 start_cluster --shared "$FOLDER"
rm -rf "$FOLDER/checkpoints"
mkdir -p "$FOLDER/checkpoints"
start_job
# Not with try, which would lose the count in its subshell.
storm
try "nodes lost power" [ $CUTS -gt 1 ]
try "ends with the result of an undisturbed run" ends_well
try "every line was sent" lost_work
lost_work || evidence
finish
