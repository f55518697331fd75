// SPDX-License-Identifier: GPL-2.0
// TCP over loopback: streams in both directions, a half-closed one, names, options, a listener.
#include "check.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>

#define LYING 5000

struct totals {
	volatile uint64_t sent[2], received[2];
};

static struct sockaddr_in name(int fd, int (*ask)(int, struct sockaddr *, socklen_t *))
{
	struct sockaddr_in address;
	socklen_t len = sizeof(address);

	memset(&address, 0, sizeof(address));
	CHECK(ask(fd, (struct sockaddr *)&address, &len) == 0);
	return address;
}

static int listener(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
	CHECK(listen(fd, 5) == 0);
	return fd;
}

static int dial(int listening)
{
	struct sockaddr_in address = name(listening, getsockname);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	CHECK(fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
	return fd;
}

static int take_call(int listening)
{
	int fd = accept(listening, NULL, NULL);

	CHECK(fd >= 0);
	return fd;
}

/* Sends what fits, in odd pieces. */
static uint64_t push(int fd, uint32_t seed, uint64_t at)
{
	unsigned char bytes[3001];
	ssize_t len;

	fill(seed, at, bytes, sizeof(bytes));
	len = send(fd, bytes, sizeof(bytes), MSG_DONTWAIT | MSG_NOSIGNAL);
	CHECK(len > 0 || errno == EAGAIN);
	return len > 0 ? at + len : at;
}

/* One end of a stream that is busy in both directions: pattern `side` out, the other one in. */
static void busy_end(int fd, int side, struct totals *totals)
{
	unsigned char bytes[2000];
	uint64_t out = 0, in = 0;
	int open_out = 1;
	ssize_t len = 1;

	while (len > 0) {
		struct pollfd poller = { fd, POLLIN | (open_out ? POLLOUT : 0), 0 };

		CHECK(poll(&poller, 1, -1) == 1);
		if (open_out && went()) {
			open_out = 0;
			CHECK(shutdown(fd, SHUT_WR) == 0);
			totals->sent[side] = out;
		} else if (open_out && (poller.revents & POLLOUT)) {
			out = push(fd, 50 + side, out);
		}
		if (!(poller.revents & (POLLIN | POLLHUP)))
			continue;
		len = recv(fd, bytes, sizeof(bytes), 0);
		CHECK(len >= 0);
		same(50 + !side, in, bytes, len);
		in += len;
	}
	/* The other end closed its direction, so that the time to go has come for this one, too. */
	wait_for_go();
	if (open_out)
		totals->sent[side] = out;
	totals->received[side] = in;
	close(fd);
}

static pid_t busy_child(int fd, struct totals *totals)
{
	pid_t child = fork();

	CHECK(child >= 0);
	if (child == 0) {
		busy_end(fd, 1, totals);
		_exit(6);
	}
	close(fd);
	return child;
}

static void check_names(int fd, const struct sockaddr_in *own, const struct sockaddr_in *peer)
{
	struct sockaddr_in own_now = name(fd, getsockname), peer_now = name(fd, getpeername);

	CHECK_EQUAL(ntohs(own_now.sin_port), ntohs(own->sin_port));
	CHECK_EQUAL(own_now.sin_addr.s_addr, own->sin_addr.s_addr);
	CHECK_EQUAL(ntohs(peer_now.sin_port), ntohs(peer->sin_port));
	CHECK_EQUAL(peer_now.sin_addr.s_addr, peer->sin_addr.s_addr);
}

static void read_all(int fd, uint32_t seed, size_t len)
{
	unsigned char bytes[LYING];

	CHECK_EQUAL(recv(fd, bytes, len, MSG_WAITALL), len);
	same(seed, 0, bytes, len);
}

/* A connection whose first end said all it had to say: half-closed, its bytes not read yet. */
static void half_close(int speaking)
{
	unsigned char bytes[LYING];

	fill(53, 0, bytes, sizeof(bytes));
	CHECK_EQUAL(send(speaking, bytes, sizeof(bytes), 0), sizeof(bytes));
	CHECK(shutdown(speaking, SHUT_WR) == 0);
}

static void check_half_closed(int speaking, int hearing)
{
	unsigned char bytes[LYING];

	read_all(hearing, 53, LYING);
	CHECK_EQUAL(recv(hearing, bytes, 1, 0), 0);
	fill(54, 0, bytes, sizeof(bytes));
	CHECK_EQUAL(send(hearing, bytes, sizeof(bytes), 0), sizeof(bytes));
	read_all(speaking, 54, LYING);
	CHECK(send(speaking, bytes, 1, MSG_NOSIGNAL) == -1 && errno == EPIPE);
}

static void set(int fd, int level, int option)
{
	int on = 1;

	CHECK(setsockopt(fd, level, option, &on, sizeof(on)) == 0);
}

static void is_set(int fd, int level, int option)
{
	int on = 0;
	socklen_t len = sizeof(on);

	CHECK(getsockopt(fd, level, option, &on, &len) == 0 && on != 0);
}

int main(int argc, char **argv)
{
	struct totals *totals = mmap(NULL, sizeof(*totals), PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct sockaddr_in own, peer;
	int listening, busy, other, speaking, hearing, late;
	pid_t child;

	begin(argc, argv);
	CHECK(totals != MAP_FAILED);
	listening = listener();
	busy = dial(listening);
	other = take_call(listening);
	child = busy_child(other, totals);
	speaking = dial(listening);
	hearing = take_call(listening);
	half_close(speaking);
	set(hearing, IPPROTO_TCP, TCP_NODELAY);
	set(hearing, SOL_SOCKET, SO_KEEPALIVE);
	own = name(hearing, getsockname);
	peer = name(hearing, getpeername);

	ready();
	busy_end(busy, 0, totals);

	child_ended(child, 6);
	CHECK(totals->sent[0] > 0 && totals->sent[1] > 0);
	CHECK_EQUAL(totals->received[0], totals->sent[1]);
	CHECK_EQUAL(totals->received[1], totals->sent[0]);
	check_names(hearing, &own, &peer);
	check_names(speaking, &peer, &own);
	is_set(hearing, IPPROTO_TCP, TCP_NODELAY);
	is_set(hearing, SOL_SOCKET, SO_KEEPALIVE);
	check_half_closed(speaking, hearing);
	late = dial(listening);
	CHECK_EQUAL(send(late, "late", 4, 0), 4);
	CHECK_EQUAL(recv(take_call(listening), &own, 4, MSG_WAITALL), 4);
	pass();
}
