# SPDX-License-Identifier: GPL-2.0
# Lays out the Debian packages, and builds them. Sourced by scripts/build, after lib.sh.
#
# What is tested is what is installed: the nodes' files come out of these packages.

VERSION=$(sed -n 's/^version = "\(.*\)"$/\1/p' "$REPO/Cargo.toml" | head -n1)
ARCH=amd64
DEB_FILES=$REPO/scripts/deb

# The tools are the programs of userland/src/bin, each a file or a folder.
tool_names() {
    local path
    for path in "$REPO"/userland/src/bin/*; do
        basename "$path" .rs
    done
}

# stage_tools ROOT: the package ssi-tools.
stage_tools() {
    stage_programs "$1"
    stage_pages "$1"
    stage_completions "$1"
    stage_configuration "$1"
    control_of_tools "$1" | with_scripts "$1" ssi-tools
}

stage_programs() {
    local name
    for name in $(tool_names); do
        install -Dm 755 -s "$REPO/target/release/$name" "$1/usr/bin/$name"
    done
}

stage_pages() {
    local page section
    for page in "$REPO"/userland/man/*.[18]; do
        section=${page##*.}
        install -d "$1/usr/share/man/man$section"
        gzip -9nc "$page" >"$1/usr/share/man/man$section/${page##*/}.gz"
    done
}

stage_completions() {
    local from=$REPO/userland/completions share=$1/usr/share
    install -d "$share/bash-completion/completions" "$share/zsh/vendor-completions" \
        "$share/fish/vendor_completions.d"
    install -m 644 "$from"/bash/* "$share/bash-completion/completions/"
    install -m 644 "$from"/zsh/* "$share/zsh/vendor-completions/"
    install -m 644 "$from"/fish/* "$share/fish/vendor_completions.d/"
}

stage_configuration() {
    local doc=$1/usr/share/doc/ssi-tools
    install -Dm 644 -t "$1/usr/lib/systemd/system" "$DEB_FILES/ssi.service" \
        "$REPO/userland/systemd/reliable-run.service"
    install -Dm 644 "$DEB_FILES/cluster.toml" "$doc/examples/cluster.toml"
    install -Dm 644 "$REPO/COPYING" "$doc/copyright"
    install -Dm 644 "$REPO/docs/install.md" "$doc/install.md"
    install -d "$1/etc/ssi" "$1/var/lib/ssi/checkpoints"
    # As /tmp: every user keeps checkpoints here, and removes none of another's.
    chmod 1777 "$1/var/lib/ssi/checkpoints"
}

# stage_kernel ROOT KERNEL MODULE: the package linux-image-RELEASE. All drivers of the
# configuration are built in; the one module is ours.
stage_kernel() {
    local root=$1 kernel=$2 module=$3 release modules
    release=$(cat "$kernel/release")
    modules=$root/usr/lib/modules/$release
    install -Dm 644 "$kernel/arch/x86/boot/bzImage" "$root/boot/vmlinuz-$release"
    install -m 644 "$kernel/System.map" "$root/boot/System.map-$release"
    install -m 644 "$kernel/.config" "$root/boot/config-$release"
    install -Dm 644 "$module" "$modules/extra/ssi.ko"
    install -m 644 "$kernel"/modules.builtin{,.modinfo} "$modules/"
    echo extra/ssi.ko >"$modules/modules.order"
    install -Dm 644 "$REPO/COPYING" "$root/usr/share/doc/linux-image-$release/copyright"
    control_of_kernel "$root" "$release" | with_scripts "$root" linux-image "$release"
}

# The C library that the programs were linked with is the oldest that runs them.
libc_version() { dpkg-query -W -f '${Version}' libc6 | sed 's/-.*//'; }

installed_kib() { du -sk --exclude=DEBIAN "$1" | cut -f1; }

control_of_tools() {
    cat <<END
Package: ssi-tools
Version: $VERSION
Architecture: $ARCH
Maintainer: The kernel-ssi developers <kernel-ssi@localhost>
Section: admin
Priority: optional
Depends: libc6 (>= $(libc_version)), libgcc-s1, kmod, procps
Installed-Size: $(installed_kib "$1")
Description: checkpoint and restart of parallel applications on a cluster
 checkpoint, restart and their family: a parallel application, spread over the
 nodes of a cluster, is saved from the PID of one of its processes, and restarted
 on the nodes that are up. ssi-image reads the images on any machine. All else
 needs a kernel with the ssi module.
END
}

control_of_kernel() {
    cat <<END
Package: linux-image-$2
Version: $VERSION
Architecture: $ARCH
Maintainer: The kernel-ssi developers <kernel-ssi@localhost>
Section: kernel
Priority: optional
Depends: kmod
Recommends: ssi-tools
Installed-Size: $(installed_kib "$1")
Description: Linux with checkpoint and restart of parallel applications
 Debian's Linux 6.12 with the hooks of the ssi module, and the module. It installs
 beside other kernels. The configuration has the drivers of virtual machines
 (virtio, 9p, ext4), all built in; it needs no initramfs.
END
}

# with_scripts ROOT NAME [RELEASE]: adds the control file that comes on standard input, and the
# maintainer's scripts NAME.* with @RELEASE@ filled in.
with_scripts() {
    local root=$1 script
    install -d "$root/DEBIAN"
    cat >"$root/DEBIAN/control"
    for script in "$DEB_FILES/$2".*; do
        sed "s/@RELEASE@/${3:-}/g" "$script" >"$root/DEBIAN/${script##*.}"
        chmod 755 "$root/DEBIAN/${script##*.}"
    done
}

# build_package ROOT FOLDER: prints the path of the package; ROOT is used up. Quick to make, as
# every build makes it.
build_package() {
    local name
    name=$(sed -n 's/^Package: //p' "$1/DEBIAN/control")
    dpkg-deb --root-owner-group -Zgzip -z1 --build "$1" "$2/${name}_${VERSION}_$ARCH.deb" >&2
    rm -rf "$1"
    echo "$2/${name}_${VERSION}_$ARCH.deb"
}
