// SPDX-License-Identifier: GPL-2.0
// Handlers, masks, the alternate stack, and pending signals with their data and order.
#include "check.h"
#include <signal.h>
#include <pthread.h>

#define QUEUED 5

static char stack[64 << 10];
static int values[QUEUED + 1], values_len, plain, on_stack, directed;

static void take(int number, siginfo_t *info, void *context)
{
	char here;

	(void)context;
	on_stack = &here > stack && &here < stack + sizeof(stack);
	if (number == SIGUSR1)
		plain++;
	else if (number == SIGUSR2)
		directed = info->si_value.sival_int;
	else if (values_len <= QUEUED && info->si_code == SI_QUEUE && info->si_pid == getpid())
		values[values_len++] = info->si_value.sival_int;
}

static void install(void)
{
	struct sigaction action = { .sa_sigaction = take };
	stack_t alternate = { .ss_sp = stack, .ss_size = sizeof(stack) };

	action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
	sigaddset(&action.sa_mask, SIGWINCH);
	CHECK(sigaltstack(&alternate, NULL) == 0);
	CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
	CHECK(sigaction(SIGUSR2, &action, NULL) == 0);
	CHECK(sigaction(SIGRTMIN + 3, &action, NULL) == 0);
	CHECK(signal(SIGHUP, SIG_IGN) != SIG_ERR);
}

static void send_all(void)
{
	union sigval value;

	for (int i = 0; i < QUEUED; i++) {
		value.sival_int = 100 + i;
		CHECK(sigqueue(getpid(), SIGRTMIN + 3, value) == 0);
	}
	value.sival_int = 77;
	CHECK(pthread_sigqueue(pthread_self(), SIGUSR2, value) == 0);
	CHECK(kill(getpid(), SIGUSR1) == 0);
}

static void check_kept(const sigset_t *mask)
{
	struct sigaction action;
	stack_t alternate;
	sigset_t now, pending;

	CHECK(sigprocmask(SIG_SETMASK, NULL, &now) == 0);
	CHECK(sigpending(&pending) == 0);
	for (int number = 1; number < SIGRTMAX; number++)
		CHECK_EQUAL(sigismember(&now, number), sigismember(mask, number));
	CHECK(sigismember(&pending, SIGUSR1) == 1 && sigismember(&pending, SIGUSR2) == 1);
	CHECK(sigismember(&pending, SIGRTMIN + 3) == 1);
	CHECK(sigaction(SIGUSR1, NULL, &action) == 0);
	CHECK(action.sa_sigaction == take);
	CHECK_EQUAL(action.sa_flags & ~0x04000000, SA_SIGINFO | SA_ONSTACK | SA_RESTART);
	CHECK(sigismember(&action.sa_mask, SIGWINCH) == 1);
	CHECK(sigaction(SIGHUP, NULL, &action) == 0 && action.sa_handler == SIG_IGN);
	CHECK(sigaltstack(NULL, &alternate) == 0);
	CHECK(alternate.ss_sp == stack && alternate.ss_size == sizeof(stack));
}

int main(int argc, char **argv)
{
	sigset_t blocked;

	begin(argc, argv);
	install();
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR1);
	sigaddset(&blocked, SIGUSR2);
	sigaddset(&blocked, SIGRTMIN + 3);
	sigaddset(&blocked, SIGPIPE);
	CHECK(sigprocmask(SIG_SETMASK, &blocked, NULL) == 0);
	send_all();
	CHECK(values_len == 0 && plain == 0);

	ready();
	wait_for_go();

	check_kept(&blocked);
	CHECK(sigprocmask(SIG_UNBLOCK, &blocked, NULL) == 0);
	CHECK_EQUAL(plain, 1);
	CHECK_EQUAL(directed, 77);
	CHECK_EQUAL(values_len, QUEUED);
	for (int i = 0; i < QUEUED; i++)
		CHECK_EQUAL(values[i], 100 + i);
	CHECK(on_stack);
	pass();
}
