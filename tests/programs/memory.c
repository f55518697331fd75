// SPDX-License-Identifier: GPL-2.0
// Heap, stack, brk, private mappings and the map of the address space survive to the byte.
#include "check.h"
#include <sys/mman.h>

#define HEAP (6 << 20)
#define SPARSE_PAGES 1024
#define MAPS_MAX (64 << 10)

static unsigned char zeroed[1 << 20];
static unsigned char initialised[8192] = { 1 };
static char maps_before[MAPS_MAX], maps_after[MAPS_MAX];

/* The map of this process as the kernel shows it, but for what malloc may change: nothing here. */
static void read_maps(char *to)
{
	int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	size_t used = 0;
	ssize_t more;

	CHECK(fd >= 0);
	while ((more = read(fd, to + used, MAPS_MAX - 1 - used)) > 0)
		used += more;
	CHECK(more == 0 && used < MAPS_MAX - 1);
	to[used] = 0;
	close(fd);
}

static unsigned char *map_file(const char *name, size_t len)
{
	int fd = open(in_folder(name), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	unsigned char *bytes = malloc(len), *map;

	CHECK(fd >= 0 && bytes);
	fill(7, 0, bytes, len);
	CHECK_EQUAL(write(fd, bytes, len), len);
	map = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	CHECK(map != MAP_FAILED);
	close(fd);
	free(bytes);
	return map;
}

static unsigned char *map_anonymous(size_t len)
{
	void *map = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(map != MAP_FAILED);
	return map;
}

static void check_sparse(const unsigned char *sparse)
{
	for (size_t page = 0; page < SPARSE_PAGES; page++) {
		const unsigned char *at = sparse + page * 4096;

		if (page % 3 == 0)
			same(5, page * 4096, at, 4096);
		else
			CHECK(at[0] == 0 && at[4095] == 0);
	}
}

int main(int argc, char **argv)
{
	unsigned char on_stack[128 << 10];
	unsigned char *heap, *brk_start, *sparse, *file, *sealed, *hole;
	struct timespec time;

	begin(argc, argv);
	heap = malloc(HEAP);
	CHECK(heap);
	brk_start = sbrk(64 << 10);
	CHECK(brk_start != (void *)-1);
	fill(1, 0, heap, HEAP);
	fill(2, 0, zeroed, sizeof(zeroed));
	fill(3, 0, on_stack, sizeof(on_stack));
	fill(4, 0, brk_start, 64 << 10);
	fill(6, 0, initialised, sizeof(initialised));
	sparse = map_anonymous(SPARSE_PAGES * 4096);
	for (size_t page = 0; page < SPARSE_PAGES; page += 3)
		fill(5, page * 4096, sparse + page * 4096, 4096);
	file = map_file("mapped", 16 * 4096);
	fill(8, 0, file + 3 * 4096, 4096);
	sealed = map_anonymous(4 * 4096);
	fill(9, 0, sealed, 4 * 4096);
	CHECK(mprotect(sealed, 4 * 4096, PROT_READ) == 0);
	hole = map_anonymous(4 * 4096);
	fill(10, 0, hole, 4 * 4096);
	CHECK(mprotect(hole, 4 * 4096, PROT_NONE) == 0);
	CHECK(clock_gettime(CLOCK_REALTIME, &time) == 0);
	/* Once before, so that the stack has the size that the calls need. */
	CHECK(!went());
	read_maps(maps_before);
	read_maps(maps_before);

	ready();
	wait_for_go();

	read_maps(maps_after);
	if (strcmp(maps_before, maps_after) != 0) {
		note("maps.before", maps_before);
		note("maps.after", maps_after);
		fail("the map of the address space changed: see maps.before and maps.after");
	}
	same(1, 0, heap, HEAP);
	same(2, 0, zeroed, sizeof(zeroed));
	same(3, 0, on_stack, sizeof(on_stack));
	same(4, 0, brk_start, 64 << 10);
	same(6, 0, initialised, sizeof(initialised));
	check_sparse(sparse);
	same(7, 0, file, 3 * 4096);
	same(8, 0, file + 3 * 4096, 4096);
	same(7, 4 * 4096, file + 4 * 4096, 12 * 4096);
	same(9, 0, sealed, 4 * 4096);
	CHECK(mprotect(hole, 4 * 4096, PROT_READ) == 0);
	same(10, 0, hole, 4 * 4096);
	CHECK(sbrk(0) == brk_start + (64 << 10));
	CHECK(clock_gettime(CLOCK_REALTIME, &time) == 0);
	pass();
}
