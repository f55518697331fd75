// SPDX-License-Identifier: GPL-2.0
// Pairs of UNIX sockets: what nobody has read, closed ends, options, and a talk that never rests.
#include "check.h"
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>

#define LYING 5000
#define READ 1234
#define PUSHED (512 << 10)

static const size_t packets[] = { 1, 0, 2000, 7 };
#define PACKETS (sizeof(packets) / sizeof(packets[0]))

struct pair {
	int near, far;
};

static struct pair make(int type)
{
	int fds[2];

	CHECK(socketpair(AF_UNIX, type, 0, fds) == 0);
	return (struct pair){ fds[0], fds[1] };
}

static void put(int fd, uint32_t seed, size_t len)
{
	unsigned char bytes[LYING];

	fill(seed, 0, bytes, len);
	CHECK_EQUAL(send(fd, bytes, len, 0), len);
}

/* Reads bytes from @from to @to of what was put. */
static void get(int fd, uint32_t seed, size_t from, size_t to)
{
	unsigned char bytes[4096];

	while (from < to) {
		ssize_t more = recv(fd, bytes, to - from < 4096 ? to - from : 4096, 0);

		CHECK(more > 0);
		same(seed, from, bytes, more);
		from += more;
	}
}

static void nothing_more(int fd, int error)
{
	char byte;

	CHECK(recv(fd, &byte, 1, MSG_DONTWAIT) == -1);
	CHECK_EQUAL(errno, error);
}

static void ended(int fd)
{
	char byte;

	CHECK_EQUAL(recv(fd, &byte, 1, 0), 0);
}

/* A packet that is empty looks like an end: only datagrams have it here. */
static int is_there(int type, size_t at)
{
	return packets[at] > 0 || type == SOCK_DGRAM;
}

static struct pair packet_pair(int type)
{
	struct pair pair = make(type | SOCK_NONBLOCK);

	for (size_t at = 0; at < PACKETS; at++)
		if (is_there(type, at))
			put(pair.far, 50 + at, packets[at]);
	return pair;
}

static void check_packets(int type, struct pair pair)
{
	unsigned char bytes[LYING];

	for (size_t at = 0; at < PACKETS; at++) {
		if (!is_there(type, at))
			continue;
		CHECK_EQUAL(recv(pair.near, bytes, sizeof(bytes), 0), packets[at]);
		same(50 + at, 0, bytes, packets[at]);
	}
	nothing_more(pair.near, EAGAIN);
	put(pair.near, 60, 10);
	get(pair.far, 60, 0, 10);
}

/* Nothing more comes from one side, which still hears the other. */
static struct pair half_pair(void)
{
	struct pair pair = make(SOCK_STREAM);

	put(pair.far, 61, 100);
	CHECK(shutdown(pair.far, SHUT_WR) == 0);
	return pair;
}

static void check_half(struct pair pair)
{
	get(pair.near, 61, 0, 100);
	ended(pair.near);
	put(pair.near, 62, 100);
	get(pair.far, 62, 0, 100);
	CHECK(send(pair.far, "x", 1, MSG_NOSIGNAL) == -1 && errno == EPIPE);
}

/* One side is closed: what it said is there, what it was told is lost, and that is an error. */
static int lonely(size_t untold)
{
	struct pair pair = make(SOCK_STREAM);

	put(pair.far, 63, 300);
	if (untold)
		put(pair.near, 64, untold);
	CHECK(close(pair.far) == 0);
	return pair.near;
}

static void check_lonely(int fd, int error)
{
	get(fd, 63, 0, 300);
	if (error)
		nothing_more(fd, error);
	ended(fd);
	CHECK(send(fd, "x", 1, MSG_NOSIGNAL) == -1 && errno == EPIPE);
}

struct options {
	int buffer, low_water;
	struct timeval patience;
	struct ucred creator;
};

static void get_option(int fd, int option, void *value, socklen_t size)
{
	socklen_t len = size;

	CHECK(getsockopt(fd, SOL_SOCKET, option, value, &len) == 0);
	CHECK_EQUAL(len, size);
}

static struct options options_of(int fd)
{
	struct options options;

	memset(&options, 0, sizeof(options));
	get_option(fd, SO_SNDBUF, &options.buffer, sizeof(int));
	get_option(fd, SO_RCVLOWAT, &options.low_water, sizeof(int));
	get_option(fd, SO_RCVTIMEO, &options.patience, sizeof(struct timeval));
	get_option(fd, SO_PEERCRED, &options.creator, sizeof(struct ucred));
	return options;
}

static void set_options(int fd)
{
	struct timeval patience = { 7, 500000 };
	int buffer = 50000, low_water = 3;

	CHECK(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof(int)) == 0);
	CHECK(setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &low_water, sizeof(int)) == 0);
	CHECK(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) == 0);
}

