// SPDX-License-Identifier: GPL-2.0
// connect(2) in progress: blocked, and begun without blocking, while the listener takes nobody.
#include "check.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>

#define CALLS 3

static struct sockaddr_in address = { .sin_family = AF_INET };
static int blocked = -1;

static int new_socket(int flags)
{
	int fd = socket(AF_INET, SOCK_STREAM | flags, 0);

	CHECK(fd >= 0);
	return fd;
}

static int dial(int fd)
{
	return connect(fd, (struct sockaddr *)&address, sizeof(address));
}

/* Room for one: whoever comes second is not answered until somebody is taken. */
static int listener(void)
{
	socklen_t len = sizeof(address);
	int fd = new_socket(0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CHECK(bind(fd, (struct sockaddr *)&address, len) == 0 && listen(fd, 0) == 0);
	CHECK(getsockname(fd, (struct sockaddr *)&address, &len) == 0);
	return fd;
}

static void *dial_and_wait(void *unused)
{
	(void)unused;
	CHECK(dial(blocked) == 0);
	return NULL;
}

static void say(int fd, char word)
{
	CHECK(send(fd, &word, 1, MSG_NOSIGNAL) == 1);
}

int main(int argc, char **argv)
{
	struct pollfd begun = { .events = POLLOUT };
	int listening, first, heard[CALLS], error, i;
	socklen_t len = sizeof(error);
	pthread_t caller;
	char word, sum = 0;

	begin(argc, argv);
	listening = listener();
	first = new_socket(0);
	CHECK(dial(first) == 0);
	blocked = new_socket(0);
	CHECK(pthread_create(&caller, NULL, dial_and_wait, NULL) == 0);
	begun.fd = new_socket(SOCK_NONBLOCK);
	CHECK(dial(begun.fd) == -1 && errno == EINPROGRESS);
	pause_ms(100);
	CHECK_EQUAL(poll(&begun, 1, 0), 0);

	ready();
	wait_for_go();

	for (i = 0; i < CALLS; i++) {
		heard[i] = accept(listening, NULL, NULL);
		CHECK(heard[i] >= 0);
	}
	CHECK(pthread_join(caller, NULL) == 0);
	CHECK_EQUAL(poll(&begun, 1, 10000), 1);
	CHECK(getsockopt(begun.fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0);
	CHECK_EQUAL(error, 0);
	say(first, 1);
	say(blocked, 2);
	say(begun.fd, 4);
	for (i = 0; i < CALLS; i++) {
		CHECK(recv(heard[i], &word, 1, 0) == 1);
		sum |= word;
	}
	CHECK_EQUAL(sum, 7);
	pass();
}
