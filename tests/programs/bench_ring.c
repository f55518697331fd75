// SPDX-License-Identifier: GPL-2.0
// One process of a ring for scripts/bench: TCP to both neighbours, a token that goes round; or,
// without the host of the next one, the same process with no link to any other.
#include "check.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/socket.h>

#define PORT 7200
#define RING_MAX 64
#define DIAL_MS_MAX 120000
#define ROUND_MS 100
#define LAST UINT64_MAX

static size_t words;
static uint64_t *memory;

static void fill_memory(long mib)
{
	words = ((size_t)mib << 20) / sizeof(*memory);
	memory = mmap(NULL, words * sizeof(*memory), PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(memory != MAP_FAILED);
	for (size_t i = 0; i < words; i++)
		memory[i] = i;
}

static void check_memory(void)
{
	for (size_t i = 0; i < words; i++)
		CHECK_EQUAL(memory[i], i);
}

static int listener(int index)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(PORT + index) };
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	CHECK(fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0);
	CHECK(bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
	CHECK(listen(fd, 1) == 0);
	return fd;
}

/* The next one may not listen yet. */
static int dial(const char *host, int index)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(PORT + index) };
	int64_t end = now_ms() + DIAL_MS_MAX;
	int fd;

	CHECK(inet_pton(AF_INET, host, &address.sin_addr) == 1);
	for (;;) {
		fd = socket(AF_INET, SOCK_STREAM, 0);
		CHECK(fd >= 0);
		if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
			return fd;
		CHECK(errno == ECONNREFUSED && now_ms() < end);
		close(fd);
		pause_ms(50);
	}
}

static uint64_t take(int fd)
{
	uint64_t token;

	CHECK_EQUAL(recv(fd, &token, sizeof(token), MSG_WAITALL), sizeof(token));
	return token;
}

static void pass_on(int fd, uint64_t token)
{
	CHECK_EQUAL(send(fd, &token, sizeof(token), MSG_NOSIGNAL), sizeof(token));
}

/* The first process sends the token round, and sends the last one when it is time to go. */
static void lead(int in, int out, int count)
{
	uint64_t token = 0;

	while (!went()) {
		pass_on(out, token + 1);
		CHECK_EQUAL(take(in), token + count);
		token += count;
		pause_ms(ROUND_MS);
	}
	pass_on(out, LAST);
	CHECK(take(in) == LAST);
}

static void follow(int in, int out)
{
	uint64_t token;

	while ((token = take(in)) != LAST)
		pass_on(out, token + 1);
	pass_on(out, LAST);
}

/* Between its neighbours, until the last token has gone round. */
static void link_up(int index, int count, const char *next_host)
{
	int listening = listener(index), in, out;

	out = dial(next_host, (index + 1) % count);
	in = accept(listening, NULL, NULL);
	CHECK(in >= 0);
	close(listening);
	ready();
	if (index == 0)
		lead(in, out, count);
	else
		follow(in, out);
}

int main(int argc, char **argv)
{
	int index, count;
	long mib;

	begin(argc, argv);
	index = argc >= 5 ? atoi(argv[2]) : -1;
	count = argc >= 5 ? atoi(argv[3]) : 0;
	mib = argc >= 5 ? atol(argv[4]) : 0;
	if (count < 2 || count > RING_MAX || index < 0 || index >= count || mib < 1 || mib > 1024) {
		fprintf(stderr, "usage: %s /FOLDER INDEX COUNT MIB [NEXT-HOST]\n", argv[0]);
		return 2;
	}
	fill_memory(mib);
	if (argc > 5) {
		link_up(index, count, argv[5]);
	} else {
		ready();
		/* Seldom: what is measured meanwhile would feel it. */
		while (!went())
			pause_ms(10 * ROUND_MS);
	}
	check_memory();
	pass();
}
