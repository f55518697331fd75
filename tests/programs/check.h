/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What every test program shares: its talk with the test that runs it, and checks that name
 * themselves.
 *
 * A program is called with one folder. It builds what it is about, creates <folder>/ready, and
 * goes on until <folder>/go exists; in between it may be checkpointed, killed and restarted. Then
 * it checks that nothing was lost or changed, and writes <folder>/result: "ok", or what is wrong.
 */
#ifndef CHECK_H
#define CHECK_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHECK(condition) \
	do { \
		if (!(condition)) \
			fail("%s:%d: %s (errno %d)", __FILE__, __LINE__, #condition, errno); \
	} while (0)

#define CHECK_EQUAL(found, wanted) \
	do { \
		long long found_ = (long long)(found), wanted_ = (long long)(wanted); \
		if (found_ != wanted_) \
			fail("%s:%d: %s is %lld, not %lld", __FILE__, __LINE__, #found, found_, \
			     wanted_); \
	} while (0)

static char folder[4096];

__attribute__((unused)) static const char *in_folder(const char *name)
{
	static __thread char path[4200];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

/* One line into <folder>/<name>, in one write, so that lines of several processes stay whole. */
__attribute__((unused)) static void note(const char *name, const char *text)
{
	int fd = open(in_folder(name), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		_exit(99);
	close(fd);
}

__attribute__((unused, noreturn, format(printf, 1, 2)))
static void fail(const char *format, ...)
{
	char text[1024], line[1100];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	snprintf(line, sizeof(line), "FAIL: process %d: %s\n", getpid(), text);
	note("result", line);
	_exit(1);
}

__attribute__((unused)) static void begin(int argc, char **argv)
{
	if (argc < 2 || argv[1][0] != '/' || strlen(argv[1]) >= sizeof(folder)) {
		fprintf(stderr, "usage: %s /FOLDER\n", argv[0]);
		exit(2);
	}
	strcpy(folder, argv[1]);
}

__attribute__((unused)) static void ready(void)
{
	note("ready", "ready\n");
}

__attribute__((unused)) static int went(void)
{
	return access(in_folder("go"), F_OK) == 0;
}

__attribute__((unused)) static void pause_ms(long ms)
{
	struct timespec time = { ms / 1000, ms % 1000 * 1000000 };

	/* With what is left, where a handler of the program's own ended it early. */
	while (nanosleep(&time, &time) < 0)
		CHECK(errno == EINTR);
}

__attribute__((unused)) static void wait_for_go(void)
{
	while (!went())
		pause_ms(20);
}

/* The last thing that a program does. */
__attribute__((unused, noreturn)) static void pass(void)
{
	note("result", "ok\n");
	_exit(0);
}

/* Waits for a child, which says by its exit status that all is well. */
__attribute__((unused)) static void child_ended(pid_t child, int wanted)
{
	int status;

	CHECK_EQUAL(waitpid(child, &status, 0), child);
	CHECK(WIFEXITED(status));
	CHECK_EQUAL(WEXITSTATUS(status), wanted);
}

/* A pattern that is different at every place: byte `at` of stream `seed`. */
__attribute__((unused)) static unsigned char pattern(uint32_t seed, uint64_t at)
{
	uint64_t x = (at + 1) * 0x9e3779b97f4a7c15ull ^ (uint64_t)seed * 0xc2b2ae3d27d4eb4full;

	return x >> 32 ^ x >> 56;
}

__attribute__((unused)) static void fill(uint32_t seed, uint64_t at, void *to, size_t len)
{
	unsigned char *bytes = to;

	for (size_t i = 0; i < len; i++)
		bytes[i] = pattern(seed, at + i);
}

__attribute__((unused)) static void same(uint32_t seed, uint64_t at, const void *from, size_t len)
{
	const unsigned char *bytes = from;

	for (size_t i = 0; i < len; i++)
		if (bytes[i] != pattern(seed, at + i))
			fail("byte %llu of pattern %u is wrong",
			     (unsigned long long)(at + i), seed);
}

__attribute__((unused)) static int64_t now_ms(void)
{
	struct timespec now;

	CHECK(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
	return now.tv_sec * 1000ll + now.tv_nsec / 1000000;
}

#endif
