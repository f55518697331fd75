# SPDX-License-Identifier: GPL-2.0
"""One node as a QEMU process: its command line, its start, its power cut."""

import os
import shlex
import signal
import socket
import subprocess
import time

from . import ssh
from .state import ClusterError, write_file

KILL_SECONDS_MAX = 10

KERNEL_ARGUMENTS = (
    "console=ttyS0 root=/dev/vda rw init=/sbin/ssi-stub-init loglevel=6 log_buf_len=4M "
    "panic=-1 oops=panic panic_on_warn=1 kasan.fault=panic watchdog_thresh=30 "
    "sysctl.kernel.hung_task_panic=1 sysctl.kernel.softlockup_panic=1 "
    # A machine that is too busy for the timer check of a boot is no broken one.
    "rcupdate.rcu_cpu_stall_timeout=60 random.trust_cpu=on no_timer_check"
)

# The shell outlives QEMU to note its exit status, whoever is looking then.
KEEPER = '"$@" </dev/null & echo $! >"$0/pid"; wait $!; echo $? >"$0/exit"'


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def owners(path):
    """How a shared folder keeps the owners of files. Only root can give a file to somebody, so
    QEMU notes owner and mode in its extended attributes. Like NFS it does not tell then in a
    list of names which of them are folders."""
    try:
        os.setxattr(path, "user.ssi-probe", b"")
        os.removexattr(path, "user.ssi-probe")
    except OSError:
        return "none" if os.geteuid() == 0 else "mapped-file"
    return "mapped-xattr"


def share(tag, path, readonly):
    mode = "security_model=none,readonly=on" if readonly else f"security_model={owners(path)}"
    return ["-fsdev", f"local,id={tag},path={path},multidevs=remap,{mode}",
            "-device", f"virtio-9p-pci,fsdev={tag},mount_tag={tag}"]


def machine(config):
    if config["accel"] == "kvm":
        accel = ["-accel", "kvm", "-cpu", "host"]
    else:
        # One thread for all processors of a node: with one each, a processor can run into the
        # breakpoint of a code patch that another has just finished (Oops: int3 at boot, about
        # one boot in fifty).
        accel = ["-accel", "tcg,thread=single,tb-size=256", "-cpu", "max"]
    # A kernel that panics flushes its console and reboots (panic=-1), which -no-reboot makes the
    # end of QEMU. The pvpanic device only tells listeners on QMP: it fires before that flush.
    return accel + [
        "-machine", "q35", "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
        "-m", str(config["mem"]), "-smp", str(config["cpus"]),
        "-device", "pvpanic-pci", "-action", "panic=none",
    ]


def disks(node, config):
    # The root disk is one image for all nodes; what a node writes to it is gone with its power.
    # The scratch disk is the node's own. With cache=writeback the guest sees a disk with a
    # write cache and its flushes reach the host's disk; a power cut loses what the guest had
    # not handed to the disk yet, and nothing else.
    return [
        "-drive", f"file={config['image']}/root.ext4,if=none,id=root,format=raw,snapshot=on",
        "-device", "virtio-blk-pci,drive=root",
        "-drive", f"file={node.disk},if=none,id=scratch,format=raw,cache=writeback,discard=unmap",
        "-device", "virtio-blk-pci,drive=scratch",
    ]


def networks(node, port):
    return [
        "-netdev", f"vde,id=cluster,sock={node.cluster.path('switch')}",
        "-device", f"virtio-net-pci,netdev=cluster,mac=52:54:00:77:00:{node.number:02x},romfile=",
        "-netdev", f"user,id=manage,restrict=on,hostfwd=tcp:127.0.0.1:{port}-:22",
        "-device", "virtio-net-pci,netdev=manage,romfile=",
    ]


def channels(node):
    return [
        "-chardev", f"file,id=console,path={node.path('console')}",
        "-serial", "chardev:console",
        "-chardev", f"file,id=report,path={node.path('report')}",
        "-device", "virtio-serial-pci",
        "-device", "virtserialport,chardev=report,name=org.ssi.report",
        "-qmp", f"unix:{node.path('qmp')},server=on,wait=off",
        "-device", "virtio-rng-pci",
    ]


def command_line(node, config, port):
    cluster = node.cluster
    arguments = f"{KERNEL_ARGUMENTS} ssi_node={node.number}"
    return (
        ["qemu-system-x86_64", "-name", f"{cluster.name}-{node.number}"] + machine(config)
        + ["-kernel", config["kernel"], "-append", arguments]
        + disks(node, config) + networks(node, port) + channels(node)
        + share("boot", cluster.path("boot"), True)
        + share("dist", config["dist"], True)
        + share("shared", config["shared"], False)
    )


def forget_last_boot(node):
    os.makedirs(node.dir, exist_ok=True)
    for name in ("pid", "exit", "killed", "doomed", "report", "qmp"):
        if os.path.exists(node.path(name)):
            os.unlink(node.path(name))
    if os.path.exists(node.path("console")):
        os.rename(node.path("console"), node.path("console.old"))


def start(node):
    """Starts the node's QEMU and returns; the node is not yet up then."""
    if node.pid() is not None:
        raise ClusterError(f"node {node.number} is already up")
    forget_last_boot(node)
    port = free_port()
    with open(node.path("port"), "w") as out:
        out.write(str(port))
    with open(node.path("qemu.log"), "w") as log:
        keeper = ["setsid", "sh", "-c", KEEPER, node.dir]
        subprocess.Popen(keeper + command_line(node, node.cluster.config, port),
                         stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                         env=dict(os.environ, TMPDIR=node.cluster.data))


def power_cut(node):
    """SIGKILL for the QEMU process; returns when it is gone."""
    pid = node.pid()
    if pid is None:
        return
    open(node.path("killed"), "w").close()
    os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + KILL_SECONDS_MAX
    while node.exit_status() is None:
        if time.monotonic() > deadline:
            raise ClusterError(f"node {node.number}: QEMU {pid} does not die")
        time.sleep(0.01)


def power_cut_at(node, step):
    """The node's own module will cut the power, exactly there; returns when that is prepared."""
    write_file(node.path("doomed"), step)
    ssh.capture(node, f"echo {shlex.quote(step)} >/sys/module/ssi/parameters/power_cut")
