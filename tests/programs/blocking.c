// SPDX-License-Identifier: GPL-2.0
// Every call that blocks is interrupted by a checkpoint and goes on as if nothing had happened.
#include "check.h"
#include <arpa/inet.h>
#include <linux/futex.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#define SHORT_MS 3000
#define LONG_S 3600
#define BULK (1 << 20)

static int reading[2], writing[2], polling[2], selecting[2], waiting[2];
static int listening, caller[2], sender[2];
static pid_t sons[2];
static int word;
static _Atomic int started;

/* Fails with the name of the call that returned too early or with the wrong answer. */
#define RETURNS(call, wanted) \
	do { \
		long long got_ = (call); \
		if (got_ != (long long)(wanted)) \
			fail("%s returned %lld, not %lld (errno %d)", #call, got_, \
			     (long long)(wanted), errno); \
		CHECK(went()); \
	} while (0)

static void in_read(void)
{
	char byte;

	RETURNS(read(reading[0], &byte, 1), 1);
}

static void in_write(void)
{
	static unsigned char bytes[BULK];

	fill(60, 0, bytes, BULK);
	RETURNS(write(writing[1], bytes, BULK), BULK);
}

static void in_poll(void)
{
	struct pollfd poller = { polling[0], POLLIN, 0 };

	RETURNS(poll(&poller, 1, -1), 1);
}

static void in_poll_with_limit(void)
{
	struct pollfd poller = { polling[0], POLLIN, 0 };

	RETURNS(poll(&poller, 1, LONG_S * 1000), 1);
}

static void in_ppoll(void)
{
	struct pollfd poller = { polling[0], POLLIN, 0 };
	struct timespec limit = { LONG_S, 0 };

	RETURNS(ppoll(&poller, 1, &limit, NULL), 1);
	CHECK(limit.tv_sec <= LONG_S);
}

static void in_select(void)
{
	struct timeval limit = { LONG_S, 0 };
	fd_set set;

	FD_ZERO(&set);
	FD_SET(selecting[0], &set);
	RETURNS(select(selecting[0] + 1, &set, NULL, NULL, &limit), 1);
	CHECK(FD_ISSET(selecting[0], &set));
}

static void in_epoll_wait(void)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u64 = 61 };
	int set = epoll_create1(0);

	CHECK(set >= 0 && epoll_ctl(set, EPOLL_CTL_ADD, waiting[0], &event) == 0);
	event.data.u64 = 0;
	RETURNS(epoll_wait(set, &event, 1, LONG_S * 1000), 1);
	CHECK_EQUAL(event.data.u64, 61);
}

static void in_nanosleep(void)
{
	struct timespec time = { SHORT_MS / 1000, 0 };
	int64_t start = now_ms();

	CHECK_EQUAL(nanosleep(&time, NULL), 0);
	CHECK(now_ms() >= start + SHORT_MS);
}

static void in_nanosleep_until(void)
{
	struct timespec until;

	CHECK(clock_gettime(CLOCK_MONOTONIC, &until) == 0);
	until.tv_sec += SHORT_MS / 1000;
	CHECK_EQUAL(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL), 0);
	CHECK(now_ms() >= until.tv_sec * 1000ll + until.tv_nsec / 1000000);
}

static void in_poll_that_times_out(void)
{
	int64_t start = now_ms();

	CHECK_EQUAL(poll(NULL, 0, SHORT_MS), 0);
	CHECK(now_ms() >= start + SHORT_MS);
}

static void in_futex(void)
{
	RETURNS(syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0), 0);
}

static void in_futex_that_times_out(void)
{
	struct timespec limit = { SHORT_MS / 1000, 0 };
	int64_t start = now_ms();
	int other = 0;

	CHECK(syscall(SYS_futex, &other, FUTEX_WAIT_PRIVATE, 0, &limit, NULL, 0) == -1);
	CHECK_EQUAL(errno, ETIMEDOUT);
	CHECK(now_ms() >= start + SHORT_MS);
}

static void in_wait4(void)
{
	int status;

	RETURNS(waitpid(sons[0], &status, 0), sons[0]);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 9);
}

static void in_waitid(void)
{
	siginfo_t info;

	RETURNS(waitid(P_PID, sons[1], &info, WEXITED), 0);
	CHECK_EQUAL(info.si_status, 9);
}

static void in_accept(void)
{
	int fd = accept(listening, NULL, NULL);

	if (fd < 0)
		fail("accept: errno %d", errno);
	CHECK(went());
}

