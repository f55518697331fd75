// SPDX-License-Identifier: GPL-2.0
// Epoll sets with their items and data, and eventfd counters.
#include "check.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>

#define COUNTER_DATA 0x1122334455667788ull
#define PIPE_DATA 0x99aabbccddeeff00ull

static void add(int set, int fd, uint32_t events, uint64_t data)
{
	struct epoll_event event = { .events = events, .data.u64 = data };

	CHECK(epoll_ctl(set, EPOLL_CTL_ADD, fd, &event) == 0);
}

/* Takes exactly one event, with this data. */
static void one(int set, uint64_t data)
{
	struct epoll_event events[4];

	CHECK_EQUAL(epoll_wait(set, events, 4, 5000), 1);
	CHECK_EQUAL(events[0].data.u64, data);
	CHECK(events[0].events & EPOLLIN);
}

static void nothing(int set)
{
	struct epoll_event events[4];

	CHECK_EQUAL(epoll_wait(set, events, 4, 0), 0);
}

int main(int argc, char **argv)
{
	int set, spent, counter, semaphore, pipe_ends[2], once[2];
	uint64_t value;

	begin(argc, argv);
	set = epoll_create1(EPOLL_CLOEXEC);
	spent = epoll_create1(0);
	counter = eventfd(0, EFD_NONBLOCK);
	semaphore = eventfd(3, EFD_SEMAPHORE | EFD_NONBLOCK | EFD_CLOEXEC);
	CHECK(set >= 0 && spent >= 0 && counter >= 0 && semaphore >= 0);
	CHECK(pipe(pipe_ends) == 0 && pipe(once) == 0);
	add(set, counter, EPOLLIN, COUNTER_DATA);
	add(set, pipe_ends[0], EPOLLIN, PIPE_DATA);
	add(spent, once[0], EPOLLIN | EPOLLONESHOT, 1);
	CHECK_EQUAL(write(once[1], "x", 1), 1);
	one(spent, 1);
	nothing(set);

	ready();
	wait_for_go();

	nothing(set);
	nothing(spent);
	value = 5;
	CHECK_EQUAL(write(counter, &value, 8), 8);
	one(set, COUNTER_DATA);
	CHECK_EQUAL(read(counter, &value, 8), 8);
	CHECK_EQUAL(value, 5);
	nothing(set);
	CHECK_EQUAL(write(pipe_ends[1], "y", 1), 1);
	one(set, PIPE_DATA);
	for (int left = 3; left > 0; left--) {
		CHECK_EQUAL(read(semaphore, &value, 8), 8);
		CHECK_EQUAL(value, 1);
	}
	CHECK(read(semaphore, &value, 8) == -1 && errno == EAGAIN);
	CHECK_EQUAL(fcntl(set, F_GETFD), FD_CLOEXEC);
	CHECK(epoll_ctl(set, EPOLL_CTL_DEL, counter, NULL) == 0);
	CHECK(epoll_ctl(set, EPOLL_CTL_DEL, once[0], NULL) == -1 && errno == ENOENT);
	pass();
}
