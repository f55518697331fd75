#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Where an application ends: its own checkpoint tool, single processes, streams that lead outside.

. "$(dirname "$0")/lib.sh"
SSI_NODES=2
FOLDER=/var/lib/ssi/tests/frontier
STORE=$FOLDER/checkpoints
PORT=7004

no_processes() { on "$1" "[ -z \"\$(ssictl status --processes | awk 'NR > 1')\" ]"; }

end_all() {
    local node
    for node in 1 2; do
        on $node "ssictl status --processes | awk 'NR > 1 { print \$1 }' | xargs -r kill -s KILL
            until [ -z \"\$(ssictl status --processes | awk 'NR > 1')\" ]; do sleep 0.1; done"
    done
}

# A shell of the application takes a checkpoint of itself, and goes on; its last restart, too.
from_inside() {
    local app
    on 1 "cd $FOLDER && ssi-run --output inside sh -c '
        checkpoint --store $STORE --json \$\$ >report; echo \$? >>statuses; exit 0' </dev/null"
    on 1 "cd $FOLDER && [ \"\$(cat statuses)\" = 0 ] || { cat inside statuses; exit 1; }"
    app=$(on 1 "cat $FOLDER/report" | field application)
    on 1 "restart --store $STORE --output $FOLDER/output $app; sleep 0.2
        until [ \$(wc -l <$FOLDER/statuses) = 2 ]; do sleep 0.1; done"
    no_processes 1
}

# Who calls the system call itself cannot be stopped: that is said at once.
calls_itself() {
    gives 1 29 "belongs to the application" "cd $FOLDER && timeout 10 ssi-run python3 -c '
import ctypes, os, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
store = ctypes.create_string_buffer(b\"$STORE\")
failure = ctypes.create_string_buffer(4096)
# struct ssi_checkpoint_args: flags, media, pid, store_len, store, description_len, signal,
# description, failure, report, keep, reserved
args = struct.pack(\"<IIIIQIIQQQII\", 0, 0, os.getpid(), len(store.value),
                   ctypes.addressof(store), 0, 0, 0, ctypes.addressof(failure), 0, 0, 0)
assert libc.syscall(548, args, len(args)) == -1
code, _, _, _, _, length = struct.unpack_from(\"<IIIiII\", failure)
print(failure.raw[24:24 + length].decode())
sys.exit(29)'"
}

# A client on node 1 and a server on node 2 that has said hello.
start_call() {
    on 2 "mkdir -p $FOLDER && cd $FOLDER || exit
        ssi-run --output server python3 -c 'import socket, time
listener = socket.create_server((\"\", $PORT))
call, _ = listener.accept()
call.send(b\"hello\\n\")
time.sleep(1000)' >/dev/null 2>&1 &
        until ss -Hltn 'sport = :$PORT' | grep -q LISTEN; do sleep 0.1; done"
    on 1 "cd $FOLDER && rm -f go result ready && cat >client.py <<'END'
import os, socket, time
call = socket.create_connection(('10.77.0.2', $PORT))
call.settimeout(10)
while not call.recv(100, socket.MSG_PEEK):
    pass
open('ready', 'w').close()
while not os.path.exists('go'):
    time.sleep(0.02)
said = []
for _ in range(2):
    try:
        said.append(call.recv(100))
    except OSError as error:
        said.append(error.__class__.__name__)
open('result.part', 'w').write(repr(said))
os.rename('result.part', 'result')
END
        ssi-run --output client --pid-file pid python3 client.py >/dev/null 2>&1 &
        until [ -e ready ]; do sleep 0.1; done"
    PID=$(on 1 "cat $FOLDER/pid")
}

# Alone it comes back with what it had received, and with nobody at the other end.
comes_back_alone() {
    local app said
    said=$(on 1 "checkpoint -p --external-ends --json --store $STORE $PID")
    app=$(field application <<<"$said")
    grep -q '"processes":1,' <<<"$said" || { echo "$said"; return 1; }
    end_all
    on 1 "restart --store $STORE --output $FOLDER/output $app
        touch $FOLDER/go; until [ -e $FOLDER/result ]; do sleep 0.1; done"
    said=$(on 1 "cat $FOLDER/result")
    [ "$said" = "[b'hello\\n', b'']" ] || { echo "$said"; return 1; }
}

# start_pair HOW: two processes that nothing links but a pair of sockets; one says a byte, the
# other says it again. HOW starts the second one.
start_pair() {
    on 1 "cd $FOLDER && rm -f go pid said && cat >talk.py <<'END'
import os, socket, sys, time
end = socket.socket(fileno=int(sys.argv[1]))
if sys.argv[2] == 'again':
    while byte := end.recv(1):
        end.send(byte)
    sys.exit()
while not os.path.exists('go'):
    end.send(b'x')
    assert end.recv(1) == b'x'
    time.sleep(0.02)
open('said', 'w').close()
END
        python3 -c '
import socket, subprocess
first, again = socket.socketpair()
def start(how, end, what):
    subprocess.Popen([*how, \"python3\", \"talk.py\", str(end.fileno()), what],
                     pass_fds=[end.fileno()], stdin=0, stdout=3, stderr=3)
start([\"ssi-run\", \"--output\", \"first\", \"--pid-file\", \"pid\"], first, \"first\")
start(\"$1\".split(), again, \"again\")' 3>>talk.log </dev/null
        until [ -s pid ] && grep -q talk.py /proc/\$(cat pid)/cmdline; do sleep 0.1; done"
    PID=$(on 1 "cat $FOLDER/pid")
}

# Whoever holds the other end belongs to it.
linked_by_pair() {
    local app said
    start_pair "ssi-run --output again"
    said=$(on 1 "checkpoint --kill --json --store $STORE $PID")
    grep -q '"processes":2,' <<<"$said" || { echo "$said"; return 1; }
    app=$(field application <<<"$said")
    no_processes 1
    on 1 "restart --store $STORE --output $FOLDER/output $app
        touch $FOLDER/go; until [ -e $FOLDER/said ]; do sleep 0.1; done"
}

leads_to_a_stranger() {
    local status=0
    start_pair ""
    gives 1 16 "UNIX socket" checkpoint --store $STORE "$PID" || status=1
    on 1 "touch $FOLDER/go; until [ -e $FOLDER/said ]; do sleep 0.1; done"
    return $status
}

# Alone, the process comes back to a pipe and a pair of sockets whose other ends are closed: what it
# does first of all, long before all else of the restart is done, hears of it.
other_ends_are_closed() {
    local app
    on 1 "cd $FOLDER && rm -f go pid said && cat >cut.py <<'END'
import os, socket, sys
pair, pipe = socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2])
while not os.path.exists('go'):
    pass
said = []
for write in (pair.send, lambda data: os.write(pipe, data)):
    try:
        said.append(write(b'x'))
    except OSError as error:
        said.append(error.__class__.__name__)
print(*said, flush=True)
END
        python3 -c '
import os, socket, subprocess
pair, outside = socket.socketpair()
reader, writer = os.pipe()
def start(command, *ends):
    subprocess.Popen(command, pass_fds=ends, stdin=0, stdout=3, stderr=3)
start([\"sh\", \"-c\", \"until [ -e go ]; do sleep 0.1; done\"], outside.fileno(), reader)
command = \"ssi-run --output said --pid-file pid python3 cut.py\".split()
start([*command, str(pair.fileno()), str(writer)], pair.fileno(), writer)' 3>>talk.log </dev/null
        until [ -s pid ] && grep -q cut.py /proc/\$(cat pid)/cmdline; do sleep 0.1; done"
    PID=$(on 1 "cat $FOLDER/pid")
    app=$(on 1 "checkpoint -p --external-ends --kill --json --store $STORE $PID" |
        field application)
    no_processes 1
    on 1 "cd $FOLDER && touch go && restart --store $STORE --output $FOLDER/output $app &&
        until [ -s said ]; do sleep 0.1; done
        grep -qx 'BrokenPipeError BrokenPipeError' said || { cat said; exit 1; }"
}

# More processes than the list of ssictl begins with.
many_processes() {
    local shown
    on 1 "cd $FOLDER || exit
        ssi-run --output many sh -c '
            i=0; while [ \$i -lt 260 ]; do sleep 1000 & i=\$((i + 1)); done
            touch many-ready; wait' \
            >/dev/null 2>&1 &
        until [ -e $FOLDER/many-ready ]; do sleep 0.1; done"
    shown=$(on 1 "ssictl status --processes --json" | grep -o '"pid":' | wc -l)
    [ "$shown" = 261 ] || { echo "$shown processes"; return 1; }
}

start_cluster
on 1 "rm -rf $FOLDER && mkdir -p $STORE"
try "a checkpoint from inside" from_inside
try "the caller itself" calls_itself
start_call
try "a process alone, with a stream to outside" gives 1 16 "leads out of the application" \
    checkpoint -p --store $STORE "$PID"
try "a process alone, its streams cut" comes_back_alone
end_all
try "two processes that a pair of sockets links" linked_by_pair
end_all
try "a pair of sockets with a stranger" leads_to_a_stranger
end_all
try "a process alone, its pipe and pair of sockets cut" other_ends_are_closed
try "260 processes" many_processes
end_all
finish
