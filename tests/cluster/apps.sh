#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Programs from Debian, checkpointed in the middle, killed and restarted, end as undisturbed.
#
# usage: tests/cluster/apps.sh [APP…]

. "$(dirname "$0")/lib.sh"
HERE=$REPO/tests/cluster
AT=/run/ssi/tests

SSI_NODES=2

one() { try "$2" on "$1" "$AT/run-app $2"; }

start_cluster
for node in 1 2; do
    cluster push $node "$HERE/node.sh" "$HERE/run-app" $AT
done
# Those that take long first.
spread one ${*:-python3 gcc sqlite3 asyncio bash perl xz}
finish
