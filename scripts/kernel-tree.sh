# SPDX-License-Identifier: GPL-2.0
# The work tree of a kernel build: unpack, patch by difference, configure, export. Sourced.

# Big parts of the source that no x86 node's kernel reads.
NOT_UNPACKED=(drivers/gpu/drm/amd/include tools/testing tools/perf
    Documentation/devicetree Documentation/translations)

# Part of the key of a built kernel: to be raised when export_tree leaves other files there.
EXPORT_FORMAT=2

unpack_source() {
    local tarball=$1 tree=$2 version=$3 temp=$2.part
    [ "$(cat "$tree/.source-version" 2>/dev/null)" != "$version" ] || return 0
    rm -rf "$temp" "$tree" "$tree.orig" "$tree.added"
    mkdir -p "$temp"
    tar -xJf "$tarball" -C "$temp" --strip-components=1 "${NOT_UNPACKED[@]/#/--exclude=*/}"
    echo "$version" >"$temp/.source-version"
    mv -T "$temp" "$tree"
}

patched_paths() {
    [ $# -gt 0 ] || return 0
    sed -nE 's,^(---|\+\+\+) [ab]/([^\t]+).*$,\2,p' "$@" | sort -u
}

# Patches a copy of the files concerned and moves only those that came out different into the
# tree: their neighbours keep their times, and make rebuilds little. TREE.orig keeps the originals.
apply_patches() {
    local tree=$1 orig=$1.orig stage=$1.stage path patch
    shift
    rm -rf "$stage"
    mkdir -p "$stage" "$orig"
    keep_originals "$tree" "$orig" $(patched_paths "$@")
    cp -a "$orig/." "$stage/"
    for patch; do
        echo "== $patch"
        patch -d "$stage" -p1 --no-backup-if-mismatch -i "$patch"
    done
    remove_stale "$tree" "$stage"
    find "$stage" -type f -printf '%P\n' | sort -u | while read -r path; do
        move_if_different "$stage/$path" "$tree/$path"
    done
    rm -rf "$stage"
}

# A file that the source does not have is not in TREE.orig; what is in TREE.added came by a patch.
keep_originals() {
    local tree=$1 orig=$2 path
    shift 2
    touch "$tree.added"
    for path; do
        [ ! -e "$orig/$path" ] && ! grep -qxF "$path" "$tree.added" || continue
        if [ -e "$tree/$path" ]; then
            mkdir -p "$orig/$(dirname "$path")"
            cp -a "$tree/$path" "$orig/$path"
        else
            echo "$path" >>"$tree.added"
        fi
    done
}

move_if_different() {
    local from=$1 to=$2
    cmp -s "$from" "$to" && return
    echo "changed: $to"
    mkdir -p "$(dirname "$to")"
    cp "$from" "$to.new"
    mv -f "$to.new" "$to"
}

remove_stale() {
    local tree=$1 stage=$2 path
    while read -r path; do
        [ -e "$stage/$path" ] || rm -f "$tree/$path"
    done <"$tree.added"
}

# tinyconfig + fragments; every option that was asked for must be in the result.
configure_tree() {
    local tree=$1 wanted=$1.wanted missing stamp
    asked_options >"$wanted"
    stamp=$(configuration_stamp "$tree" "$wanted")
    [ "$(cat "$tree/.configured" 2>/dev/null)" != "$stamp" ] || return 0
    kernel_make -C "$tree" -s "${COMPILER[@]}" KCONFIG_CONFIG=.config.new tinyconfig
    cat "$wanted" >>"$tree/.config.new"
    kernel_make -C "$tree" -s "${COMPILER[@]}" KCONFIG_CONFIG=.config.new olddefconfig
    missing=$(unhonoured "$wanted" "$tree/.config.new")
    if [ -n "$missing" ]; then
        echo "error: the kernel's configuration does not honour: $missing"
        return 1
    fi
    cmp -s "$tree/.config.new" "$tree/.config" || mv "$tree/.config.new" "$tree/.config"
    rm -f "$tree/.config.new" "$tree/.config.new.old"
    echo "$stamp" >"$tree/.configured"
}

# All that a configuration depends on, besides the source's version; it takes make 10 s to see that.
configuration_stamp() {
    local tree=$1 wanted=$2 path
    {
        cat "$wanted"
        /usr/bin/rustc --version
        "${COMPILER[0]#CC=}" --version
        "$(bindgen_path)" --version
        { find "$tree.orig" -name 'Kconfig*' -printf '%P\n' | sort; cat "$tree.added"; } |
            while read -r path; do
                case $path in *Kconfig*) cat "$tree/$path" 2>/dev/null || echo "no $path" ;; esac
            done
    } | hash_of
}

# The last line for an option counts, as it does for kconfig.
unhonoured() {
    awk -F= '
        NR == FNR { want[$1] = $2; next }
        /^CONFIG_/ { have[$1] = substr($0, length($1) + 2) }
        END {
            for (o in want) {
                value = (o in have) ? have[o] : "n"
                if (value != want[o]) printf "%s=%s (is %s) ", o, want[o], value
            }
        }' "$1" "$2"
}

# What boots, and what an external module's build reads: headers, tools, Rust metadata.
export_tree() {
    local tree=$1 out=$2
    mkdir -p "$out"
    rsync -a "$tree/" "$out/" --prune-empty-dirs \
        --include=/arch/x86/boot/bzImage --include=/System.map --include='/modules.builtin*' \
        --exclude=/Documentation --exclude=/drivers --exclude=/sound --exclude=/samples \
        --exclude='*.o' --exclude='*.a' --exclude='/arch/x86/boot/compressed' \
        --include=/scripts/'***' --include=/rust/'***' --include=/tools/objtool/'***' \
        --include=/include/'***' --include=/.config --include=/Module.symvers \
        --include=/vmlinux --include='*/' --include='*.h' --include='Makefile*' \
        --include='Kbuild*' --include='*.lds' --exclude='*'
    kernel_make -C "$tree" -s kernelrelease | tail -n1 >"$out/release"
    touch "$out/complete"
}
