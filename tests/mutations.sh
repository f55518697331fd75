#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Breaks a copy of the protocol core on purpose, once per tests/mutations/*.diff, and checks that
# the simulator finds it within a thousand seeds, by the checker that the diff names.
set -euo pipefail

cd "$(dirname "$0")/.."
out=$PWD/target/mutations
failed=0
for diff in tests/mutations/*.diff; do
    name=$(basename "$diff" .diff)
    checker=$(sed -n 's/^Found by: //p' "$diff")
    tree=$out/$name
    rm -rf "$tree"
    mkdir -p "$tree/rust"
    cp -r sim Cargo.lock "$tree/"
    cp -r rust/ssi-core "$tree/rust/"
    sed 's/^members = .*/members = ["rust\/ssi-core", "sim"]/' Cargo.toml >"$tree/Cargo.toml"
    patch --quiet --strip=1 --directory="$tree" <"$diff"
    # Built once and run for seconds: what a better build gains is less than it takes.
    CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_TARGET_DIR=$out/build cargo build --quiet --release \
        --manifest-path "$tree/Cargo.toml" -p sim
    # All of them: another checker may be the first to find something.
    said=$("$out/build/release/ssi-sim" explore --whole --seeds 1000 --most 1000 2>/dev/null ||
        true)
    if grep -q "breaks $checker:" <<<"$said"; then
        echo "mutations: $name: $(grep -m1 "breaks $checker:" <<<"$said" | cut -c1-100)"
    else
        echo "mutations: $name: not found by $checker: $(head -n 5 <<<"$said")" >&2
        failed=1
    fi
done
exit $failed
