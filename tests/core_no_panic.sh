#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Proves that the protocol core cannot panic: linked, it refers to no panic function of core.
set -eu

cd "$(dirname "$0")/.."
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

# The kernel's compiler and its warnings; functions of other crates are not inlined, so that what is
# called shows.
RUSTC_BOOTSTRAP=1 "${RUSTC:-/usr/bin/rustc}" rust/ssi-core/src/lib.rs \
	--crate-name ssi_core --crate-type rlib --edition 2021 \
	-O -C panic=abort -C codegen-units=1 -C overflow-checks=on \
	-Z cross-crate-inline-threshold=never \
	-D warnings -W missing_docs -W rust_2018_idioms -W unreachable_pub \
	--emit="obj=$out/ssi_core.o" --out-dir "$out"

if [ -z "$(nm -C "$out/ssi_core.o" | grep 'ssi_core::checkpoint')" ]; then
	echo "core_no_panic: the object holds no code, so this proves nothing" >&2
	exit 1
fi
# All that it may need from outside: formatting, and bytes that are moved, set, compared, found.
refers=$(nm -uC "$out/ssi_core.o" |
	grep -Ev 'core::fmt::|core::slice::memchr::| (memcpy|memmove|memset|memcmp|bcmp)$' || true)
if [ -n "$refers" ] || nm -C "$out/ssi_core.o" | grep -i panic; then
	echo "core_no_panic: the core may fail by these functions:" >&2
	echo "$refers" >&2
	exit 1
fi
echo "core_no_panic: no panic in $(nm "$out/ssi_core.o" | grep -c ' [tT] ') functions"
