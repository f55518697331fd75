# SPDX-License-Identifier: GPL-2.0
"""Processes over all nodes, linked to a ring or not: checkpoint, restart on fewer nodes."""
import json
import time

PROGRAM = "/usr/lib/ssi/tests/bench_ring"
BASE = "/shared/bench"
LOCAL_STORE = "/var/lib/ssi/bench/checkpoints"
WAIT_S = 180


def await_that(what, condition):
    end = time.monotonic() + WAIT_S
    while not condition():
        if time.monotonic() > end:
            raise SystemExit(f"error: timed out: {what}")
        time.sleep(0.2)


class Ring:
    """`count` processes, as many on each node; one application if linked, else as many.

    Several may be there at the same time: all are parked but the one that is measured.
    """

    def __init__(self, on, nodes, count, mib, linked):
        self.on, self.nodes, self.count, self.mib = on, nodes, count, mib
        self.linked = linked
        self.name = f"{'ring' if linked else 'alone'}-{nodes}-{count}-{mib}"
        self.base = f"{BASE}/{self.name}"
        self.shared_store = f"{self.base}/checkpoints"
        self.pids = {}

    def node_of(self, index):
        return index * self.nodes // self.count + 1

    def indices(self, node):
        return [index for index in range(self.count) if self.node_of(index) == node]

    def start(self):
        run = f"/run/ssi/{self.name}"
        for node in range(1, self.nodes + 1):
            lines = [f"mkdir -p /var/lib/ssi/bench {self.base} {run}"]
            for index in self.indices(node):
                where = f"{self.base}/{index}"
                next_node = self.node_of((index + 1) % self.count)
                host = f"10.77.0.{next_node}" if self.linked else ""
                lines.append(f"rm -rf {where}; mkdir {where}; ssi-run --output {where}/log "
                             f"--pid-file {run}/{index} {PROGRAM} {where} {index} "
                             f"{max(self.count, 2)} {self.mib} {host} >/dev/null 2>&1 &")
            self.on(node, "\n".join(lines))
        await_that("the processes are ready", lambda: self.all_have("ready"))
        for node in range(1, self.nodes + 1):
            files = " ".join(f"{run}/{index}" for index in self.indices(node))
            said = self.on(node, f"for file in {files}; do cat $file; echo; done")
            self.pids.update(zip(self.indices(node), map(int, said.split())))

    def pids_on(self, node):
        return " ".join(str(self.pids[index]) for index in self.indices(node))

    def all_have(self, name):
        said = self.on(1, f"cd {self.base} && cat */result 2>/dev/null | grep -v ^ok; "
                       f"ls */{name} 2>/dev/null | wc -l").split("\n")
        if len(said) > 1:
            raise SystemExit(f"error: the ring: {said[0]}")
        return said[0] == str(self.count)

    def clean(self):
        for node in range(1, self.nodes + 1):
            self.on(node, f"rm -rf {LOCAL_STORE}; sync")

    def checkpoint(self):
        """The whole application, from one PID."""
        self.clean()
        return json.loads(self.on(1, "checkpoint --json "
                                  f"--store {LOCAL_STORE} {self.pids[0]}"))

    def checkpoint_one_by_one(self):
        """Each process, an application of its own; the next when the one before is committed."""
        self.clean()
        reports = []
        for node in range(1, self.nodes + 1):
            said = self.on(node, f"set -e; for pid in {self.pids_on(node)}; do "
                           f"checkpoint --json --store {LOCAL_STORE} $pid; done")
            reports += map(json.loads, said.split("\n"))
        return reports

    def store_on_shared(self):
        return json.loads(self.on(1, f"rm -rf {self.shared_store}; checkpoint --json "
                                  f"--store {self.shared_store} {self.pids[0]}"))

    def signal(self, name):
        for node in range(1, self.nodes + 1):
            self.on(node, f"kill -s {name} {self.pids_on(node)}")

    def park(self):
        self.signal("STOP")

    def unpark(self):
        self.signal("CONT")

    def stop(self):
        """Stopped first, killed then, so that no process sees another's death."""
        self.park()
        self.signal("KILL")
        self.await_end(range(1, self.nodes + 1))

    def await_end(self, nodes):
        pids = ",".join(map(str, self.pids.values()))
        for node in nodes:
            await_that(f"node {node} is empty",
                       lambda: self.on(node, f"ps -o pid= -p {pids} || true") == "")

    def restart(self, version, nodes):
        """Its report; then every process says whether its memory and its streams are right."""
        self.on(1, f"rm -f {self.base}/*/result {self.base}/*/go")
        said = self.on(1, f"sync; restart --json --store {self.shared_store} "
                       f"--output {self.base}/output "
                       f"{version['application']} {version['version']}")
        self.on(1, f"for index in $(seq 0 {self.count - 1}); do "
                f"touch {self.base}/$index/go; done")
        await_that("the ring ends well", lambda: self.all_have("result"))
        self.await_end(nodes)
        return json.loads(said)
