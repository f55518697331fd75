#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A kernel that crashes is noticed by every call, with its trace; on a node of the test's own.

unset SSI_CLUSTER
. "$(dirname "$0")/lib.sh"
SSI_MEM=512
CRASHED=70

# crashed WORDS COMMAND...: ends with the status of a crash and says the words.
crashed() {
    local words=$1 status=0 said
    shift
    said=$("$@" 2>&1 </dev/null) || status=$?
    [ $status = $CRASHED ] || { echo "status $status: $said"; return 1; }
    grep -F -- "$words" <<<"$said" >/dev/null || { echo "no '$words' in: $said"; return 1; }
}

# A line as the kernel would write it: the log is read, and what is in it counts.
complaint() {
    on 1 'echo "WARNING: written by a test" >/dev/kmsg'
    crashed "WARNING: written by a test" cluster check
}

crash() { crashed sysrq_handle_crash cluster sh 1 -- 'echo c >/proc/sysrq-trigger'; }

later_calls() {
    crashed "Kernel panic" cluster sh 1 -- true
    crashed "Kernel panic" cluster push 1 "$0" /root
    crashed "node 1  crashed" cluster status
    crashed "Kernel panic" cluster check
}

start_cluster
try "a complaint in the kernel's log" complaint
try "the call that meets a crash" crash
try "later calls" later_calls
# Not finish: it asks that no kernel has complained.
printf '%s: %d passed, %d failed\n' "$TEST" "$PASSED" "${#FAILED[@]}"
[ ${#FAILED[@]} = 0 ]
