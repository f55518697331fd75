// SPDX-License-Identifier: GPL-2.0
// CPUs, nice values, scheduling policies, out-of-memory score, timer slack and start time are kept.
#include "check.h"
#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#define SLACK_NS 123456
#define SCORE 321

static int more_than_one;
static volatile int set;

static void bind_to(int cpu)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	CHECK(!more_than_one || sched_setaffinity(0, sizeof(cpus), &cpus) == 0);
}

static void bound_to(int cpu)
{
	cpu_set_t cpus;

	CHECK(sched_getaffinity(0, sizeof(cpus), &cpus) == 0);
	CHECK_EQUAL(CPU_COUNT(&cpus), 1);
	CHECK(!more_than_one || CPU_ISSET(cpu, &cpus));
}

static void *run(void *unused)
{
	struct sched_param param = { .sched_priority = 0 };

	(void)unused;
	bind_to(1);
	CHECK(sched_setscheduler(0, SCHED_BATCH | SCHED_RESET_ON_FORK, &param) == 0);
	CHECK(setpriority(PRIO_PROCESS, syscall(SYS_gettid), 7) == 0);
	set++;
	wait_for_go();
	bound_to(1);
	CHECK_EQUAL(sched_getscheduler(0), SCHED_BATCH | SCHED_RESET_ON_FORK);
	CHECK_EQUAL(getpriority(PRIO_PROCESS, syscall(SYS_gettid)), 7);
	return NULL;
}

static void *run_at_once(void *unused)
{
	struct sched_param param = { .sched_priority = 3 };
	int policy = getuid() == 0 ? SCHED_RR : SCHED_IDLE;

	(void)unused;
	param.sched_priority = policy == SCHED_RR ? 3 : 0;
	CHECK(sched_setscheduler(0, policy, &param) == 0);
	set++;
	wait_for_go();
	CHECK_EQUAL(sched_getscheduler(0), policy);
	CHECK(sched_getparam(0, &param) == 0);
	CHECK_EQUAL(param.sched_priority, policy == SCHED_RR ? 3 : 0);
	return NULL;
}

static void read_text(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len;

	CHECK(fd >= 0);
	len = read(fd, text, size - 1);
	CHECK(len > 0 && close(fd) == 0);
	text[len] = '\0';
}

/* Ticks since the boot of the node, and the boot in seconds since 1970. */
static long long started(long long *boot)
{
	char text[16384], *at;
	long long ticks;

	read_text("/proc/stat", text, sizeof(text));
	at = strstr(text, "\nbtime ");
	CHECK(at && sscanf(at, " btime %lld", boot) == 1);
	read_text("/proc/self/stat", text, sizeof(text));
	at = strrchr(text, ')');
	for (int field = 2; field < 22 && at; field++)
		at = strchr(at + 1, ' ');
	CHECK(at && sscanf(at, " %lld", &ticks) == 1);
	return ticks;
}

static void same_start(long long ticks, long long boot, const char *boot_id)
{
	long long now_boot, now = started(&now_boot), off;
	char id[64];

	read_text("/proc/sys/kernel/random/boot_id", id, sizeof(id));
	if (strcmp(id, boot_id) == 0)
		CHECK_EQUAL(now, ticks);
	/* Another node was booted at another time; one that was booted later says: at my boot. */
	off = now_boot * 100 + now - (boot * 100 + ticks);
	CHECK(now == 0 || (off > -300 && off < 300));
}

int main(int argc, char **argv)
{
	char score[32], boot_id[64];
	long long ticks, boot;
	pthread_t threads[2];
	int fd;

	begin(argc, argv);
	more_than_one = sysconf(_SC_NPROCESSORS_ONLN) > 1;
	bind_to(0);
	CHECK(nice(5) == 5);
	CHECK(prctl(PR_SET_TIMERSLACK, SLACK_NS) == 0);
	fd = open("/proc/self/oom_score_adj", O_WRONLY);
	CHECK(fd >= 0 && dprintf(fd, "%d", SCORE) > 0 && close(fd) == 0);
	CHECK(pthread_create(&threads[0], NULL, run, NULL) == 0);
	CHECK(pthread_create(&threads[1], NULL, run_at_once, NULL) == 0);
	ticks = started(&boot);
	read_text("/proc/sys/kernel/random/boot_id", boot_id, sizeof(boot_id));
	while (set < 2)
		pause_ms(1);
	ready();
	wait_for_go();
	bound_to(0);
	CHECK_EQUAL(getpriority(PRIO_PROCESS, 0), 5);
	CHECK_EQUAL(prctl(PR_GET_TIMERSLACK), SLACK_NS);
	read_text("/proc/self/oom_score_adj", score, sizeof(score));
	CHECK_EQUAL(atoi(score), SCORE);
	same_start(ticks, boot, boot_id);
	CHECK(pthread_join(threads[0], NULL) == 0 && pthread_join(threads[1], NULL) == 0);
	pass();
}
