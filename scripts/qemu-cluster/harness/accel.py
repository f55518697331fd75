# SPDX-License-Identifier: GPL-2.0
"""Which accelerator works here: a tiny guest is booted, because /dev/kvm alone proves nothing."""

import hashlib
import os
import subprocess

from .state import ClusterError, cache_dir, read_file, write_file

PROBE_SECONDS_MAX = 10


def kvm_boots(kernel):
    """True if a kernel without a root disk gets as far as its panic, which ends QEMU."""
    command = ["qemu-system-x86_64", "-accel", "kvm", "-cpu", "host", "-m", "256", "-nodefaults",
               "-display", "none", "-no-reboot", "-kernel", kernel, "-append", "panic=-1 quiet"]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, timeout=PROBE_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def probe_path():
    """One answer per boot of the host."""
    boot = (read_file("/proc/sys/kernel/random/boot_id") or "").strip()
    key = hashlib.sha256(f"{boot} {os.uname().release}".encode()).hexdigest()[:16]
    return os.path.join(cache_dir(), f"kvm-{key}")


def choose(wanted, kernel):
    """`kvm` or `tcg` for what the user asked: auto, kvm or tcg."""
    if wanted == "tcg":
        return "tcg"
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        if wanted == "kvm":
            raise ClusterError("/dev/kvm cannot be opened: use --accel tcg")
        return "tcg"
    answer = read_file(probe_path())
    if answer is None:
        answer = "kvm" if kvm_boots(kernel) else "tcg"
        write_file(probe_path(), answer)
    if wanted == "kvm" and answer != "kvm":
        raise ClusterError("KVM does not boot a guest on this machine: use --accel tcg")
    return answer
