// SPDX-License-Identifier: GPL-2.0
// Threads keep their TIDs, thread-local memory, locks and robust lists.
#include "check.h"
#include <pthread.h>
#include <stdatomic.h>
#include <sys/syscall.h>

#define WORKERS 6

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t robust, door_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t door = PTHREAD_COND_INITIALIZER;
static _Atomic int stop, started;
static int open_door;
static char door_lock_name[] = "door";
static uint64_t total;
static __thread uint64_t own;
static __thread char name[64] = "thread-local";

static void check_identity(pid_t tid, pthread_t self, long number)
{
	char wanted[64];

	snprintf(wanted, sizeof(wanted), "worker %ld", number);
	CHECK_EQUAL(syscall(SYS_gettid), tid);
	CHECK(pthread_equal(pthread_self(), self));
	CHECK(strcmp(name, wanted) == 0);
}

static void *work(void *argument)
{
	long number = (long)argument;
	pid_t tid = syscall(SYS_gettid);
	pthread_t self = pthread_self();

	snprintf(name, sizeof(name), "worker %ld", number);
	atomic_fetch_add(&started, 1);
	while (!atomic_load(&stop)) {
		pthread_mutex_lock(&lock);
		total++;
		own++;
		pthread_mutex_unlock(&lock);
		pause_ms(1);
	}
	check_identity(tid, self, number);
	return (void *)own;
}

/* Waits at the door for the whole test. */
static void *wait_at_door(void *argument)
{
	pthread_mutex_lock(&door_lock);
	atomic_fetch_add(&started, 1);
	while (!open_door)
		pthread_cond_wait(&door, &door_lock);
	pthread_mutex_unlock(&door_lock);
	return argument;
}

/* Dies with the robust lock in its hands, after the test. */
static void *die_with_lock(void *argument)
{
	CHECK(pthread_mutex_lock(&robust) == 0);
	atomic_fetch_add(&started, 1);
	while (!atomic_load(&stop))
		pause_ms(5);
	return argument;
}

static void make_robust(void)
{
	pthread_mutexattr_t attributes;

	CHECK(pthread_mutexattr_init(&attributes) == 0);
	CHECK(pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST) == 0);
	CHECK(pthread_mutex_init(&robust, &attributes) == 0);
}

int main(int argc, char **argv)
{
	pthread_t workers[WORKERS], waiter, dying;
	uint64_t sum = 0;
	void *result;

	begin(argc, argv);
	make_robust();
	for (long i = 0; i < WORKERS; i++)
		CHECK(pthread_create(&workers[i], NULL, work, (void *)i) == 0);
	CHECK(pthread_create(&waiter, NULL, wait_at_door, door_lock_name) == 0);
	CHECK(pthread_create(&dying, NULL, die_with_lock, NULL) == 0);
	while (atomic_load(&started) < WORKERS + 2)
		pause_ms(1);

	ready();
	wait_for_go();

	atomic_store(&stop, 1);
	for (int i = 0; i < WORKERS; i++) {
		CHECK(pthread_join(workers[i], &result) == 0);
		sum += (uint64_t)result;
	}
	CHECK_EQUAL(total, sum);
	pthread_mutex_lock(&door_lock);
	open_door = 1;
	pthread_cond_broadcast(&door);
	pthread_mutex_unlock(&door_lock);
	CHECK(pthread_join(waiter, &result) == 0 && result == door_lock_name);
	CHECK(pthread_join(dying, NULL) == 0);
	CHECK_EQUAL(pthread_mutex_lock(&robust), EOWNERDEAD);
	pass();
}
