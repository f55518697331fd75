// SPDX-License-Identifier: GPL-2.0
// Locks in memory, advice of madvise(2), and read-only shared mappings of files are kept.
#include "check.h"
#include <sys/mman.h>

#ifndef MLOCK_ONFAULT
#define MLOCK_ONFAULT 1
#endif

#define PAGES 8
#define SIZE (PAGES * 4096)
#define FLAGS_MAX 256

struct area {
	const char *name;
	int advice;		/* of madvise(2); -1: none */
	int lock;		/* of mlock2(2); -1: none */
	unsigned char *memory;
	char flags[FLAGS_MAX];	/* as /proc/PID/smaps has them */
};

static struct area areas[] = {
	{ .name = "locked", .advice = -1, .lock = 0 },
	{ .name = "locked on fault", .advice = -1, .lock = MLOCK_ONFAULT },
	{ .name = "not for children", .advice = MADV_DONTFORK, .lock = -1 },
	{ .name = "empty for children", .advice = MADV_WIPEONFORK, .lock = -1 },
	{ .name = "not for core dumps", .advice = MADV_DONTDUMP, .lock = -1 },
	{ .name = "huge pages", .advice = MADV_HUGEPAGE, .lock = -1 },
	{ .name = "no huge pages", .advice = MADV_NOHUGEPAGE, .lock = -1 },
	{ .name = "mergeable", .advice = MADV_MERGEABLE, .lock = -1 },
	{ .name = "in order", .advice = MADV_SEQUENTIAL, .lock = -1 },
	{ .name = "in no order", .advice = MADV_RANDOM, .lock = -1 },
};

#define AREAS (sizeof(areas) / sizeof(areas[0]))

/* The line VmFlags of the mapping at an address. */
static void flags_of(const void *memory, char *flags)
{
	unsigned long start, wanted = (unsigned long)memory;
	FILE *maps = fopen("/proc/self/smaps", "re");
	char line[4096], dash;
	int here = 0;

	CHECK(maps);
	flags[0] = '\0';
	while (fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx%c", &start, &dash) == 2 && dash == '-')
			here = start == wanted;
		else if (here && strncmp(line, "VmFlags:", 8) == 0)
			snprintf(flags, FLAGS_MAX, "%.*s", FLAGS_MAX - 1, line + 8);
	}
	CHECK(fclose(maps) == 0);
}

/* Apart from each other, or the kernel would make one mapping of two. */
static unsigned char *map(int flags, int fd, int prot)
{
	unsigned char *memory = mmap(NULL, SIZE + 8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
				     -1, 0);

	CHECK(memory != MAP_FAILED);
	memory = mmap(memory + 4096, SIZE, prot, flags | MAP_FIXED, fd, 0);
	CHECK(memory != MAP_FAILED);
	return memory;
}

static void set_up(struct area *area, uint32_t seed)
{
	area->memory = map(MAP_PRIVATE | MAP_ANONYMOUS, -1, PROT_READ | PROT_WRITE);
	CHECK(area->advice < 0 || madvise(area->memory, SIZE, area->advice) == 0);
	CHECK(area->lock < 0 || mlock2(area->memory, SIZE, area->lock) == 0);
	fill(seed, 0, area->memory, SIZE);
	flags_of(area->memory, area->flags);
	CHECK(area->flags[0]);
}

static void check(const struct area *area, uint32_t seed)
{
	char flags[FLAGS_MAX];

	same(seed, 0, area->memory, SIZE);
	flags_of(area->memory, flags);
	if (strcmp(flags, area->flags) != 0)
		fail("%s:%d: %s: flags%s, not%s", __FILE__, __LINE__, area->name, flags,
		     area->flags);
}

/* Made by somebody else, who goes on writing it. */
static unsigned char *read_only_file(int fd)
{
	unsigned char page[4096], *memory;

	for (int i = 0; i < PAGES; i++) {
		fill(99, i * sizeof(page), page, sizeof(page));
		CHECK(write(fd, page, sizeof(page)) == sizeof(page));
	}
	CHECK(close(fd) == 0);
	fd = open(in_folder("mapped"), O_RDONLY | O_CLOEXEC);
	CHECK(fd >= 0);
	memory = map(MAP_SHARED, fd, PROT_READ);
	CHECK(close(fd) == 0);
	return memory;
}

int main(int argc, char **argv)
{
	unsigned char *file, *kept, new = 77;
	char before[FLAGS_MAX], after[FLAGS_MAX];
	int fd;

	begin(argc, argv);
	for (size_t i = 0; i < AREAS; i++)
		set_up(&areas[i], i);
	file = read_only_file(open(in_folder("mapped"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	same(99, 0, file, SIZE);
	flags_of(file, before);

	ready();
	wait_for_go();

	for (size_t i = 0; i < AREAS; i++)
		check(&areas[i], i);
	flags_of(file, after);
	CHECK(strcmp(before, after) == 0);
	same(99, 0, file, SIZE);
	/* Shared it is: what is written to the file shows. */
	fd = open(in_folder("mapped"), O_WRONLY | O_CLOEXEC);
	CHECK(fd >= 0 && pwrite(fd, &new, 1, 5000) == 1 && close(fd) == 0);
	kept = file + 5000;
	CHECK_EQUAL(*(volatile unsigned char *)kept, new);
	pass();
}
