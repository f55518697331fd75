# SPDX-License-Identifier: GPL-2.0
"""What is remembered of a cluster between two calls: files under one state directory."""

import json
import os
import shutil

NODES_MAX = 64
# Emulated, the debug kernel is about this many times slower.
DEBUG_SLOWNESS = 8
REPO = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
BUILT = os.path.join(REPO, "target", "ssi")


class ClusterError(Exception):
    """Something the user has to know; printed as one line, exit status 1."""


class NodeCrashed(ClusterError):
    """A node's kernel crashed or its machine ended unasked; exit status 70."""


def cache_dir():
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.environ.get("SSI_CACHE") or os.path.join(home, "kernel-ssi")


def write_file(path, text, mode=0o644):
    """Writes a file so that a reader sees the old or the new one, never a half."""
    temp = f"{path}.new.{os.getpid()}"
    with open(os.open(temp, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w") as out:
        out.write(text)
    os.rename(temp, path)


def read_file(path, default=None):
    try:
        with open(path, errors="replace") as file:
            return file.read()
    except FileNotFoundError:
        return default


class Node:
    """One node: its number, its directory, and the QEMU process that is or was it."""

    def __init__(self, cluster, number):
        self.cluster = cluster
        self.number = number
        self.address = f"10.77.0.{number}"
        self.dir = os.path.join(cluster.dir, f"n{number}")
        self.disk = os.path.join(cluster.data, f"scratch-{number}.ext4")

    def path(self, name):
        return os.path.join(self.dir, name)

    def pid(self):
        """The recorded QEMU's pid if that process still is this node, else None."""
        pid = (read_file(self.path("pid")) or "").strip()
        if not pid.isdigit():
            return None
        command = read_file(f"/proc/{pid}/cmdline", "")
        return int(pid) if f"{self.dir}/" in command else None

    def port(self):
        return int(read_file(self.path("port"), "0"))

    def exit_status(self):
        text = read_file(self.path("exit"))
        return int(text) if text and text.strip() else None

    def was_killed(self):
        return os.path.exists(self.path("killed")) or self.fell_at_its_step()

    def fell_at_its_step(self):
        """Whether it ended where `kill --at` wanted it to. The module's last line says so: QEMU's
        status is the same after a panic."""
        step = read_file(self.path("doomed"))
        return step is not None and f"power cut at {step}\n" in read_file(self.path("console"), "")

    def state(self):
        """up, killed (by the kill call), crashed (all other ends) or off (never booted)."""
        if self.pid() is not None:
            return "up"
        if self.was_killed():
            return "killed"
        if os.path.exists(self.path("pid")):
            return "crashed"
        return "off"

    def reports(self):
        """The lines that the node has written to its report channel since it was booted."""
        return (read_file(self.path("report")) or "").splitlines()


class Cluster:
    """The files of one named cluster."""

    def __init__(self, name):
        if not name.replace("-", "").replace("_", "").isalnum():
            raise ClusterError(f"bad cluster name {name!r}: letters, digits, - and _ only")
        runtime = os.environ.get("XDG_RUNTIME_DIR") or "/tmp"
        self.name = name
        self.dir = os.path.join(runtime, f"ssi-cluster-{os.getuid()}", name)
        self.data = os.path.join(cache_dir(), "cluster", name)
        self.config_path = os.path.join(self.dir, "cluster.json")
        self._config = None

    def exists(self):
        return os.path.exists(self.config_path)

    @property
    def config(self):
        if self._config is None:
            text = read_file(self.config_path)
            if text is None:
                raise ClusterError(f"no cluster {self.name!r} is up: run `cluster up` first")
            self._config = json.loads(text)
        return self._config

    def save(self, config):
        self._config = config
        write_file(self.config_path, json.dumps(config, indent=2), 0o600)

    def patience(self, seconds):
        """A time limit that fits the cluster's kernel."""
        return seconds * (DEBUG_SLOWNESS if self.config["debug"] else 1)

    def path(self, name):
        return os.path.join(self.dir, name)

    def nodes(self):
        return [Node(self, number) for number in range(1, self.config["nodes"] + 1)]

    def node(self, number):
        if not 1 <= number <= self.config["nodes"]:
            raise ClusterError(f"no node {number}: this cluster has {self.config['nodes']}")
        return Node(self, number)

    def live_nodes(self):
        return [node for node in self.nodes() if node.state() == "up"]

    def create_dirs(self):
        os.makedirs(os.path.dirname(self.dir), mode=0o700, exist_ok=True)
        if os.stat(os.path.dirname(self.dir)).st_uid != os.getuid():
            raise ClusterError(f"{os.path.dirname(self.dir)} belongs to another user")
        os.makedirs(self.dir, mode=0o700)
        os.makedirs(self.data, exist_ok=True)

    def remove_dirs(self):
        shutil.rmtree(self.dir, ignore_errors=True)
        shutil.rmtree(self.data, ignore_errors=True)
