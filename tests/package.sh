#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The Debian package: installs into an empty root, has all that belongs to each tool, is removed.

. "$(dirname "$0")/../scripts/lib.sh"
ROOT=$(mktemp -d)
trap 'rm -rf "$ROOT"' EXIT
DEB=$("$REPO/scripts/build-deb" 2>"$ROOT/log") || { cat "$ROOT/log" >&2; exit 1; }

there() { [ -e "$ROOT$1" ] || die "the package lacks $1"; }

# As dpkg runs without root: owners are left alone, scripts are not run.
as_dpkg() {
    fakeroot dpkg --root="$ROOT" --force-not-root --force-depends --force-script-chrootless "$@" \
        >>"$ROOT/log" 2>&1 || { cat "$ROOT/log" >&2; die "dpkg $*"; }
}

mkdir -p "$ROOT"/var/lib/dpkg/{info,updates}
touch "$ROOT/var/lib/dpkg/status"
as_dpkg -i "$DEB"
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
there /usr/lib/systemd/system/ssi.service
there /usr/share/doc/ssi-tools/examples/cluster.toml
if command -v systemd-analyze >/dev/null; then
    said=$(systemd-analyze verify "$ROOT/usr/lib/systemd/system/ssi.service" 2>&1 || true)
    # This machine has neither the commands nor the pages.
    wrong=$(grep -F ssi.service <<<"$said" | grep -vE "is not executable|Command 'man" || true)
    [ -z "$wrong" ] || die "the unit is wrong: $wrong"
fi
as_dpkg -r ssi-tools
[ ! -e "$ROOT/usr/bin/checkpoint" ] || die "the package leaves its programs behind"
echo "package: $(basename "$DEB") installs, and is removed"
