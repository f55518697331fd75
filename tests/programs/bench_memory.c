// SPDX-License-Identifier: GPL-2.0
// A process of a given size for scripts/bench: it times its own forks, then waits, then checks.
#include "check.h"
#include <sys/mman.h>

#define FORKS_MAX 99

static size_t page_size, pages;
static unsigned char *memory;

/* Every page gets bytes of its own, so that none is like another. */
static void touch_all(void)
{
	for (size_t i = 0; i < pages; i++)
		memcpy(memory + i * page_size, &i, sizeof(i));
}

static void check_all(void)
{
	for (size_t i = 0; i < pages; i++)
		CHECK(memcmp(memory + i * page_size, &i, sizeof(i)) == 0);
}

static int64_t now_ns(void)
{
	struct timespec now;

	CHECK(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
	return now.tv_sec * 1000000000ll + now.tv_nsec;
}

/* A bare fork, until it returns here; the next one finds all pages writable again. */
static int64_t fork_ns(void)
{
	int64_t start = now_ns(), end;
	pid_t child = fork();

	CHECK(child >= 0);
	if (child == 0)
		_exit(0);
	end = now_ns();
	child_ended(child, 0);
	touch_all();
	return end - start;
}

static void time_forks(long count)
{
	char line[32];

	for (long i = 0; i < count; i++) {
		snprintf(line, sizeof(line), "%lld\n", (long long)fork_ns());
		note("forks", line);
	}
}

/* Until it is time to go: writes all pages again each time that a file `touch` appears. */
static void wait_and_touch(void)
{
	while (!went()) {
		if (access(in_folder("touch"), F_OK) == 0) {
			touch_all();
			CHECK(unlink(in_folder("touch")) == 0);
		}
		pause_ms(20);
	}
}

int main(int argc, char **argv)
{
	long mib, forks;

	begin(argc, argv);
	mib = argc == 4 ? atol(argv[2]) : 0;
	forks = argc == 4 ? atol(argv[3]) : 0;
	if (mib < 1 || mib > 1 << 20 || forks < 1 || forks > FORKS_MAX) {
		fprintf(stderr, "usage: %s /FOLDER MIB FORKS\n", argv[0]);
		return 2;
	}
	page_size = sysconf(_SC_PAGESIZE);
	pages = ((size_t)mib << 20) / page_size;
	memory = mmap(NULL, pages * page_size, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(memory != MAP_FAILED);
	CHECK(madvise(memory, pages * page_size, MADV_NOHUGEPAGE) == 0);
	touch_all();
	time_forks(forks);
	ready();
	wait_and_touch();
	check_all();
	pass();
}
