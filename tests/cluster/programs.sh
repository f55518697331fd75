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

# refusals PROGRAM: all kinds that it has here.
refusals() {
    local kind kinds folder=/var/lib/ssi/tests/kinds
    kinds=$(on 1 "rm -rf $folder && mkdir -p $folder && cd / && /usr/lib/ssi/tests/$1 $folder")
    [ -n "$kinds" ] || try "kinds of $1" false
    for kind in $kinds; do
        try "$1 $kind" run refuse "$1" "$kind"
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
    refused*) refusals "$program" ;;
    outside) try "tree outside" run outside tree ;;
    *) one "$program" ;;
    esac
done
finish
