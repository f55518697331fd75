// SPDX-License-Identifier: GPL-2.0
// Restartable sequences, as the C library registers them for every thread: the kernel goes on
// telling each thread its CPU.
#include "check.h"
#include <pthread.h>
#include <sched.h>
#include <sys/rseq.h>
#include <sys/syscall.h>

static int cpus;

static struct rseq *area(void)
{
	return (struct rseq *)((char *)__builtin_thread_pointer() + __rseq_offset);
}

static void told_its_cpu(void)
{
	volatile struct rseq *mine = area();

	for (int cpu = 0; cpu < cpus; cpu++) {
		cpu_set_t set;

		CPU_ZERO(&set);
		CPU_SET(cpu, &set);
		CHECK(sched_setaffinity(0, sizeof(set), &set) == 0);
		CHECK_EQUAL(mine->cpu_id, cpu);
	}
}

static void registered(void)
{
	/* The same again is EBUSY, anything else EINVAL: rseq(2) registers once. */
	CHECK(syscall(SYS_rseq, area(), 32, 0, RSEQ_SIG) == -1);
	CHECK_EQUAL(errno, EBUSY);
}

static void *run(void *unused)
{
	(void)unused;
	registered();
	told_its_cpu();
	while (!went())
		pause_ms(5);
	registered();
	told_its_cpu();
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t thread;

	begin(argc, argv);
	CHECK(__rseq_size > 0);
	cpus = sysconf(_SC_NPROCESSORS_ONLN);
	CHECK(pthread_create(&thread, NULL, run, NULL) == 0);
	registered();
	told_its_cpu();
	ready();
	wait_for_go();
	registered();
	told_its_cpu();
	CHECK(pthread_join(thread, NULL) == 0);
	pass();
}
