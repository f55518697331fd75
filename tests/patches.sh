#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The kernel patches apply to a kernel source without fuzz, and change little of it; so do the
# mends for the cluster on one machine.
#
# usage: tests/patches.sh [linux-source-6.12.tar.xz | directory with the source]
set -eu

ADDED_LINES_MAX=700
here=$(cd "$(dirname "$0")/.." && pwd)
source=${1:-/usr/src/linux-source-6.12.tar.xz}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

fail() { echo "patches: $*" >&2; exit 1; }

set -- "$here"/patches/6.12/[0-9]*.patch "$here"/scripts/qemu-cluster/patches/[0-9]*.patch
for patch in "$@"; do
	[ -f "$patch" ] || fail "no patch in $(dirname "$patch")"
done
[ -e "$source" ] || fail "no kernel source at $source"

# Only the files that a patch changes, not the ones that a patch creates.
sed -n 's|^--- a/||p' "$@" | sort -u > "$scratch/changed"
sed -n '/^--- \/dev\/null/{n;s|^+++ b/||p}' "$@" | sort -u > "$scratch/created"
comm -23 "$scratch/changed" "$scratch/created" > "$scratch/needed"

mkdir "$scratch/linux"
if [ -d "$source" ]; then
	tar -C "$source" -cf - -T "$scratch/needed" | tar -C "$scratch/linux" -xf -
else
	sed 's|^|*/|' "$scratch/needed" > "$scratch/globs"
	tar -C "$scratch/linux" --strip-components=1 --wildcards -xf "$source" -T "$scratch/globs"
fi

for patch in "$@"; do
	name=$(basename "$patch")
	grep -q '^Subject: .' "$patch" || fail "$name has no subject"
	patch -d "$scratch/linux" -p1 -F0 --no-backup-if-mismatch -i "$patch" \
		> "$scratch/log" 2>&1 ||
		{ cat "$scratch/log" >&2; fail "$name does not apply"; }
done

# Lines of C added to files of the kernel; files of our own are counted apart.
set -- $(cat "$@" | awk '
	/^--- /{ours = ($2 == "/dev/null")}
	/^\+\+\+ b\//{file = substr($2, 3); if (ours) own[file] = 1; c = /\.[ch]$/; next}
	/^\+/ && c {n[file in own]++}
	END {print n[0] + 0, n[1] + 0}')
[ "$1" -le "$ADDED_LINES_MAX" ] ||
	fail "$1 lines of C added to kernel files, at most $ADDED_LINES_MAX"
echo "patches: all apply; $1 lines of C added to kernel files (at most $ADDED_LINES_MAX)," \
	"$2 in new ones"
