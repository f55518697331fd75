// SPDX-License-Identifier: GPL-2.0
// Timers as descriptors: what is left of them, what they have counted, times of day, and one that
// is about to expire whenever the checkpoint comes.
#include "check.h"
#include <poll.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>

#define FAR_S 600
#define PERIOD_MS 50
#define SOON_NS 200000

static int timer(int clock, int flags, struct timespec value, long interval_ms)
{
	struct itimerspec time = {
		{ interval_ms / 1000, interval_ms % 1000 * 1000000 }, value,
	};
	int fd = timerfd_create(clock, TFD_NONBLOCK | TFD_CLOEXEC);

	CHECK(fd >= 0 && timerfd_settime(fd, flags, &time, NULL) == 0);
	return fd;
}

static struct timespec ms(long ms)
{
	return (struct timespec) { ms / 1000, ms % 1000 * 1000000 };
}

/* How often it has expired; waits until it has. */
static uint64_t expired(int fd)
{
	struct pollfd one = { .fd = fd, .events = POLLIN };
	uint64_t count;

	CHECK_EQUAL(poll(&one, 1, 20000), 1);
	CHECK_EQUAL(read(fd, &count, sizeof(count)), sizeof(count));
	return count;
}

static void has_nothing(int fd)
{
	uint64_t count;

	CHECK(read(fd, &count, sizeof(count)) == -1 && errno == EAGAIN);
}

/* Each time it is set it expires, however near that is to a checkpoint. */
static void wait_for_go_by(int fd)
{
	struct itimerspec soon = { .it_value = { 0, SOON_NS } };

	while (!went()) {
		CHECK(timerfd_settime(fd, 0, &soon, NULL) == 0);
		CHECK_EQUAL(expired(fd), 1);
	}
}

int main(int argc, char **argv)
{
	int far, periodic, once, counted, day, idle, soon, set;
	struct epoll_event event = { .events = EPOLLIN, .data.u64 = 17 };
	struct itimerspec left;
	struct timespec now;

	begin(argc, argv);
	CHECK(clock_gettime(CLOCK_REALTIME, &now) == 0);
	far = timer(CLOCK_MONOTONIC, 0, (struct timespec) { FAR_S, 0 }, 0);
	periodic = timer(CLOCK_BOOTTIME, 0, ms(PERIOD_MS), PERIOD_MS);
	once = timer(CLOCK_MONOTONIC, 0, ms(1), 0);
	counted = timer(CLOCK_REALTIME, 0, ms(PERIOD_MS), PERIOD_MS);
	now.tv_sec += FAR_S;
	day = timer(CLOCK_REALTIME, TFD_TIMER_ABSTIME, now, 0);
	idle = timer(CLOCK_MONOTONIC, 0, ms(0), 0);
	soon = timer(CLOCK_MONOTONIC, 0, ms(0), 0);
	set = epoll_create1(0);
	CHECK(set >= 0 && epoll_ctl(set, EPOLL_CTL_ADD, periodic, &event) == 0);
	pause_ms(4 * PERIOD_MS);
	/* Counts what has gone by, and leaves it to be read. */
	CHECK(timerfd_gettime(counted, &left) == 0);
	CHECK(expired(periodic) >= 2);

	ready();
	wait_for_go_by(soon);

	CHECK(timerfd_gettime(far, &left) == 0);
	CHECK_EQUAL(left.it_interval.tv_nsec, 0);
	CHECK(left.it_value.tv_sec <= FAR_S && left.it_value.tv_sec > FAR_S / 2);
	CHECK_EQUAL(epoll_wait(set, &event, 1, 20000), 1);
	CHECK_EQUAL(event.data.u64, 17);
	CHECK(expired(periodic) >= 1 && expired(periodic) >= 1);
	CHECK(timerfd_gettime(periodic, &left) == 0);
	CHECK_EQUAL(left.it_interval.tv_nsec, PERIOD_MS * 1000000);
	CHECK_EQUAL(expired(once), 1);
	has_nothing(once);
	CHECK(expired(counted) >= 3 && expired(counted) >= 1);
	has_nothing(idle);
	CHECK(timerfd_gettime(idle, &left) == 0 && !left.it_value.tv_sec && !left.it_value.tv_nsec);
	/* The same second of the same day, whatever time has gone by. */
	CHECK(timerfd_gettime(day, &left) == 0);
	now.tv_sec -= left.it_value.tv_sec;
	CHECK(left.it_value.tv_sec > 0 && labs(now.tv_sec - time(NULL)) <= 1);
	CHECK_EQUAL(fcntl(far, F_GETFD), FD_CLOEXEC);
	CHECK(fcntl(far, F_GETFL) & O_NONBLOCK);
	pass();
}
