// SPDX-License-Identifier: GPL-2.0
// A family of processes keeps its PIDs, parents, groups and sessions, and its exit statuses.
#include "check.h"
#include <sys/mman.h>
#include <stdatomic.h>

struct ids {
	pid_t pid, parent, group, session;
};

static _Atomic int *here;

static struct ids ids(void)
{
	return (struct ids){ getpid(), getppid(), getpgrp(), getsid(0) };
}

/* What every member does: be there, wait, and still be itself. */
static void be(void)
{
	struct ids before = ids(), after;

	atomic_fetch_add(here, 1);
	wait_for_go();
	after = ids();
	CHECK_EQUAL(after.pid, before.pid);
	CHECK_EQUAL(after.parent, before.parent);
	CHECK_EQUAL(after.group, before.group);
	CHECK_EQUAL(after.session, before.session);
}

static pid_t born(void)
{
	pid_t child = fork();

	CHECK(child >= 0);
	return child;
}

/* A session with a group of its own beneath it. */
static void session(void)
{
	pid_t child;

	CHECK(setsid() == getpid());
	child = born();
	if (child == 0) {
		CHECK(setpgid(0, 0) == 0);
		be();
		_exit(11);
	}
	be();
	CHECK_EQUAL(getsid(child), getpid());
	CHECK_EQUAL(getpgid(child), child);
	child_ended(child, 11);
	_exit(10);
}

/* A group with a member. */
static void group(void)
{
	pid_t child;

	CHECK(setpgid(0, 0) == 0);
	child = born();
	if (child == 0) {
		be();
		_exit(21);
	}
	be();
	CHECK_EQUAL(getpgid(child), getpid());
	child_ended(child, 21);
	_exit(20);
}

int main(int argc, char **argv)
{
	struct ids before;
	pid_t first, second;

	begin(argc, argv);
	here = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(here != MAP_FAILED);
	first = born();
	if (first == 0)
		session();
	second = born();
	if (second == 0)
		group();
	while (atomic_load(here) < 4)
		pause_ms(1);
	before = ids();

	ready();
	wait_for_go();

	CHECK_EQUAL(getpid(), before.pid);
	CHECK_EQUAL(getpgrp(), before.group);
	CHECK_EQUAL(getsid(0), before.session);
	child_ended(first, 10);
	child_ended(second, 20);
	CHECK(waitpid(-1, NULL, 0) == -1 && errno == ECHILD);
	pass();
}
