# SPDX-License-Identifier: GPL-2.0
"""Has a node's kernel crashed or complained? Every call asks the first, `check` also the second."""

import re
import time

from . import ssh
from .state import NodeCrashed, read_file

TRACE_LINES_MAX = 150
CRASH_SECONDS_MAX = 10

# What the kernel prints when it finds a fault of its own.
REPORT = re.compile(
    r"BUG:|WARNING:|Oops|KASAN:|UBSAN:|KFENCE:|kernel BUG at|Kernel panic"
    r"|possible circular locking|possible recursive locking|inconsistent lock state"
    r"|possible irq lock inversion|suspicious RCU usage|INFO: task .* blocked for more"
    r"|INFO: rcu.* detected stall|sleeping function called|scheduling while atomic"
    r"|unable to handle|list_(add|del) corruption|refcount_t: |bad unlock balance"
)


def excerpt(lines):
    """The lines from the first report on, as many as are useful."""
    for index, line in enumerate(lines):
        if REPORT.search(line):
            return lines[max(0, index - 1):][:TRACE_LINES_MAX]
    return []


def crash_text(node):
    console = (read_file(node.path("console")) or "").splitlines()
    trace = excerpt(console) or console[-20:]
    said = (read_file(node.path("qemu.log")) or "").strip()
    head = f"node {node.number} CRASHED (QEMU ended with status {node.exit_status()})"
    return "\n".join([head] + ([said] if said else []) + trace)


def require_sound(cluster):
    """Fails with the trace if any node has ended without being told to."""
    crashed = [node for node in cluster.nodes() if node.state() == "crashed"]
    if crashed:
        raise NodeCrashed("\n".join(crash_text(node) for node in crashed))


def explain_lost_connection(node):
    """After status 255: says nothing if the connection still is there (the command's own shell
    was killed); else waits for the node's end, if it is ending, and names the cause."""
    if ssh.is_open(node):
        return
    deadline = time.monotonic() + CRASH_SECONDS_MAX
    while node.state() == "up" and time.monotonic() < deadline:
        time.sleep(0.1)
    require_sound(node.cluster)


def kernel_reports(node):
    return excerpt(ssh.capture(node, "dmesg").splitlines())


LEAK_SCAN = (
    "cd /sys/kernel/debug && [ -e kmemleak ] || { echo no kmemleak >&2; exit 1; }; "
    "echo scan >kmemleak; sleep 6; echo scan >kmemleak; cat kmemleak; echo clear >kmemleak"
)


def leak_reports(node):
    """Kmemleak reports an object only when it is older than five seconds: hence two scans."""
    return ssh.capture(node, LEAK_SCAN, timeout=300).splitlines()[:TRACE_LINES_MAX]


def check(cluster, with_leaks):
    """All complaints of all live nodes, as text; empty if there are none."""
    require_sound(cluster)
    found = []
    for node in cluster.live_nodes():
        lines = kernel_reports(node)
        if not lines and with_leaks:
            lines = leak_reports(node)
        if lines:
            found.append("\n".join([f"node {node.number}: its kernel reports:"] + lines))
    return "\n".join(found)
