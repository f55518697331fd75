// SPDX-License-Identifier: GPL-2.0
// Is in a state that cannot be saved, and goes on unharmed when a checkpoint is refused.
#include "refused.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/io.h>
#include <sys/ptrace.h>
#include <sys/sem.h>
#include <sys/stat.h>
#include <sys/user.h>

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif

static int traced(void)
{
	int status;

	holder = fork();
	CHECK(holder >= 0);
	if (holder == 0) {
		CHECK(ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0);
		for (;;)
			raise(SIGSTOP);
	}
	CHECK(waitpid(holder, &status, 0) == holder && WIFSTOPPED(status));
	return 0;
}

static int traced_still(void)
{
	struct user_regs_struct regs;

	return ptrace(PTRACE_GETREGS, holder, NULL, &regs) == 0;
}

static int filtered(void)
{
	struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog program = { .len = 1, .filter = &allow };

	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static int filtered_still(void)
{
	return prctl(PR_GET_SECCOMP) == SECCOMP_MODE_FILTER;
}

/* A kernel thread of the process polls the ring. */
static int io_uring_worker(void)
{
	unsigned int params[30] = { [2] = 2 /* IORING_SETUP_SQPOLL */ };

	return syscall(SYS_io_uring_setup, 4, params) < 0 ? -1 : 0;
}

static int host_names(void)
{
	return unshare(CLONE_NEWUTS);
}

static int ipc_objects(void)
{
	return unshare(CLONE_NEWIPC);
}

static int network(void)
{
	return unshare(CLONE_NEWNET);
}

static int mounts(void)
{
	return unshare(CLONE_NEWNS);
}

static int pids(void)
{
	return unshare(CLONE_NEWPID);
}

static int users(void)
{
	return unshare(CLONE_NEWUSER);
}

static int clocks(void)
{
	return unshare(CLONE_NEWTIME);
}

static int control_groups(void)
{
	return unshare(CLONE_NEWCGROUP);
}

static int new_root(void)
{
	CHECK(chdir(folder) == 0);
	if (chroot(folder) < 0)
		return -1;
	strcpy(folder, "");
	return 0;
}

static int deleted_folder(void)
{
	CHECK(mkdir(in_folder("inside"), 0700) == 0 && chdir(in_folder("inside")) == 0);
	return rmdir(in_folder("inside"));
}

static int shared_directory(void)
{
	share_outside(CLONE_FS);
	return 0;
}

static int shared_descriptors(void)
{
	share_outside(CLONE_FILES);
	return 0;
}

static int semaphore(void)
{
	struct sembuf up = { .sem_op = 1, .sem_flg = SEM_UNDO };
	int id = semget(IPC_PRIVATE, 1, 0600);

	CHECK(id >= 0);
	return semop(id, &up, 1);
}

static int ports(void)
{
	return ioperm(0x80, 1, 1);
}

static int deadline(void)
{
	struct {
		uint32_t size, policy;
		uint64_t flags;
		int32_t nice;
		uint32_t priority;
		uint64_t runtime, deadline, period;
	} attr = { sizeof(attr), 6, 0, 0, 0, 1000000, 100000000, 100000000 };

	return syscall(SYS_sched_setattr, 0, &attr, 0);
}

static int deadline_still(void)
{
	return sched_getscheduler(0) == 6;
}

static int dispatched(void)
{
	static char selector;	/* 0: every call goes to the kernel */

	return prctl(59 /* PR_SET_SYSCALL_USER_DISPATCH */, 1, 0, 0, &selector);
}

static const struct kind kinds[] = {
	{ "traced", "a tracer (ptrace)", traced, traced_still },
	{ "seccomp", "seccomp filter", filtered, filtered_still },
	{ "io-uring-worker", "io_uring", io_uring_worker, NULL },
	{ "uts-namespace", "UTS or IPC namespace", host_names, NULL },
	{ "ipc-namespace", "UTS or IPC namespace", ipc_objects, NULL },
	{ "network-namespace", "network namespace", network, NULL },
	{ "mount-namespace", "mount namespace", mounts, NULL },
	{ "pid-namespace", "PID namespace", pids, NULL },
	{ "user-namespace", "user namespace", users, NULL },
	{ "time-namespace", "time namespace", clocks, NULL },
	{ "cgroup-namespace", "cgroup namespace", control_groups, NULL },
	{ "root-directory", "changed root directory", new_root, NULL },
	{ "deleted-directory", "working directory that was deleted", deleted_folder, NULL },
	{ "shared-directory", "working directory shared", shared_directory, NULL },
	{ "shared-descriptors", "descriptors shared", shared_descriptors, NULL },
	{ "semaphore", "semaphore undo list", semaphore, NULL },
	{ "io-ports", "I/O port permissions", ports, NULL },
	{ "deadline", "deadline scheduling", deadline, deadline_still },
	{ "user-dispatch", "system call user dispatch", dispatched, NULL },
};

int main(int argc, char **argv)
{
	return refused_main(argc, argv, kinds, sizeof(kinds) / sizeof(kinds[0]));
}
