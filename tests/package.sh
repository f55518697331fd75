#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The Debian packages: install into an empty root, have all that belongs to them, are removed.

. "$(dirname "$0")/../scripts/lib.sh"
ROOT=$(mktemp -d)
trap 'rm -rf "$ROOT"' EXIT
mapfile -t DEBS < <("$REPO/scripts/build-deb" 2>"$ROOT/log")
[ ${#DEBS[@]} = 2 ] || { cat "$ROOT/log" >&2; exit 1; }

there() { [ -e "$ROOT$1" ] || die "the package lacks $1"; }

# As dpkg runs without root: owners are left alone, scripts are not run.
as_dpkg() {
    fakeroot dpkg --root="$ROOT" --force-not-root --force-depends --force-script-chrootless "$@" \
        >>"$ROOT/log" 2>&1 || { cat "$ROOT/log" >&2; die "dpkg $*"; }
}

mkdir -p "$ROOT"/var/lib/dpkg/{info,updates}
touch "$ROOT/var/lib/dpkg/status"
as_dpkg -i "${DEBS[@]}"
release=$(cat "$BUILT/kernel/release")
[[ $release = *-ssi ]] || die "the kernel has no name of its own: $release"
for path in boot/{vmlinuz,config,System.map}-$release usr/lib/modules/$release/extra/ssi.ko; do
    there "/$path"
done
grep -q "^extra/ssi.ko:" "$ROOT/usr/lib/modules/$release/modules.dep" || die "depmod: no ssi.ko"
for path in "$REPO"/userland/src/bin/*; do
    name=$(basename "$path" .rs)
    there "/usr/bin/$name"
    "$ROOT/usr/bin/$name" --version >/dev/null || die "$name does not run"
    ls "$ROOT"/usr/share/man/man?/"$name".?.gz >/dev/null || die "$name has no manual page"
    [ "$name" != ssi-restart-helper ] || continue
    there "/usr/share/bash-completion/completions/$name"
    there "/usr/share/zsh/vendor-completions/_$name"
    there "/usr/share/fish/vendor_completions.d/$name.fish"
done
UNITS=(ssi.service reliable-run.service)
for unit in "${UNITS[@]}"; do
    there "/usr/lib/systemd/system/$unit"
done
there /usr/share/doc/ssi-tools/examples/cluster.toml
if command -v systemd-analyze >/dev/null; then
    said=$(cd "$ROOT/usr/lib/systemd/system" && systemd-analyze verify "${UNITS[@]/#/./}" 2>&1 ||
        true)
    # This machine has neither the commands nor the pages.
    wrong=$(grep -E 'ssi.service|reliable-run.service' <<<"$said" |
        grep -vE "is not executable|Command 'man" || true)
    [ -z "$wrong" ] || die "the unit is wrong: $wrong"
fi
as_dpkg -r ssi-tools "linux-image-$release"
[ ! -e "$ROOT/usr/bin/checkpoint" ] || die "the package leaves its programs behind"
[ ! -e "$ROOT/boot/vmlinuz-$release" ] || die "the package leaves its kernel behind"
echo "package: $(basename -a "${DEBS[@]}" | paste -sd' ') install, and are removed"
