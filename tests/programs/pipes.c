// SPDX-License-Identifier: GPL-2.0
// Pipes: content that nobody reads, a writer that waits, and a stream that never rests.
#include "check.h"
#include <pthread.h>

#define LYING 1000
#define PUSHED (256 << 10)

struct ends {
	int read, write;
};

static struct ends make(int flags)
{
	int fds[2];

	CHECK(pipe2(fds, flags) == 0);
	return (struct ends){ fds[0], fds[1] };
}

/* Writes pattern 41 without end until told to go; tells the parent how much that was. */
static pid_t producer(struct ends stream, struct ends report)
{
	unsigned char bytes[777];
	uint64_t at = 0;
	pid_t child = fork();

	CHECK(child >= 0);
	if (child > 0)
		return child;
	close(stream.read);
	while (!went()) {
		fill(41, at, bytes, sizeof(bytes));
		CHECK_EQUAL(write(stream.write, bytes, sizeof(bytes)), sizeof(bytes));
		at += sizeof(bytes);
	}
	close(stream.write);
	CHECK_EQUAL(write(report.write, &at, sizeof(at)), sizeof(at));
	_exit(4);
}

/* Reads it, slowly enough that the pipe is never empty, and reports likewise. */
static pid_t consumer(struct ends stream, struct ends report)
{
	unsigned char bytes[1000];
	uint64_t at = 0;
	ssize_t len;
	pid_t child = fork();

	CHECK(child >= 0);
	if (child > 0)
		return child;
	close(stream.write);
	while ((len = read(stream.read, bytes, sizeof(bytes))) > 0) {
		same(41, at, bytes, len);
		at += len;
		if (at % 16 == 0)
			pause_ms(1);
	}
	CHECK_EQUAL(len, 0);
	CHECK_EQUAL(write(report.write, &at, sizeof(at)), sizeof(at));
	_exit(5);
}

/* Waits in write for the whole test: the pipe is full. */
static void *push(void *argument)
{
	struct ends *full = argument;
	unsigned char *bytes = malloc(PUSHED);

	CHECK(bytes);
	fill(42, 0, bytes, PUSHED);
	CHECK_EQUAL(write(full->write, bytes, PUSHED), PUSHED);
	free(bytes);
	return argument;
}

static void drain(int fd, uint32_t seed, size_t len)
{
	unsigned char bytes[4096];
	size_t at = 0;

	while (at < len) {
		ssize_t more = read(fd, bytes, len - at < 4096 ? len - at : 4096);

		CHECK(more > 0);
		same(seed, at, bytes, more);
		at += more;
	}
}

int main(int argc, char **argv)
{
	struct ends lying, full, stream, sent, received;
	unsigned char bytes[LYING];
	uint64_t out = 0, in = 1;
	pthread_t pusher;
	pid_t first, second;

	begin(argc, argv);
	lying = make(O_NONBLOCK);
	full = make(O_CLOEXEC);
	stream = make(0);
	sent = make(0);
	received = make(0);
	fill(43, 0, bytes, sizeof(bytes));
	CHECK_EQUAL(write(lying.write, bytes, sizeof(bytes)), sizeof(bytes));
	first = producer(stream, sent);
	second = consumer(stream, received);
	close(stream.read);
	close(stream.write);
	CHECK(pthread_create(&pusher, NULL, push, &full) == 0);

	ready();
	wait_for_go();

	drain(lying.read, 43, LYING);
	CHECK(read(lying.read, bytes, 1) == -1 && errno == EAGAIN);
	drain(full.read, 42, PUSHED);
	CHECK(pthread_join(pusher, NULL) == 0);
	child_ended(first, 4);
	child_ended(second, 5);
	CHECK_EQUAL(read(sent.read, &out, sizeof(out)), sizeof(out));
	CHECK_EQUAL(read(received.read, &in, sizeof(in)), sizeof(in));
	CHECK_EQUAL(in, out);
	CHECK(out > 0);
	close(lying.write);
	CHECK_EQUAL(read(lying.read, bytes, 1), 0);
	pass();
}