/* Says everything again, until the other side ends. */
static pid_t echo(struct pair talk)
{
	unsigned char bytes[999];
	ssize_t len;
	pid_t child = fork();

	CHECK(child >= 0);
	if (child > 0)
		return child;
	close(talk.near);
	while ((len = read(talk.far, bytes, sizeof(bytes))) > 0)
		CHECK_EQUAL(send(talk.far, bytes, len, 0), len);
	CHECK_EQUAL(len, 0);
	_exit(6);
}

struct speaker {
	int fd;
	uint64_t said;
};

/* Talks without end until told to go. */
static void *speak(void *argument)
{
	struct speaker *speaker = argument;
	unsigned char bytes[777];

	while (!went()) {
		fill(65, speaker->said, bytes, sizeof(bytes));
		CHECK_EQUAL(send(speaker->fd, bytes, sizeof(bytes), 0), sizeof(bytes));
		speaker->said += sizeof(bytes);
	}
	CHECK(shutdown(speaker->fd, SHUT_WR) == 0);
	return argument;
}

/* Hears it. */
static void *hear(void *argument)
{
	struct speaker *speaker = argument;
	unsigned char bytes[1000];
	uint64_t heard = 0;
	ssize_t len;

	while ((len = recv(speaker->fd, bytes, sizeof(bytes), 0)) > 0) {
		same(65, heard, bytes, len);
		heard += len;
	}
	CHECK_EQUAL(len, 0);
	CHECK_EQUAL(heard, speaker->said);
	return argument;
}

/* Waits in send for the whole test: the pair is full. */
static void *push(void *argument)
{
	unsigned char *bytes = malloc(PUSHED);
	size_t at = 0;

	CHECK(bytes);
	fill(66, 0, bytes, PUSHED);
	while (at < PUSHED) {
		ssize_t len = send(*(int *)argument, bytes + at, PUSHED - at, 0);

		CHECK(len > 0);
		at += len;
	}
	free(bytes);
	return argument;
}

static int watch(int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };
	int epoll = epoll_create1(0);

	CHECK(epoll >= 0 && epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0);
	return epoll;
}

int main(int argc, char **argv)
{
	struct pair lying, sequence, datagrams, half, full, talk;
	struct options before, after;
	struct epoll_event event;
	struct speaker speaker = { 0 };
	int orphan, reset, epoll;
	pthread_t threads[3];
	pid_t child;

	begin(argc, argv);
	lying = make(SOCK_STREAM | SOCK_NONBLOCK);
	put(lying.near, 67, LYING);
	put(lying.far, 68, LYING);
	get(lying.near, 68, 0, READ);
	sequence = packet_pair(SOCK_SEQPACKET);
	datagrams = packet_pair(SOCK_DGRAM);
	half = half_pair();
	orphan = lonely(0);
	reset = lonely(50);
	full = make(SOCK_STREAM | SOCK_CLOEXEC);
	set_options(full.near);
	before = options_of(full.near);
	CHECK_EQUAL(before.creator.pid, getpid());
	talk = make(SOCK_STREAM);
	child = echo(talk);
	speaker.fd = talk.near;
	close(talk.far);
	epoll = watch(lying.far);
	CHECK(pthread_create(&threads[0], NULL, push, &full.near) == 0);
	CHECK(pthread_create(&threads[1], NULL, speak, &speaker) == 0);
	CHECK(pthread_create(&threads[2], NULL, hear, &speaker) == 0);

	ready();
	wait_for_go();

	for (int at = 1; at < 3; at++)
		CHECK(pthread_join(threads[at], NULL) == 0);
	child_ended(child, 6);
	CHECK(epoll_wait(epoll, &event, 1, 0) == 1 && event.data.fd == lying.far);
	get(lying.far, 67, 0, LYING);
	CHECK_EQUAL(epoll_wait(epoll, &event, 1, 0), 0);
	get(lying.near, 68, READ, LYING);
	nothing_more(lying.near, EAGAIN);
	check_packets(SOCK_SEQPACKET, sequence);
	check_packets(SOCK_DGRAM, datagrams);
	check_half(half);
	check_lonely(orphan, 0);
	check_lonely(reset, ECONNRESET);
	get(full.far, 66, 0, PUSHED);
	CHECK(pthread_join(threads[0], NULL) == 0);
	after = options_of(full.near);
	CHECK(memcmp(&before, &after, sizeof(before)) == 0);
	CHECK(fcntl(full.near, F_GETFD) == FD_CLOEXEC);
	CHECK(fcntl(lying.near, F_GETFL) & O_NONBLOCK);
	pass();
}
