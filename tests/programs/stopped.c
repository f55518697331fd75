// SPDX-License-Identifier: GPL-2.0
// Job control: children that a signal has stopped stay stopped, are waited for once, and go on.
#include "check.h"
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>

struct child {
	pid_t pid;
	volatile uint64_t *counts;	/* one for each of its two threads */
};

static volatile sig_atomic_t told;

static void on_child(int signal)
{
	(void)signal;
	told++;
}

static void *count(void *at)
{
	volatile uint64_t *number = at;

	for (;;) {
		++*number;
		usleep(1000);
	}
	return NULL;
}

static struct child begin_child(void)
{
	struct child child;
	pthread_t thread;

	child.counts = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(child.counts != MAP_FAILED);
	child.pid = fork();
	CHECK(child.pid >= 0);
	if (child.pid == 0) {
		/* A group of its own, with its father in the session: SIGTSTP stops it. */
		CHECK(setpgid(0, 0) == 0);
		CHECK(pthread_create(&thread, NULL, count, (void *)&child.counts[1]) == 0);
		count((void *)&child.counts[0]);
	}
	while (child.counts[0] == 0 || child.counts[1] == 0)
		pause_ms(1);
	return child;
}

static char state_of(pid_t pid)
{
	char path[64], text[256], *end;
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	CHECK(fd >= 0);
	len = read(fd, text, sizeof(text) - 1);
	CHECK(len > 0 && close(fd) == 0);
	text[len] = '\0';
	end = strrchr(text, ')');
	CHECK(end);
	return end[2];
}

static void rests(const struct child *child)
{
	uint64_t first = child->counts[0], second = child->counts[1];

	CHECK_EQUAL(state_of(child->pid), 'T');
	pause_ms(50);
	CHECK_EQUAL(child->counts[0], first);
	CHECK_EQUAL(child->counts[1], second);
}

static void goes_on(const struct child *child)
{
	uint64_t first = child->counts[0], second = child->counts[1];
	int status;

	CHECK(kill(child->pid, SIGCONT) == 0);
	CHECK(waitpid(child->pid, &status, WCONTINUED) == child->pid && WIFCONTINUED(status));
	while (child->counts[0] == first || child->counts[1] == second)
		pause_ms(1);
	CHECK(kill(child->pid, SIGKILL) == 0);
	CHECK(waitpid(child->pid, &status, 0) == child->pid && WIFSIGNALED(status));
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = on_child, .sa_flags = SA_RESTART };
	struct child known, news;
	int status, before;

	begin(argc, argv);
	CHECK(sigaction(SIGCHLD, &action, NULL) == 0);
	known = begin_child();
	news = begin_child();
	CHECK(kill(known.pid, SIGSTOP) == 0);
	CHECK(waitpid(known.pid, &status, WUNTRACED) == known.pid && WIFSTOPPED(status));
	CHECK(kill(news.pid, SIGTSTP) == 0);
	while (state_of(news.pid) != 'T')
		pause_ms(1);
	rests(&known);
	rests(&news);
	before = told;

	ready();
	wait_for_go();

	rests(&known);
	rests(&news);
	CHECK_EQUAL(told, before);
	CHECK_EQUAL(waitpid(known.pid, &status, WUNTRACED | WNOHANG), 0);
	CHECK(waitpid(news.pid, &status, WUNTRACED) == news.pid && WIFSTOPPED(status));
	CHECK_EQUAL(WSTOPSIG(status), SIGTSTP);
	goes_on(&known);
	goes_on(&news);
	pass();
}
