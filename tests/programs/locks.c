// SPDX-License-Identifier: GPL-2.0
// Locks of files: of a process, of an open file, of a whole file; nobody else gets them.
#include "check.h"
#include <sys/file.h>

static void range(int fd, int command, short type, off_t start, off_t len)
{
	struct flock lock = { .l_type = type, .l_start = start, .l_len = len };

	CHECK(fcntl(fd, command, &lock) == 0);
}

/* Who stands in the way of a writer's lock; 0 for nobody, -1 for an open file. */
static pid_t owner(int fd, off_t start)
{
	struct flock lock = { .l_type = F_WRLCK, .l_start = start, .l_len = 1 };

	CHECK(fcntl(fd, F_GETLK, &lock) == 0);
	return lock.l_type == F_UNLCK ? 0 : lock.l_pid;
}

/* A child has no lock of its parent's, and so sees them. */
static void seen_by_child(pid_t parent)
{
	pid_t child = fork();
	int fd;

	CHECK(child >= 0);
	if (child > 0) {
		child_ended(child, 0);
		return;
	}
	fd = open(in_folder("ranges"), O_RDWR);
	CHECK(fd >= 0);
	CHECK_EQUAL(owner(fd, 9), 0);
	CHECK_EQUAL(owner(fd, 10), parent);
	CHECK_EQUAL(owner(fd, 29), parent);
	CHECK_EQUAL(owner(fd, 30), 0);
	CHECK_EQUAL(owner(fd, 100), -1);
	CHECK_EQUAL(owner(fd, 1 << 20), -1);
	fd = open(in_folder("whole"), O_RDWR);
	CHECK(fd >= 0);
	CHECK(flock(fd, LOCK_EX | LOCK_NB) == -1 && errno == EWOULDBLOCK);
	_exit(0);
}

int main(int argc, char **argv)
{
	int ranges, open_file, whole;

	begin(argc, argv);
	ranges = open(in_folder("ranges"), O_RDWR | O_CREAT, 0600);
	open_file = open(in_folder("ranges"), O_RDWR);
	whole = open(in_folder("whole"), O_RDWR | O_CREAT, 0600);
	CHECK(ranges >= 0 && open_file >= 0 && whole >= 0);
	range(ranges, F_SETLK, F_WRLCK, 10, 10);
	range(ranges, F_SETLK, F_RDLCK, 20, 10);
	range(open_file, F_OFD_SETLK, F_WRLCK, 100, 0);
	CHECK(flock(whole, LOCK_SH) == 0);

	ready();
	wait_for_go();

	seen_by_child(getpid());
	range(ranges, F_SETLK, F_UNLCK, 0, 50);
	CHECK(flock(whole, LOCK_UN) == 0);
	CHECK(flock(whole, LOCK_EX | LOCK_NB) == 0);
	pass();
}
