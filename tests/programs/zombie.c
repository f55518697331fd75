// SPDX-License-Identifier: GPL-2.0
// A child that has ended and was not waited for yet keeps its status for its parent.
#include "check.h"

int main(int argc, char **argv)
{
	siginfo_t info = { 0 };
	pid_t child;

	begin(argc, argv);
	child = fork();
	CHECK(child >= 0);
	if (child == 0)
		_exit(42);
	CHECK(waitid(P_PID, child, &info, WEXITED | WNOWAIT) == 0);

	ready();
	wait_for_go();

	child_ended(child, 42);
	CHECK(waitpid(-1, NULL, 0) == -1 && errno == ECHILD);
	pass();
}
