#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Programs from Debian, checkpointed in the middle, killed and restarted, end as undisturbed.
#
# usage: tests/cluster/apps.sh [APP…]

. "$(dirname "$0")/lib.sh"
HERE=$REPO/tests/cluster
AT=/run/ssi/tests

start_cluster
cluster push 1 "$HERE/node.sh" "$HERE/run-app" $AT
for app in ${*:-python3 asyncio perl bash gcc xz sqlite3}; do
    try "$app" on 1 "$AT/run-app $app"
done
finish