static void in_recv(void)
{
	char byte;

	RETURNS(recv(caller[1], &byte, 1, 0), 1);
}

static void in_send(void)
{
	static unsigned char bytes[16 * BULK];

	fill(62, 0, bytes, sizeof(bytes));
	RETURNS(send(sender[0], bytes, sizeof(bytes), 0), sizeof(bytes));
}

static void in_sigtimedwait(void)
{
	struct timespec limit = { LONG_S, 0 };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + 4);
	RETURNS(sigtimedwait(&set, NULL, &limit), SIGRTMIN + 4);
}

static void nothing(int number)
{
	(void)number;
}

static void in_pause(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	pthread_sigmask(SIG_SETMASK, NULL, &set);
	sigdelset(&set, SIGUSR1);
	CHECK(sigsuspend(&set) == -1 && errno == EINTR);
	CHECK(went());
}

static void (*const calls[])(void) = {
	in_read, in_write, in_poll, in_poll_with_limit, in_ppoll, in_select, in_epoll_wait,
	in_nanosleep, in_nanosleep_until, in_poll_that_times_out, in_futex,
	in_futex_that_times_out, in_wait4, in_waitid, in_accept, in_recv, in_send,
	in_sigtimedwait, in_pause,
};
#define CALLS ((int)(sizeof(calls) / sizeof(calls[0])))

static void *block(void *argument)
{
	atomic_fetch_add(&started, 1);
	calls[(long)argument]();
	return NULL;
}

static int dial(void)
{
	struct sockaddr_in address;
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	CHECK(getsockname(listening, (struct sockaddr *)&address, &len) == 0);
	CHECK(fd >= 0 && connect(fd, (struct sockaddr *)&address, len) == 0);
	return fd;
}

static void connected(int pair[2])
{
	pair[0] = dial();
	pair[1] = accept(listening, NULL, NULL);
	CHECK(pair[1] >= 0);
}

static void set_up(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	sigset_t set;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	listening = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(bind(listening, (struct sockaddr *)&address, sizeof(address)) == 0);
	CHECK(listen(listening, 5) == 0);
	connected(caller);
	connected(sender);
	CHECK(pipe(reading) == 0 && pipe(writing) == 0 && pipe(polling) == 0);
	CHECK(pipe(selecting) == 0 && pipe(waiting) == 0);
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + 4);
	sigaddset(&set, SIGUSR1);
	CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
	CHECK(signal(SIGUSR1, nothing) != SIG_ERR);
	for (int son = 0; son < 2; son++) {
		sons[son] = fork();
		CHECK(sons[son] >= 0);
		if (sons[son] == 0) {
			wait_for_go();
			_exit(9);
		}
	}
}

static void drain(int fd, uint32_t seed, size_t len)
{
	static unsigned char bytes[65536];
	size_t at = 0;

	while (at < len) {
		ssize_t more = read(fd, bytes, len - at < 65536 ? len - at : 65536);

		CHECK(more > 0);
		same(seed, at, bytes, more);
		at += more;
	}
}

/* Ends every call that does not end by itself. */
static void release(pthread_t threads[])
{
	CHECK_EQUAL(write(reading[1], "x", 1), 1);
	drain(writing[0], 60, BULK);
	CHECK_EQUAL(write(polling[1], "x", 1), 1);
	CHECK_EQUAL(write(selecting[1], "x", 1), 1);
	CHECK_EQUAL(write(waiting[1], "x", 1), 1);
	word = 1;
	CHECK_EQUAL(syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0), 1);
	dial();
	CHECK_EQUAL(send(caller[0], "x", 1, 0), 1);
	drain(sender[1], 62, 16 * BULK);
	for (int call = 0; call < CALLS; call++) {
		if (calls[call] == in_sigtimedwait)
			CHECK(pthread_kill(threads[call], SIGRTMIN + 4) == 0);
		if (calls[call] == in_pause)
			CHECK(pthread_kill(threads[call], SIGUSR1) == 0);
	}
}

int main(int argc, char **argv)
{
	pthread_t threads[CALLS];

	begin(argc, argv);
	set_up();
	for (long call = 0; call < CALLS; call++)
		CHECK(pthread_create(&threads[call], NULL, block, (void *)call) == 0);
	while (atomic_load(&started) < CALLS)
		pause_ms(1);
	/* Time to enter the calls: the short ones last ten times as long. */
	pause_ms(SHORT_MS / 10);

	ready();
	wait_for_go();

	release(threads);
	for (int call = 0; call < CALLS; call++)
		CHECK(pthread_join(threads[call], NULL) == 0);
	pass();
}
