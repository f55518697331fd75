# SPDX-License-Identifier: GPL-2.0
# What every script here shares: steps with a log and a time, the cache, locks. Sourced by bash.

set -euo pipefail
REPO=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
CACHE=${SSI_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/kernel-ssi}
LOGS=${SSI_LOGS:-$CACHE/log}
BUILT=$REPO/target/ssi
KERNEL_SERIES=6.12
MIN_FREE_MB=${SSI_MIN_FREE_MB:-500}
mkdir -p "$CACHE" "$LOGS" 2>/dev/null ||
    { echo "error: cannot create the cache $CACHE (read-only or full disk?)" >&2; exit 1; }

die() { echo "error: $*" >&2; exit 1; }
say() { printf '%s\n' "$*" >&2; }
now_ms() { local t=${EPOCHREALTIME/[.,]/}; echo "${t%???}"; }

# step NAME COMMAND...: one progress line with its time; on failure one that names step and log.
step() {
    local name=$1 log start rc=0
    shift
    log=$LOGS/$(tr -cs 'A-Za-z0-9' '-' <<<"$name" | sed 's/-*$//').$$.log
    start=$(now_ms)
    [ ! -t 2 ] || printf '  .. %s' "$name" >&2
    # Not "|| rc=$?" around a function: that would switch off errexit inside it.
    set +e
    (set -e; "$@") >"$log" 2>&1 </dev/null
    rc=$?
    set -e
    [ ! -t 2 ] || printf '\r\033[K' >&2
    if [ $rc -ne 0 ]; then
        say "FAILED: $name$(why_failed "$log"), exit status $rc; log: $log"
        exit 1
    fi
    printf '  ok %-46s %7s s\n' "$name" "$(seconds_since "$start")" >&2
    mv -f "$log" "${log%."$$".log}.log"
}

seconds_since() {
    local ms=$(($(now_ms) - $1))
    printf '%d.%d' $((ms / 1000)) $((ms % 1000 / 100))
}

NO_NETWORK='could not resolve|temporary failure resolving|network is unreachable'
NO_NETWORK+='|failed to fetch|failed to download|connection timed out|spurious network|curl failed'

# The usual causes that a user can do something about, told apart from a build error.
why_failed() {
    if grep -qiE 'no space left on device|disk quota exceeded' "$1"; then
        echo " (the disk is full)"
    elif grep -qiE "$NO_NETWORK" "$1"; then
        echo " (no network, or a download failed)"
    fi
}

# need_space MB: said before the work, not by a broken file in the middle of it.
need_space() {
    local free
    free=$(df -Pm "$CACHE" | awk 'NR == 2 { print $4 }')
    [ "$free" -ge $(($1 + MIN_FREE_MB)) ] ||
        die "the disk of $CACHE has $free MB free, this step needs $(($1 + MIN_FREE_MB)) MB"
}

# with_lock NAME COMMAND...: one at a time over all runs on this cache; a failure ends the script.
with_lock() {
    local lock=$CACHE/$1.lock lock_fd
    shift
    mkdir -p "${lock%/*}"
    exec {lock_fd}>"$lock"
    flock -n "$lock_fd" || { say "  .. waiting for another run ($lock)"; flock "$lock_fd"; }
    "$@"
    exec {lock_fd}>&-
}

# publish TEMP FINAL: makes a finished artefact visible in one rename.
publish() {
    if ! mv -T "$1" "$2" 2>/dev/null; then
        [ -e "$2" ] || die "cannot move $1 to $2"
        rm -rf "$1"
    fi
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"
    elif command -v sudo >/dev/null; then sudo -n "$@" 2>/dev/null || sudo "$@"
    else die "root or sudo is needed to run: $*"
    fi
}

hash_of() { sha256sum | cut -c1-16; }

# The kernel's make and the user's cargo must not meet another Rust that is first in PATH.
kernel_make() {
    env PATH="/usr/bin:/bin:/usr/sbin:/sbin" \
        KBUILD_BUILD_TIMESTAMP='1970-01-01' KBUILD_BUILD_USER=ssi KBUILD_BUILD_HOST=ssi \
        make --no-print-directory RUSTC=/usr/bin/rustc HOSTRUSTC=/usr/bin/rustc \
        RUSTFMT=/usr/bin/rustfmt RUSTDOC=/usr/bin/rustdoc CLIPPY_DRIVER=/usr/bin/clippy-driver \
        BINDGEN="$(bindgen_path)" LIBCLANG_PATH=/usr/lib/llvm-19/lib "$@"
}

BINDGEN_VERSION=0.73.2
bindgen_path() {
    local packaged=/usr/bin/bindgen
    if [ -x "$packaged" ] && is_new_bindgen "$("$packaged" --version | awk '{ print $2 }')"; then
        echo "$packaged"
    else echo "$CACHE/bindgen-$BINDGEN_VERSION/bin/bindgen"
    fi
}

# 0.71 is the first that reads the headers of this kernel together with this rustc.
is_new_bindgen() {
    [[ $1 == [0-9]* && $(printf '%s\n' 0.71 "$1" | sort -V | head -n1) == 0.71 ]]
}

host_cargo() { env PATH="/usr/bin:$PATH" RUSTC=/usr/bin/rustc /usr/bin/cargo "$@"; }
