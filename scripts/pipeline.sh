# SPDX-License-Identifier: GPL-2.0
# The pipeline on three nodes that the demo and the tests disturb. Sourced by bash.
#
#   cat | nc  ->  nc | sort | nc  ->  nc | sha256sum
#
# Uses `on NODE SCRIPT`, SIZE (MiB of data), FOLDER (of this machine, /shared of the nodes) and
# SLOW (set: a shell loop behind cat, which takes minutes for a few MiB and does not end before
# `let_end`).

PIPELINE_STORE=/shared/checkpoints
INPUT=$FOLDER/input-$SIZE

# await SECONDS TEXT COMMAND...: until the command succeeds; the debug kernel gets longer.
await() {
    local end=$((SECONDS + $1 * (${SSI_DEBUG:+9} + 1))) what=$2
    shift 2
    until "$@"; do
        [ $SECONDS -lt $end ] || { echo "error: timed out: $what" >&2; exit 1; }
        sleep 0.2
    done
}

# Lines in no order, the same ones every time.
make_input() {
    mkdir -p "$FOLDER"
    [ -e "$INPUT" ] && return
    awk -v bytes=$((SIZE * 1024 * 1024)) 'BEGIN {
        for (x = 1; n < bytes; n += length(line) + 1) {
            x = (x * 16807) % 2147483647
            line = sprintf("%010d the quick brown fox jumps %d times over %08x", x, n % 97, x)
            print line
        }
    }' >"$INPUT.part"
    mv "$INPUT.part" "$INPUT"
}

undisturbed_hash() { LC_ALL=C sort "$INPUT" | sha256sum | cut -d' ' -f1 >"$FOLDER/wanted"; }

# part N SCRIPT: one node's share of the application, under the CHECKPOINTABLE capability.
part() {
    on "$1" "cd /shared || exit
        ssi-run --output /shared/log-$1 --pid-file /run/ssi/part-pid \
        sh -c $(printf %q "$2") >/dev/null 2>&1 &"
}

listens() { on "$1" "ss -Hltn 'sport = :$2' | grep -q LISTEN"; }

# From the last part to the first, so that each finds its listener.
start_pipeline() {
    local source="cat ${INPUT##*/}"
    if [ -n "${SLOW:-}" ]; then
        source="$source | { while read -r line; do echo \"\$line\"; done
            while [ ! -e may-end ]; do sleep 0.2; done; }"
    fi
    rm -f "$FOLDER"/{result,may-end}
    part 3 "nc -4nl 7002 </dev/null | sha256sum >result"
    await 30 "node 3 listens" listens 3 7002
    part 2 "nc -4nl 7001 </dev/null | LC_ALL=C sort -S 500M | nc -4nN 10.77.0.3 7002"
    await 30 "node 2 listens" listens 2 7001
    part 1 "$source | nc -4nN 10.77.0.2 7001"
}

# position NODE: bytes of the input that were read so far by the process on the node.
position() {
    on "$1" "find /proc/[0-9]*/fd -lname /shared/${INPUT##*/} 2>/dev/null" |
        sed 's,/fd/,/fdinfo/,' >"$FOLDER/open-$1" || true
    [ -s "$FOLDER/open-$1" ] || return 1
    on "$1" "cat $(paste -sd' ' "$FOLDER/open-$1")" |
        awk '/^pos:/ && $2 > at { at = $2 } END { print at + 0 }'
}

# has_read NODE PERCENT
has_read() {
    local at
    at=$(position "$1") || return 1
    [ "${at:-0}" -ge $((SIZE * 1024 * 1024 / 100 * $2)) ]
}

processes_of() { on "$1" "ssictl status --processes | awk 'NR > 1 { print \$1 }'"; }

is_empty() { [ -z "$(processes_of "$1")" ]; }

# stop_application NODE...: stopped first, killed then, so that no process sees another's death.
stop_application() {
    local node signal
    for signal in STOP KILL; do
        for node in "$@"; do
            on "$node" "ssictl status --processes | awk 'NR > 1 { print \$1 }' |
                xargs -r kill -s $signal" || true
        done
    done
    for node in "$@"; do
        await 20 "node $node is empty" is_empty "$node"
    done
}

# sees_state NODE OTHER STATE: what a node says of another.
sees_state() { on "$1" "ssictl status" | grep -qE "^ *$2 +$3 "; }

# Every node sees every other: a node that has just booted may have met one of them only, and does
# not miss one that it has never seen.
all_are_up() {
    local node other
    for node in 1 2 3; do
        for other in 1 2 3; do
            await 20 "node $node sees node $other" sees_state $node $other up
        done
    done
}

# The newest version in the list of restart, as `ID VERSION`.
newest_version() { on "$1" "restart --list --store $PIPELINE_STORE" | awk 'END { print $1, $2 }'; }

let_end() { touch "$FOLDER/may-end"; }

has_result() { [ -s "$FOLDER/result" ]; }

# Both hashes; fails if they differ.
compare_hashes() {
    RESULT=$(cut -d' ' -f1 "$FOLDER/result")
    WANTED=$(cat "$FOLDER/wanted")
    [ "$RESULT" = "$WANTED" ]
}
