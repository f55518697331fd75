// SPDX-License-Identifier: GPL-2.0
// Interval timers and POSIX timers go on ticking, and a far alarm keeps what is left of it.
#include "check.h"
#include <signal.h>
#include <sys/time.h>

#define FAR_S 600

static volatile int ticks, posix_ticks, wrong_data;

static void tick(int number)
{
	(void)number;
	ticks++;
}

static void posix_tick(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)context;
	if (info->si_code != SI_TIMER || info->si_value.sival_int != 4711)
		wrong_data++;
	posix_ticks++;
}

static timer_t make_timer(clockid_t clock, int notify, time_t first_s, long interval_ns)
{
	struct sigevent event = { .sigev_notify = notify, .sigev_signo = SIGRTMIN + 1 };
	struct itimerspec time = { { 0, interval_ns }, { first_s, first_s ? 0 : interval_ns } };
	timer_t timer;

	event.sigev_value.sival_int = 4711;
	CHECK(timer_create(clock, &event, &timer) == 0);
	CHECK(timer_settime(timer, 0, &time, NULL) == 0);
	return timer;
}

static void handlers(void)
{
	struct sigaction action = { .sa_handler = tick, .sa_flags = SA_RESTART };

	CHECK(sigaction(SIGALRM, &action, NULL) == 0);
	action.sa_flags |= SA_SIGINFO;
	action.sa_sigaction = posix_tick;
	CHECK(sigaction(SIGRTMIN + 1, &action, NULL) == 0);
}

static void both_tick(void)
{
	int before = ticks, posix_before = posix_ticks;
	int64_t start = now_ms();

	while (ticks < before + 3 || posix_ticks < posix_before + 3) {
		CHECK(now_ms() < start + 10000);
		pause_ms(10);
	}
}

int main(int argc, char **argv)
{
	struct itimerval interval = { { 0, 50000 }, { 0, 50000 } };
	struct itimerspec left;
	timer_t near, far;

	begin(argc, argv);
	handlers();
	CHECK(setitimer(ITIMER_REAL, &interval, NULL) == 0);
	near = make_timer(CLOCK_MONOTONIC, SIGEV_SIGNAL, 0, 40000000);
	far = make_timer(CLOCK_MONOTONIC, SIGEV_NONE, FAR_S, 0);
	both_tick();

	ready();
	wait_for_go();

	both_tick();
	CHECK_EQUAL(wrong_data, 0);
	CHECK(getitimer(ITIMER_REAL, &interval) == 0);
	CHECK_EQUAL(interval.it_interval.tv_usec, 50000);
	CHECK(timer_gettime(near, &left) == 0);
	CHECK_EQUAL(left.it_interval.tv_nsec, 40000000);
	CHECK(timer_gettime(far, &left) == 0);
	CHECK_EQUAL(left.it_interval.tv_nsec, 0);
	CHECK(left.it_value.tv_sec <= FAR_S && left.it_value.tv_sec > FAR_S / 2);
	CHECK(timer_delete(near) == 0 && timer_delete(far) == 0);
	pass();
}
