#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# An ordinary user checkpoints and restarts what is his own, and gains nothing by it.

. "$(dirname "$0")/lib.sh"
SSI_NODES=2
FOLDER=/var/lib/ssi/tests/user
STORE=$FOLDER/checkpoints
ROOTS=$FOLDER/of-root
RESTART="restart --store $STORE --output $FOLDER/output"
USER_ID=1234
AS_USER="setpriv --reuid $USER_ID --regid $USER_ID --clear-groups"
AS_OTHER="setpriv --reuid 4321 --regid 4321 --clear-groups"

# begin NAME AS PROGRAM: starts a program of the tests in a folder of its own; sets PID.
begin() {
    on 1 "mkdir -p $FOLDER/$1 && chown $USER_ID:$USER_ID $FOLDER/$1 && cd $FOLDER/$1 || exit
        $2 ssi-run --output $FOLDER/$1/log --pid-file $FOLDER/$1/pid \
            /usr/lib/ssi/tests/$3 $FOLDER/$1 >/dev/null 2>&1 &
        until [ -s $FOLDER/$1/ready ]; do sleep 0.1; done"
    PID=$(on 1 "cat $FOLDER/$1/pid")
}

# version SAID: sets APP and VERSION from the report of a checkpoint.
version() {
    APP=$(field application <<<"$1")
    VERSION=$(field version <<<"$1")
}

killed() {
    on 1 "for signal in STOP KILL; do
            ssictl status --processes | awk 'NR > 1 { print \$1 }' | xargs -r kill -s \$signal
        done
        until [ -z \"\$(ssictl status --processes | awk 'NR > 1')\" ]; do sleep 0.1; done"
}

ends_well() {
    on 1 "touch $FOLDER/$1/go; until [ -s $FOLDER/$1/result ]; do sleep 0.1; done
        cat $FOLDER/$1/result; [ \"\$(cat $FOLDER/$1/result)\" = ok ]"
}

own_processes() {
    local uids
    uids=$(on 1 "ssictl status --processes | awk 'NR > 1 { print \$5 }' | sort -u")
    [ "$uids" = $USER_ID ] || { echo "processes of users: $uids"; return 1; }
}

# saved NAME PROGRAM: he checkpoints what is his own, and all of it ends; sets APP and VERSION.
saved() {
    local said
    begin "$1" "$AS_USER" "$2"
    said=$(on 1 "$AS_USER checkpoint --json --store $STORE $PID")
    version "$said"
    killed
}

# goes_on NAME: he restarts it, and it finds all as it was.
goes_on() {
    on 1 "$AS_USER $RESTART $APP $VERSION"
    own_processes
    ends_well "$1"
}

one_program() {
    saved "$1" "$1"
    goes_on "$1"
}

# A limit on processes that the caller's control group has; without it the application goes on.
too_many_processes() {
    local group=/sys/fs/cgroup/few
    saved limited tree
    on 1 "echo +pids >/sys/fs/cgroup/cgroup.subtree_control
        mkdir -p $group && echo 2 >$group/pids.max"
    gives 1 28 "number of processes" \
        "echo \$\$ >$group/cgroup.procs && exec $AS_USER $RESTART $APP $VERSION"
    goes_on limited
    on 1 "rmdir $group"
}

# He raises none of his limits by a restart.
lower_limits() {
    saved lowered tree
    gives 1 14 "higher limits" "ulimit -n 64 && exec $AS_USER $RESTART $APP $VERSION"
    goes_on lowered
}

files_are_private() {
    local open
    open=$(on 1 "find $STORE -type f -perm /077")
    [ -z "$open" ] || { echo "others may read: $open"; return 1; }
    open=$(on 1 "find $STORE ! -uid $USER_ID")
    [ -z "$open" ] || { echo "somebody else's: $open"; return 1; }
}

# What root runs, in a store that everybody may read by root's own fault.
roots_version() {
    begin root "" tree
    version "$(on 1 "checkpoint --json --store $ROOTS $PID")"
    on 1 "chmod -R a+rX $ROOTS"
    killed
}

# A user with a copy of root's version still is no more than the user.
copied_version() {
    on 1 "rm -rf $FOLDER/copy && cp -r $ROOTS $FOLDER/copy && chown -R $USER_ID $FOLDER/copy"
    gives 1 14 "not permitted" "$AS_USER restart --store $FOLDER/copy $APP $VERSION"
    on 1 "[ -z \"\$(ssictl status --processes | awk 'NR > 1')\" ]"
}

start_cluster
on 1 "rm -rf $FOLDER && mkdir -p $STORE $ROOTS && chown $USER_ID:$USER_ID $STORE
    chmod 755 $FOLDER
    touch $FOLDER/output && chown $USER_ID $FOLDER/output"
for program in tree pipes tcp files schedule memory; do
    try "a user's own $program" one_program $program
done
try "a limit on processes" too_many_processes
try "lower limits" lower_limits
try "his versions are his alone" files_are_private
try "another user's version" gives 1 14 "Permission denied" \
    "$AS_OTHER restart --store $STORE $(on 1 "ls $STORE | head -n 1")"
begin other "$AS_USER" tree
try "another user's process" gives 1 14 "somebody else's" \
    "$AS_OTHER checkpoint --store $FOLDER/others $PID"
try "another user's capability" gives 1 14 "somebody else's" "$AS_OTHER ssi-cap --clear $PID"
try "root may checkpoint a user's process" on 1 "checkpoint --store $ROOTS $PID"
try "the user noticed nothing" ends_well other
try "the cluster's key is root's" gives 1 5 "Permission denied" "$AS_USER ssictl join"
try "leaving is root's" gives 1 14 "only root" "$AS_USER ssictl leave"
roots_version
try "a readable version of root's" gives 1 14 "not permitted" \
    "$AS_USER restart --store $ROOTS $APP $VERSION"
try "a copied version of root's" copied_version
finish
