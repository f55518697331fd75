#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Every program of tests/programs: undisturbed, checkpointed, and killed and restarted.
#
# usage: tests/cluster/programs.sh [PROGRAM…]

. "$(dirname "$0")/lib.sh"
HERE=$REPO/tests/cluster
AT=/run/ssi/tests

run() { on 1 "$AT/run-program $*"; }

one() {
    local program=$1 mode
    for mode in undisturbed continue restart; do
        try "$program $mode" run $mode "$program"
    done
}

refusals() {
    local kind
    for kind in $(on 1 /usr/lib/ssi/tests/refused); do
        try "refused $kind" run refuse refused "$kind"
    done
}

# Those of scripts/bench check themselves, too, but take other arguments.
programs() {
    local source
    for source in "$REPO"/tests/programs/*.c; do
        [[ $source = */bench_* ]] || basename "$source" .c
    done
}

start_cluster
cluster push 1 "$HERE/node.sh" "$HERE/run-program" $AT
for program in ${*:-$(programs) outside}; do
    case $program in
    refused) refusals ;;
    outside) try "tree outside" run outside tree ;;
    *) one "$program" ;;
    esac
done
finish
