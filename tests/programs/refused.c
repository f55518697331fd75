// SPDX-License-Identifier: GPL-2.0
// Holds one object that cannot be saved, and goes on unharmed when a checkpoint is refused.
#include "check.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>

static int held = -1;

static void unix_socket(void)
{
	int pair[2];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	held = pair[0];
}

static void udp_socket(void)
{
	held = socket(AF_INET, SOCK_DGRAM, 0);
}

static void tcp6_socket(void)
{
	held = socket(AF_INET6, SOCK_STREAM, 0);
}

static void netlink_socket(void)
{
	held = socket(AF_NETLINK, SOCK_RAW, 0);
}

static void signal_fd(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	held = signalfd(-1, &set, 0);
}

static void timer_fd(void)
{
	held = timerfd_create(CLOCK_MONOTONIC, 0);
}

static void inotify_fd(void)
{
	held = inotify_init1(0);
}

static void pid_fd(void)
{
	held = syscall(SYS_pidfd_open, getpid(), 0);
}

static void mem_fd(void)
{
	held = memfd_create("held", 0);
}

static void named_fifo(void)
{
	CHECK(mkfifo(in_folder("fifo"), 0600) == 0);
	held = open(in_folder("fifo"), O_RDWR);
}

static void path_only(void)
{
	held = open(folder, O_PATH);
}

static void deleted_file(void)
{
	held = open(in_folder("deleted"), O_RDWR | O_CREAT, 0600);
	CHECK(unlink(in_folder("deleted")) == 0);
}

static void shared_file_mapping(void)
{
	int fd = open(in_folder("mapped"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	CHECK(fd >= 0 && ftruncate(fd, 4096) == 0);
	CHECK(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) != MAP_FAILED);
	close(fd);
}

static void system_v_memory(void)
{
	int id = shmget(IPC_PRIVATE, 4096, 0600);

	CHECK(id >= 0 && shmat(id, NULL, 0) != (void *)-1);
	CHECK(shmctl(id, IPC_RMID, NULL) == 0);
}

static const struct {
	const char *name;
	void (*take)(void);
} kinds[] = {
	{ "unix-socket", unix_socket },
	{ "udp-socket", udp_socket },
	{ "tcp6-socket", tcp6_socket },
	{ "netlink-socket", netlink_socket },
	{ "signalfd", signal_fd },
	{ "timerfd", timer_fd },
	{ "inotify", inotify_fd },
	{ "pidfd", pid_fd },
	{ "memfd", mem_fd },
	{ "fifo", named_fifo },
	{ "o-path", path_only },
	{ "deleted-file", deleted_file },
	{ "shared-file-mapping", shared_file_mapping },
	{ "system-v-memory", system_v_memory },
};

/* Without arguments: the names of all kinds that this kernel has. With two: /FOLDER KIND. */
int main(int argc, char **argv)
{
	char text[64];
	size_t kind, count = sizeof(kinds) / sizeof(kinds[0]);

	if (argc < 3) {
		for (kind = 0; kind < count; kind++) {
			/* Nobody holds one where the kernel has none. */
			if (kinds[kind].take == tcp6_socket && socket(AF_INET6, SOCK_STREAM, 0) < 0)
				continue;
			puts(kinds[kind].name);
		}
		return 0;
	}
	begin(argc, argv);
	for (kind = 0; kind < count && strcmp(kinds[kind].name, argv[2]) != 0; kind++)
		;
	CHECK(kind < count);
	kinds[kind].take();
	CHECK(held >= 0 || kinds[kind].take == shared_file_mapping ||
	      kinds[kind].take == system_v_memory);
	snprintf(text, sizeof(text), "%d\n", held);
	note("held", text);

	ready();
	wait_for_go();
	CHECK(held < 0 || fcntl(held, F_GETFD) >= 0);
	pass();
}
