#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Every program of tests/programs: undisturbed, checkpointed, and killed and restarted.
#
# usage: tests/cluster/programs.sh [PROGRAM…]

. "$(dirname "$0")/lib.sh"
HERE=$REPO/tests/cluster
AT=/run/ssi/tests

SSI_NODES=2

# run NODE MODE PROGRAM [KIND]
run() { on "$1" "$AT/run-program ${*:2}"; }

# modes NODE PROGRAM
modes() {
    local mode
    for mode in undisturbed continue restart; do
        try "$2 $mode" run "$1" $mode "$2"
    done
}

# refusals NODE PROGRAM: all kinds that it has here.
refusals() {
    local kind kinds folder=/var/lib/ssi/tests/kinds
    kinds=$(on "$1" "rm -rf $folder && mkdir -p $folder && cd / && /usr/lib/ssi/tests/$2 $folder")
    [ -n "$kinds" ] || try "kinds of $2" false
    for kind in $kinds; do
        try "$2 $kind" run "$1" refuse "$2" "$kind"
    done
}

# one NODE PROGRAM
one() {
    case $2 in
    refused*) refusals "$@" ;;
    outside) try "tree outside" run "$1" outside tree ;;
    *) modes "$@" ;;
    esac
}

# Those of scripts/bench check themselves, too, but take other arguments.
programs() {
    local source
    for source in "$REPO"/tests/programs/*.c; do
        [[ $source = */bench_* ]] || basename "$source" .c
    done
}

start_cluster
for node in 1 2; do
    cluster push $node "$HERE/node.sh" "$HERE/run-program" $AT
done
spread one ${*:-$(programs) outside}
finish
