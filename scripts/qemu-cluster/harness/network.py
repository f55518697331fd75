# SPDX-License-Identifier: GPL-2.0
"""The cluster's network: one switch process, and cuts made by packet filters in the nodes."""

import os
import subprocess
import time

from . import ssh
from .state import ClusterError, read_file

SWITCH_SECONDS_MAX = 10


def start_switch(cluster):
    """Starts the switch and waits until its control socket is there."""
    subprocess.run(["vde_switch", "-s", cluster.path("switch"), "-p", cluster.path("switch.pid"),
                    "-m", "600", "-daemon"], check=True, stdin=subprocess.DEVNULL,
                   stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + SWITCH_SECONDS_MAX
    while not (os.path.exists(cluster.path("switch/ctl")) and switch_pid(cluster)):
        if time.monotonic() > deadline:
            raise ClusterError("the network switch (vde_switch) did not start")
        time.sleep(0.01)


def switch_pid(cluster):
    pid = (read_file(cluster.path("switch.pid")) or "").strip()
    command = read_file(f"/proc/{pid}/cmdline", "") if pid.isdigit() else ""
    return int(pid) if cluster.path("switch") in command else None


def stop_switch(cluster):
    pid = switch_pid(cluster)
    if pid is not None:
        os.kill(pid, 15)


def cut_script(peers):
    """Drops what comes from the peers; both sides do it, so nothing passes and nobody is told."""
    rules = "".join(f"add rule ip ssi_cut input ip saddr 10.77.0.{peer} drop\n" for peer in peers)
    return (
        "nft -f - <<'END'\n"
        "add table ip ssi_cut\ndelete table ip ssi_cut\nadd table ip ssi_cut\n"
        "add chain ip ssi_cut input { type filter hook input priority -300; }\n"
        f"{rules}END"
    )


def cut_peers(cluster, number):
    cuts = cluster.config["cuts"]
    return sorted({a if b == number else b for a, b in cuts if number in (a, b)})


def apply_cuts(node):
    peers = cut_peers(node.cluster, node.number)
    if peers:
        ssh.capture(node, cut_script(peers))


def cut(cluster, first, second):
    if first == second:
        raise ClusterError("a node cannot be cut off from itself")
    pair = [cluster.node(first).number, cluster.node(second).number]
    cluster.save(dict(cluster.config, cuts=cluster.config["cuts"] + [pair]))
    for number in pair:
        node = cluster.node(number)
        if node.state() == "up":
            apply_cuts(node)


def heal(cluster):
    for node in cluster.live_nodes():
        ssh.capture(node, "nft 'add table ip ssi_cut; delete table ip ssi_cut'")
    cluster.save(dict(cluster.config, cuts=[]))
