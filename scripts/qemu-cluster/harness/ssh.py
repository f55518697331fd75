# SPDX-License-Identifier: GPL-2.0
"""The command channel: OpenSSH over a forwarded port of the loopback, one connection per node."""

import os
import shlex
import subprocess

from .state import ClusterError

CONFIG = """\
Host *
    User root
    HostName 127.0.0.1
    HostKeyAlias ssi-node
    IdentityFile {dir}/id
    IdentitiesOnly yes
    UserKnownHostsFile {dir}/known_hosts
    GlobalKnownHostsFile /dev/null
    StrictHostKeyChecking yes
    BatchMode yes
    LogLevel ERROR
    ConnectTimeout 30
    ControlMaster auto
    ControlPersist yes
"""


def make_keys(cluster):
    """One user key and one host key per cluster; the nodes get theirs from the boot folder."""
    boot = cluster.path("boot")
    for path in (cluster.path("id"), os.path.join(boot, "host_key")):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "ssi", "-f", path],
                       check=True, stdin=subprocess.DEVNULL)
    with open(os.path.join(boot, "host_key.pub")) as key:
        public = key.read()
    with open(cluster.path("known_hosts"), "w") as out:
        out.write(f"ssi-node {public}")
    os.rename(cluster.path("id.pub"), os.path.join(boot, "authorized_keys"))
    with open(cluster.path("ssh_config"), "w") as out:
        out.write(CONFIG.format(dir=cluster.dir))


def client(node, *options):
    return ["ssh", "-F", node.cluster.path("ssh_config"), "-p", str(node.port()),
            "-o", f"ControlPath={node.path('ssh')}", *options, f"node{node.number}"]


def open_channel(node):
    """Makes the connection that later calls share."""
    done = subprocess.run(client(node, "-f", "-N"), stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                          timeout=node.cluster.patience(120))
    if done.returncode != 0:
        text = done.stderr.decode(errors="replace").strip()
        raise ClusterError(f"node {node.number}: no ssh connection: {text}")


def control(node, request):
    """Asks the process that holds the shared connection; True if it is there."""
    if not os.path.exists(node.path("ssh")):
        return False
    done = subprocess.run(client(node, "-O", request), stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return done.returncode == 0


def is_open(node):
    return control(node, "check")


def close_channel(node):
    control(node, "exit")


def script_of(command):
    """One word is a shell script; several are a command and its arguments, taken literally.

    The trailing exit keeps the shell there, so that a death by signal N is status 128+N.
    """
    script = command[0] if len(command) == 1 else shlex.join(command)
    return f"{script}\nexit $?"


def call(node, command, **streams):
    """Runs a command on the node with the caller's streams; its exit status, 255 if ssh failed."""
    return subprocess.call(client(node, "-T") + [script_of(command)], **streams)


def shell(node):
    return subprocess.call(client(node, "-t"))


def capture(node, script, timeout=60):
    """Standard output of a script that must succeed."""
    done = subprocess.run(client(node, "-T") + [script_of([script])], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=node.cluster.patience(timeout))
    if done.returncode != 0:
        text = done.stderr.decode(errors="replace").strip()
        raise ClusterError(f"node {node.number}: `{script}`: status {done.returncode}: {text}")
    return done.stdout.decode(errors="replace")


def pipe(producer, consumer):
    """Runs two commands with a pipe between them; both must succeed."""
    with subprocess.Popen(producer, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL) as source:
        sink = subprocess.call(consumer, stdin=source.stdout)
        source.stdout.close()
        if source.wait() != 0 or sink != 0:
            raise ClusterError("the copy failed")


def push(node, files, directory):
    packs = ["tar", "-cf", "-"]
    for path in files:
        parent, name = os.path.split(os.path.abspath(path))
        packs += ["-C", parent, "--", name] if len(files) == 1 else ["-C", parent, name]
    target = shlex.quote(directory)
    pipe(packs, client(node, "-T") + [f"mkdir -p -- {target} && tar -xpf - -C {target}"])


def pull(node, files, directory):
    script = "tar -cf -"
    for path in files:
        parent, name = os.path.split(os.path.normpath(path))
        script += f" -C {shlex.quote(parent or '/root')} {shlex.quote('./' + name)}"
    os.makedirs(directory, exist_ok=True)
    pipe(client(node, "-T") + [script], ["tar", "-xpf", "-", "-C", directory])
