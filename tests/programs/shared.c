// SPDX-License-Identifier: GPL-2.0
// Shared anonymous memory is one memory for all relatives, and its cut fits their private memory.
#include "check.h"
#include <stdatomic.h>
#include <sys/mman.h>

#define CHILDREN 3
#define BULK (1 << 20)

struct shared {
	_Atomic uint64_t total;
	_Atomic uint64_t own[CHILDREN];
	_Atomic int stop;
	unsigned char bulk[BULK];
};

static struct shared *map_shared(void)
{
	struct shared *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	CHECK(shared != MAP_FAILED);
	return shared;
}

static void count(struct shared *shared, int child)
{
	uint64_t private_count = 0;

	/* The private and the shared counts agree at every instruction but within one round. */
	while (!atomic_load(&shared->stop)) {
		private_count++;
		atomic_fetch_add(&shared->total, 1);
		atomic_fetch_add(&shared->own[child], 1);
		if (private_count % 64 == 0)
			pause_ms(1);
	}
	CHECK_EQUAL(atomic_load(&shared->own[child]), private_count);
	same(11, 0, shared->bulk, BULK);
	_exit(0);
}

int main(int argc, char **argv)
{
	struct shared *shared;
	pid_t children[CHILDREN];
	uint64_t sum = 0, seen;

	begin(argc, argv);
	shared = map_shared();
	fill(11, 0, shared->bulk, BULK);
	for (int child = 0; child < CHILDREN; child++) {
		children[child] = fork();
		CHECK(children[child] >= 0);
		if (children[child] == 0)
			count(shared, child);
	}
	ready();
	wait_for_go();

	/* Still one memory: what the children write now is seen here. */
	seen = atomic_load(&shared->total);
	for (int round = 0; atomic_load(&shared->total) == seen; round++) {
		CHECK(round < 500);
		pause_ms(20);
	}
	atomic_store(&shared->stop, 1);
	for (int child = 0; child < CHILDREN; child++) {
		child_ended(children[child], 0);
		sum += atomic_load(&shared->own[child]);
	}
	CHECK_EQUAL(atomic_load(&shared->total), sum);
	same(11, 0, shared->bulk, BULK);
	pass();
}
