// SPDX-License-Identifier: GPL-2.0
// Signals as descriptors: those that wait, those that come, read and watched by an epoll.
#include "check.h"
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>

#define SET_DATA 23
#define VALUE 4711

static void took(int fd, int signal, int value)
{
	struct signalfd_siginfo info;

	CHECK_EQUAL(read(fd, &info, sizeof(info)), sizeof(info));
	CHECK_EQUAL(info.ssi_signo, signal);
	CHECK_EQUAL(info.ssi_pid, getpid());
	CHECK_EQUAL(info.ssi_int, value);
}

static void comes_by(int set)
{
	struct epoll_event event;

	CHECK_EQUAL(epoll_wait(set, &event, 1, 20000), 1);
	CHECK_EQUAL(event.data.u64, SET_DATA);
}

/* Sent to whom else than this thread: an epoll that waits hears of it. */
static void *send(void *value)
{
	pause_ms(50);
	CHECK(sigqueue(getpid(), SIGUSR2, (union sigval) { .sival_int = VALUE }) == 0);
	return value;
}

/* A child has the descriptor, and its own signals. */
static pid_t child(int fd)
{
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid)
		return pid;
	wait_for_go();
	CHECK(sigqueue(getpid(), SIGUSR1, (union sigval) { .sival_int = 1 }) == 0);
	took(fd, SIGUSR1, 1);
	_exit(7);
}

int main(int argc, char **argv)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u64 = SET_DATA };
	struct signalfd_siginfo info;
	int fd, blocking, other, set;
	sigset_t mask, one;
	pthread_t thread;
	pid_t pid;

	begin(argc, argv);
	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR1);
	sigaddset(&mask, SIGUSR2);
	sigaddset(&mask, SIGRTMAX);
	CHECK(sigprocmask(SIG_BLOCK, &mask, NULL) == 0);
	sigemptyset(&one);
	sigaddset(&one, SIGUSR2);
	blocking = signalfd(-1, &one, 0);
	pid = child(signalfd(-1, &mask, 0));
	fd = signalfd(-1, &mask, SFD_NONBLOCK | SFD_CLOEXEC);
	set = epoll_create1(0);
	CHECK(fd >= 0 && blocking >= 0 && set >= 0);
	CHECK(epoll_ctl(set, EPOLL_CTL_ADD, fd, &event) == 0);
	/* The number that the epoll knows means something else by now. */
	other = dup(fd);
	CHECK(other >= 0 && dup3(blocking, fd, O_CLOEXEC) == fd);
	CHECK(sigqueue(getpid(), SIGRTMAX, (union sigval) { .sival_int = VALUE }) == 0);

	ready();
	wait_for_go();

	CHECK_EQUAL(fcntl(fd, F_GETFD), FD_CLOEXEC);
	CHECK_EQUAL(fcntl(other, F_GETFD), 0);
	comes_by(set);
	took(other, SIGRTMAX, VALUE);
	CHECK(read(other, &info, sizeof(info)) == -1 && errno == EAGAIN);
	CHECK_EQUAL(epoll_wait(set, &event, 1, 0), 0);
	CHECK(pthread_create(&thread, NULL, send, NULL) == 0);
	comes_by(set);
	took(other, SIGUSR2, VALUE);
	CHECK(pthread_join(thread, NULL) == 0);
	CHECK(pthread_create(&thread, NULL, send, NULL) == 0);
	took(blocking, SIGUSR2, VALUE);
	CHECK(pthread_join(thread, NULL) == 0);
	child_ended(pid, 7);
	pass();
}
