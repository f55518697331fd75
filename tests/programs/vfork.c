// SPDX-License-Identifier: GPL-2.0
// A parent that waits in vfork() for its child goes on waiting, and its child goes on.
#include "check.h"

int main(int argc, char **argv)
{
	volatile int shared = 1;
	pid_t child;

	begin(argc, argv);
	child = vfork();
	CHECK(child >= 0);
	if (child == 0) {
		/* It runs in its parent's memory, so that this is seen there. */
		shared = 2;
		ready();
		wait_for_go();
		shared++;
		_exit(8);
	}
	CHECK(went());
	CHECK_EQUAL(shared, 3);
	child_ended(child, 8);
	pass();
}
