// SPDX-License-Identifier: GPL-2.0
// As many descriptors as fit, of files whose order in memory has nothing to do with their numbers.
#include "check.h"
#include <sys/eventfd.h>
#include <sys/resource.h>

/* Below the 65536 that a checkpoint takes; the kernel's default limit of open files is above. */
#define COUNTERS 50000

static int counters[COUNTERS];

/* The same sequence in every run (Lehmer 1951, with the numbers of Park and Miller 1988). */
static unsigned int below(unsigned int bound)
{
	static uint64_t state = 7;

	state = state * 48271 % 2147483647;
	return state % bound;
}

static void raise_limit(void)
{
	struct rlimit limit = { COUNTERS + 100, COUNTERS + 100 };

	CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

/* Each counts its own index. Closing and making again in any order mixes them in memory. */
static void make_all(void)
{
	for (unsigned int i = 0; i < COUNTERS; i++) {
		counters[i] = eventfd(i, EFD_NONBLOCK);
		CHECK(counters[i] >= 0);
	}
	for (unsigned int i = COUNTERS - 1; i > 0; i--) {
		unsigned int other = below(i + 1);
		int kept = counters[i];

		counters[i] = counters[other];
		counters[other] = kept;
	}
	for (unsigned int i = 0; i < COUNTERS; i++)
		CHECK(close(counters[i]) == 0);
	for (unsigned int i = 0; i < COUNTERS; i++) {
		counters[i] = eventfd(i, EFD_NONBLOCK);
		CHECK(counters[i] >= 0);
	}
}

int main(int argc, char **argv)
{
	uint64_t value;

	begin(argc, argv);
	raise_limit();
	make_all();
	ready();
	wait_for_go();
	for (unsigned int i = 1; i < COUNTERS; i++) {
		CHECK_EQUAL(read(counters[i], &value, sizeof(value)), 8);
		CHECK_EQUAL(value, i);
	}
	pass();
}
