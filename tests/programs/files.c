// SPDX-License-Identifier: GPL-2.0
// Regular files, directories and devices: offsets, flags, sharing, and a file that has grown.
#include "check.h"
#include <dirent.h>
#include <sys/stat.h>

static int open_at(const char *name, int flags)
{
	int fd = open(in_folder(name), flags, 0600);

	CHECK(fd >= 0);
	return fd;
}

/* A file with 1000 bytes of pattern `seed`. */
static void make(const char *name, uint32_t seed)
{
	unsigned char bytes[1000];
	int fd = open_at(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC);

	fill(seed, 0, bytes, sizeof(bytes));
	CHECK_EQUAL(write(fd, bytes, sizeof(bytes)), sizeof(bytes));
	close(fd);
}

static void reads(int fd, uint32_t seed, uint64_t at, size_t len)
{
	unsigned char bytes[1000];

	CHECK_EQUAL(read(fd, bytes, len), len);
	same(seed, at, bytes, len);
}

/* The child of a shared offset: reads what follows when it is its turn. */
static pid_t share(int fd)
{
	pid_t child = fork();

	CHECK(child >= 0);
	if (child > 0)
		return child;
	wait_for_go();
	while (access(in_folder("turn"), F_OK) != 0)
		pause_ms(5);
	reads(fd, 31, 300, 100);
	_exit(3);
}

/* Appends numbered lines until told to go; what was written after a cut is written again. */
static uint64_t append_until_go(int fd)
{
	char line[32];
	uint64_t written = 0;

	while (!went()) {
		int len = snprintf(line, sizeof(line), "line %llu\n", (unsigned long long)written);

		CHECK_EQUAL(write(fd, line, len), len);
		written++;
		pause_ms(2);
	}
	return written;
}

static void check_appended(uint64_t written)
{
	FILE *file = fopen(in_folder("log"), "re");
	unsigned long long number;
	uint64_t lines = 0;

	CHECK(file);
	while (fscanf(file, "line %llu\n", &number) == 1)
		CHECK_EQUAL(number, lines++);
	CHECK(feof(file));
	CHECK_EQUAL(lines, written);
	fclose(file);
}

static void check_devices(int null, int zero, int urandom)
{
	unsigned char bytes[16] = { 1 }, other[16] = { 0 };

	CHECK_EQUAL(write(null, bytes, 16), 16);
	CHECK_EQUAL(read(null, bytes, 16), 0);
	CHECK_EQUAL(read(zero, bytes, 16), 16);
	CHECK(memcmp(bytes, other, 16) == 0);
	CHECK_EQUAL(read(urandom, bytes, 16), 16);
	CHECK(memcmp(bytes, other, 16) != 0);
}

int main(int argc, char **argv)
{
	int shared, twin, log, both, directory, null, zero, urandom, number;
	struct stat status;
	uint64_t written;
	pid_t child;

	begin(argc, argv);
	make("shared", 31);
	make("both", 32);
	CHECK(mkdir(in_folder("directory"), 0700) == 0);
	shared = open_at("shared", O_RDONLY);
	twin = dup(shared);
	both = open_at("both", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	log = open_at("log", O_WRONLY | O_CREAT | O_APPEND);
	directory = open_at("directory", O_RDONLY | O_DIRECTORY);
	null = open("/dev/null", O_RDWR);
	zero = open("/dev/zero", O_RDONLY);
	urandom = open("/dev/urandom", O_RDONLY);
	number = fcntl(null, F_DUPFD, 200);
	CHECK(twin >= 0 && null >= 0 && zero >= 0 && urandom >= 0 && number >= 200);
	reads(shared, 31, 0, 200);
	CHECK_EQUAL(lseek(both, 500, SEEK_SET), 500);
	child = share(shared);

	ready();
	written = append_until_go(log);

	check_appended(written);
	reads(twin, 31, 200, 100);
	note("turn", "child\n");
	child_ended(child, 3);
	reads(shared, 31, 400, 100);
	CHECK_EQUAL(lseek(twin, 0, SEEK_CUR), 500);
	reads(both, 32, 500, 100);
	CHECK_EQUAL(fcntl(both, F_GETFL) & (O_ACCMODE | O_NONBLOCK), O_RDWR | O_NONBLOCK);
	CHECK_EQUAL(fcntl(both, F_GETFD), FD_CLOEXEC);
	CHECK_EQUAL(fcntl(log, F_GETFD), 0);
	CHECK_EQUAL(fcntl(log, F_GETFL) & (O_ACCMODE | O_APPEND), O_WRONLY | O_APPEND);
	CHECK(fstat(directory, &status) == 0 && S_ISDIR(status.st_mode));
	CHECK(mkdirat(directory, "new", 0700) == 0);
	CHECK(access(in_folder("directory/new"), F_OK) == 0);
	check_devices(null, zero, urandom);
	CHECK_EQUAL(write(number, "x", 1), 1);
	CHECK(fcntl(number + 1, F_GETFD) == -1 && errno == EBADF);
	pass();
}
