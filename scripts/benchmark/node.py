#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Runs on a node: one process of a given size, checkpointed, restarted, and dumped by CRIU.

node.py MIB TIMES prints the figures of one round as JSON: times in ns, sizes in bytes; those of
a fork and of a checkpoint are medians of so many, after each of which all pages are written again;
those of a restart, of either kind, of three after one that does not count.
"""
import contextlib
import json
import mmap
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import threading
import time

BASE = "/var/lib/ssi/bench"
STORE = f"{BASE}/checkpoints"
PROGRAM = "/usr/lib/ssi/tests/bench_memory"
WAIT_S = 300
SAMPLE_S = 0.01
# Restarts of which the median is taken.
RESTARTS = 3


def await_that(what, condition):
    end = time.monotonic() + WAIT_S
    while not condition():
        if time.monotonic() > end:
            raise SystemExit(f"timed out: {what}")
        time.sleep(0.02)


def read(path):
    with open(path, encoding="ascii") as file:
        return file.read()


def run(*command):
    """Its output and its time in ns; a failure ends the bench with what it said."""
    start = time.monotonic_ns()
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    took = time.monotonic_ns() - start
    if done.returncode:
        said = (done.stderr + done.stdout).strip()
        raise SystemExit(f"{' '.join(command)}: status {done.returncode}: {said}")
    return done.stdout, took


def settle():
    """Nothing is left to be written, and nothing of a file is in the node's memory."""
    os.sync()
    with open("/proc/sys/vm/drop_caches", "w", encoding="ascii") as file:
        file.write("3")


def folder(name):
    path = f"{BASE}/{name}"
    shutil.rmtree(path, ignore_errors=True)
    os.makedirs(path)
    return path


def started(where, mib, forks, prefix):
    """The process, once it has touched all its memory and timed its forks."""
    with open(f"{where}/log", "w", encoding="ascii") as log:
        process = subprocess.Popen([*prefix, PROGRAM, where, str(mib), str(forks)],
                                   stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                   start_new_session=not prefix)
    ready, result = f"{where}/ready", f"{where}/result"
    await_that("the process is ready", lambda: os.path.exists(ready) or os.path.exists(result))
    if os.path.exists(result):
        raise SystemExit(read(result))
    return process


def finish(where):
    """The restarted process looks through its memory and says whether it is as it was."""
    open(f"{where}/go", "w", encoding="ascii").close()
    await_that("the process ends", lambda: os.path.exists(f"{where}/result"))
    await_that("the process says", lambda: read(f"{where}/result").endswith("\n"))
    if read(f"{where}/result") != "ok\n":
        raise SystemExit(f"after a restart: {read(f'{where}/result')}")


def end(process):
    process.send_signal(signal.SIGKILL)
    process.wait()


def used_bytes():
    """Memory of this node in use by anything but the cache of files.

    Free pages that a processor keeps on a list of its own (`pagesets`) are free, although MemFree
    of /proc/meminfo does not count them: they can be tens of MiB after many were given back.
    """
    zones = read("/proc/zoneinfo")

    def pages(name):
        return sum(map(int, re.findall(rf"^ +{name} +(\d+)$", zones, re.MULTILINE)))

    free = ("nr_free_pages", "count:", "nr_file_pages", "nr_slab_reclaimable")
    return (pages("managed") - sum(map(pages, free))) * mmap.PAGESIZE


@contextlib.contextmanager
def peak_of_memory(figures):
    """The most memory that was in use, above what is in use without the operation."""
    samples, stop = [used_bytes()], threading.Event()

    def sample():
        while not stop.wait(SAMPLE_S):
            samples.append(used_bytes())

    sampler = threading.Thread(target=sample)
    sampler.start()
    try:
        yield
    finally:
        stop.set()
        sampler.join()
        figures["extra_memory_bytes"] = max(samples) - min(samples[0], used_bytes())


def checkpoint(pid):
    return json.loads(run("checkpoint", "--json", "--store", STORE, str(pid))[0])


