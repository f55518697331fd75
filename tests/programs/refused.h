/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One program, many kinds of what cannot be saved. With a folder alone it names those that this
 * kernel and machine have; with a kind as well it holds that one.
 */
#ifndef REFUSED_H
#define REFUSED_H

#include "check.h"
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

/* The descriptor to be named, or -1; and who holds it, 0 for the program itself. */
static int held = -1;
static pid_t holder;

struct kind {
	const char *name;
	const char *words;	/* what the refusal must say */
	int (*take)(void);	/* -1: this kernel or machine has none */
	int (*still)(void);	/* at the end: is it as it was? NULL: the descriptor tells */
};

/* A child outside the application that has some of what its father has, for as long as he lives. */
__attribute__((unused)) static void share_outside(unsigned long what)
{
	struct {
		uint32_t pid, caps;
	} none = { 0, 0 };
	pid_t father = getpid(), child;

	child = syscall(SYS_clone, what | SIGCHLD, NULL, NULL, NULL, NULL);
	CHECK(child >= 0);
	if (child > 0)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	syscall(550 /* ssi_capset */, &none, sizeof(none));
	while (getppid() == father)
		pause();
	_exit(0);
}

/* Whether there is such a thing, tried by a child. */
static int is_here(const struct kind *kind)
{
	pid_t child = fork();
	int status;

	CHECK(child >= 0);
	if (!child) {
		status = kind->take() < 0 ? 2 : 0;
		if (holder)
			kill(holder, SIGKILL);
		_exit(status);
	}
	CHECK(waitpid(child, &status, 0) == child);
	return !WIFEXITED(status) || WEXITSTATUS(status) != 2;
}

static int refused_main(int argc, char **argv, const struct kind *kinds, size_t count)
{
	char text[64];
	size_t kind;

	begin(argc, argv);
	if (argc < 3) {
		for (kind = 0; kind < count; kind++)
			if (is_here(&kinds[kind]))
				puts(kinds[kind].name);
		return 0;
	}
	for (kind = 0; kind < count && strcmp(kinds[kind].name, argv[2]) != 0; kind++)
		;
	CHECK(kind < count);
	CHECK(kinds[kind].take() == 0);
	snprintf(text, sizeof(text), "%d %d\n", holder ? holder : getpid(), held);
	note("held", text);
	note("words", kinds[kind].words);

	ready();
	wait_for_go();
	CHECK(held < 0 || fcntl(held, F_GETFD) >= 0);
	CHECK(!kinds[kind].still || kinds[kind].still());
	if (holder)
		CHECK(kill(holder, SIGKILL) == 0 && waitpid(holder, NULL, 0) == holder);
	pass();
}

#endif
