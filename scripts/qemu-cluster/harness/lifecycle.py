# SPDX-License-Identifier: GPL-2.0
"""A cluster's life: up, boot of one node, down."""

import json
import os
import secrets
import shutil
import subprocess
import sys
import time

from . import accel, health, network, qemu, ssh
from .state import BUILT, REPO, ClusterError, write_file

BOOT_SECONDS_MAX = 180
JOIN_SECONDS_MAX = 60
# What its nodes take for a dead peer, in place of the default of 3 s.
DEBUG_FAILURE_MS = 20000
PORT_TRIES_MAX = 3
INIT = os.path.join(REPO, "scripts", "qemu-cluster", "init")


def say(text):
    print(text, file=sys.stderr, flush=True)


def built(name, what):
    path = os.path.realpath(os.path.join(BUILT, name))
    if not os.path.exists(path):
        raise ClusterError(f"there is no {what} yet: run scripts/build first")
    return path


def make_config(options):
    """Everything a node's start needs, so that `boot` later does what `up` did."""
    suffix = "-debug" if options.debug else ""
    kernel = os.path.realpath(options.kernel) if options.kernel else \
        built(f"vmlinux{suffix}", "kernel")
    return {
        "nodes": options.nodes, "mem": options.mem, "cpus": options.cpus,
        "disk": options.disk, "accel": accel.choose(options.accel, kernel),
        "kernel": kernel, "dist": built(f"dist{suffix}", "set of packages"),
        "image": built("image", "node image"), "shared": options.shared,
        "key": secrets.token_hex(32), "cuts": [], "debug": options.debug,
    }


def node_toml(cluster, number):
    """The node's /etc/ssi/cluster.toml."""
    lines = [f'name = "{cluster.name}"', f'key = "{cluster.config["key"]}"', f"node = {number}"]
    if cluster.config["debug"]:
        lines.append(f"failure_ms = {DEBUG_FAILURE_MS}")
    for peer in cluster.nodes():
        lines += ["", "[[nodes]]", f"id = {peer.number}", f'address = "{peer.address}"']
    return "\n".join(lines) + "\n"


def fill_boot_folder(cluster):
    boot = cluster.path("boot")
    os.makedirs(boot)
    ssh.make_keys(cluster)
    shutil.copy(INIT, os.path.join(boot, "init"))
    hosts = ["127.0.0.1 localhost"]
    for node in cluster.nodes():
        hosts.append(f"{node.address} node{node.number}")
        write_file(os.path.join(boot, f"cluster-{node.number}.toml"),
                   node_toml(cluster, node.number), 0o600)
    write_file(os.path.join(boot, "hosts"), "\n".join(hosts) + "\n")


def make_disk(node):
    with open(node.disk, "wb") as disk:
        disk.truncate(node.cluster.config["disk"] << 20)
    environment = dict(os.environ, PATH=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-F", "-m", "0", "-L", "scratch", node.disk],
                   check=True, env=environment, stdin=subprocess.DEVNULL)


def up(cluster, options):
    if cluster.exists():
        if cluster.live_nodes():
            raise ClusterError(f"cluster {cluster.name!r} is already up: `cluster down` first")
        say(f"cleaning up what is left of cluster {cluster.name!r}")
        down(cluster)
    cluster.remove_dirs()
    config = make_config(options)
    cluster.create_dirs()
    if not config["shared"]:
        config["shared"] = os.path.join(cluster.data, "shared")
    os.makedirs(config["shared"], exist_ok=True)
    cluster.save(config)
    try:
        fill_boot_folder(cluster)
        network.start_switch(cluster)
        for node in cluster.nodes():
            make_disk(node)
        boot_nodes(cluster.nodes())
        wait_joined(cluster.nodes(), cluster.nodes())
    except BaseException:
        if not options.keep_failed:
            down(cluster)
        raise


def boot(cluster, number):
    node = cluster.node(number)
    boot_nodes([node])
    network.apply_cuts(node)
    wait_joined([node], [])


def start_on_free_port(node):
    """Another process may take the port before QEMU binds it: QEMU then ends at once."""
    for _ in range(PORT_TRIES_MAX):
        qemu.start(node)
        while True:
            if node.exit_status() is not None:
                break
            if os.path.exists(node.path("qmp")):
                return
            time.sleep(0.01)
        with open(node.path("qemu.log")) as log:
            if "host forwarding" not in log.read():
                break
    raise ClusterError(health.crash_text(node))


def boot_nodes(nodes):
    """Boots nodes side by side; returns when each has an open command channel."""
    began = time.monotonic()
    limit = nodes[0].cluster.patience(BOOT_SECONDS_MAX)
    for node in nodes:
        start_on_free_port(node)
    waiting = list(nodes)
    while waiting:
        for node in list(waiting):
            if node.state() != "up":
                raise ClusterError(health.crash_text(node))
            if "ready" in node.reports():
                ssh.open_channel(node)
                waiting.remove(node)
                say(f"  node {node.number} is up after {time.monotonic() - began:.1f} s")
        if time.monotonic() - began > limit:
            tail = health.crash_text(waiting[0])
            raise ClusterError(f"no answer after {limit} s\n{tail}")
        time.sleep(0.05)


def join_report(node):
    for line in node.reports():
        if line.startswith(("joined", "not-joined", "failed")):
            return line
    return None


def peers_up(node):
    """Numbers of the nodes that this node's kernel sees up."""
    entries = json.loads(ssh.capture(node, "ssictl status --json"))
    return {entry["node"] for entry in entries if entry["state"] == "up"}


def wait_joined(nodes, expected):
    """Waits until the nodes have joined and each sees the expected ones up."""
    limit = nodes[0].cluster.patience(JOIN_SECONDS_MAX)
    deadline = time.monotonic() + limit
    for node in nodes:
        while join_report(node) is None:
            health.require_sound(node.cluster)
            if time.monotonic() > deadline:
                raise ClusterError(f"node {node.number} did not join in {limit} s")
            time.sleep(0.05)
        line = join_report(node)
        if line.startswith("failed"):
            raise ClusterError(f"node {node.number}: {line}")
        if line == "not-joined":
            say(f"  node {node.number} has no ssictl: it is a plain node")
            continue
        wanted = {peer.number for peer in expected} - {node.number}
        while not wanted <= peers_up(node):
            health.require_sound(node.cluster)
            if time.monotonic() > deadline:
                missing = sorted(wanted - peers_up(node))
                raise ClusterError(f"node {node.number} does not see node(s) {missing}")
            time.sleep(0.1)
        say(f"  node {node.number} has joined")


def down(cluster):
    """Ends and removes all that `up` made; a shared folder that the user named is left."""
    if cluster.exists():
        for node in cluster.nodes():
            ssh.close_channel(node)
            qemu.power_cut(node)
        network.stop_switch(cluster)
    cluster.remove_dirs()