def touch_again(where):
    """The process writes all its pages, as it did between its forks."""
    path = f"{where}/touch"
    open(path, "w", encoding="ascii").close()
    await_that("the process has written its memory", lambda: not os.path.exists(path))


def checkpoints(pid, where, times):
    """The reports of so many checkpoints in a row; the last one's version stays."""
    reports = []
    for _ in range(times):
        shutil.rmtree(STORE, ignore_errors=True)
        touch_again(where)
        settle()
        reports.append(checkpoint(pid))
    return reports


def again_and_again(pid, restart):
    """What so many restarts of the process gave, without the first; it runs on after the last."""
    results = []
    for count in range(RESTARTS + 1):
        if count:
            os.kill(pid, signal.SIGKILL)
            await_that("the process is gone", lambda: not os.path.exists(f"/proc/{pid}"))
        settle()
        results.append(restart())
    return results[1:]


def own(mib, times):
    """Checkpoint and restart, beside the fork of the same process."""
    where = folder("own")
    process = started(where, mib, times, ["ssi-run"])
    figures = {"fork_ns": statistics.median(map(int, read(f"{where}/forks").split()))}
    reports = checkpoints(process.pid, where, times)
    for name in ("pause_ns", "node_pause_ns_max", "total_ns", "bytes"):
        figures[name] = statistics.median(report[name] for report in reports)
    for name in ("pause_ns", "total_ns"):
        figures[f"first_{name}"] = reports[0][name]
        figures[f"each_{name}"] = [report[name] for report in reports]
    report = reports[-1]
    settle()
    with peak_of_memory(figures):
        checkpoint(process.pid)
    end(process)
    times = again_and_again(process.pid, lambda: run(
        "restart", "--json", "--store", STORE, "--output", f"{where}/output",
        str(report["application"]), str(report["version"])))
    figures["restart_ns"] = statistics.median(json.loads(said)["total_ns"] for said, _ in times)
    figures["restart_command_ns"] = statistics.median(took for _, took in times)
    finish(where)
    shutil.rmtree(STORE)
    return figures


def plain_copy(size):
    """The same number of bytes to the same place, durable."""
    settle()
    path = f"{BASE}/copy"
    took = run("dd", "if=/dev/zero", f"of={path}", "bs=1M", f"count={size}",
               "iflag=count_bytes", "conv=fsync")[1]
    os.unlink(path)
    return took


def criu_statistics(images, what):
    said = run("crit", "decode", "-i", f"{images}/stats-{what}")[0]
    return json.loads(said)["entries"][0][what]


def criu(mib):
    """The same kind of process, dumped and restored by CRIU; its statistics are in us."""
    where, images = folder("criu"), folder("criu-images")
    process = started(where, mib, 1, [])
    settle()
    took = run("criu", "dump", "-t", str(process.pid), "-D", images, "-o", "dump.log")[1]
    process.wait()
    start = time.monotonic_ns()
    os.sync()
    durable = took + time.monotonic_ns() - start
    restored = statistics.median(took for _, took in again_and_again(process.pid, lambda: run(
        "criu", "restore", "-d", "-D", images, "-o", "restore.log")))
    finish(where)
    frozen = criu_statistics(images, "dump")["frozen_time"]
    shutil.rmtree(images)
    return {"criu_frozen_ns": frozen * 1000, "criu_dump_ns": took,
            "criu_durable_ns": durable, "criu_restore_ns": restored}


def main():
    mib, times = map(int, sys.argv[1:])
    os.makedirs(BASE, exist_ok=True)
    shutil.rmtree(STORE, ignore_errors=True)
    figures = own(mib, times)
    figures["dd_ns"] = plain_copy(int(figures["bytes"]))
    # Not every release of Debian has it.
    if shutil.which("criu"):
        figures.update(criu(mib))
    json.dump(figures, sys.stdout)


if __name__ == "__main__":
    main()
