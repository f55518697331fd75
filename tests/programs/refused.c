// SPDX-License-Identifier: GPL-2.0
// Holds one object that cannot be saved, and goes on unharmed when a checkpoint is refused.
#include "refused.h"
#include <linux/perf_event.h>
#include <netinet/in.h>
#include <sys/eventfd.h>
#include <sys/fanotify.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>

static int hold(int fd)
{
	held = fd;
	return fd < 0 ? -1 : 0;
}

static int unix_socket(void)
{
	return hold(socket(AF_UNIX, SOCK_STREAM, 0));
}

/* An end whose other end has a name. */
static int unix_name(void)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX, .sun_path = "" };
	socklen_t len = sizeof(sa_family_t);
	int listener = socket(AF_UNIX, SOCK_STREAM, 0);

	/* The kernel chooses a name. */
	CHECK(bind(listener, (struct sockaddr *)&name, len) == 0 && listen(listener, 1) == 0);
	len = sizeof(name);
	CHECK(getsockname(listener, (struct sockaddr *)&name, &len) == 0);
	hold(socket(AF_UNIX, SOCK_STREAM, 0));
	CHECK(connect(held, (struct sockaddr *)&name, len) == 0);
	CHECK(accept(listener, NULL, NULL) >= 0 && close(listener) == 0);
	return 0;
}

static int unix_who(void)
{
	int pair[2], on = 1;

	CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0);
	hold(pair[0]);
	return setsockopt(held, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on));
}

/* A descriptor that is on its way through a pair. */
static int unix_rights(void)
{
	char room[CMSG_SPACE(sizeof(int))] = { 0 }, byte = 0;
	struct iovec part = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &part, .msg_iovlen = 1,
		.msg_control = room, .msg_controllen = sizeof(room),
	};
	struct cmsghdr *rights = CMSG_FIRSTHDR(&msg);
	int pair[2];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	rights->cmsg_level = SOL_SOCKET;
	rights->cmsg_type = SCM_RIGHTS;
	rights->cmsg_len = CMSG_LEN(sizeof(int));
	*(int *)CMSG_DATA(rights) = 0;
	CHECK(sendmsg(pair[1], &msg, 0) == 1);
	return hold(pair[0]);
}

static int udp_socket(void)
{
	return hold(socket(AF_INET, SOCK_DGRAM, 0));
}

static int raw_socket(void)
{
	return hold(socket(AF_INET, SOCK_RAW, IPPROTO_TCP));
}

static int tcp6_socket(void)
{
	return hold(socket(AF_INET6, SOCK_STREAM, 0));
}

static int netlink_socket(void)
{
	return hold(socket(AF_NETLINK, SOCK_RAW, 0));
}

static int timer_alarm(void)
{
	return hold(timerfd_create(CLOCK_BOOTTIME_ALARM, 0));
}

static int inotify_fd(void)
{
	return hold(inotify_init1(0));
}

static int fanotify_fd(void)
{
	return hold(fanotify_init(FAN_CLASS_NOTIF, O_RDONLY));
}

static int pid_fd(void)
{
	return hold(syscall(SYS_pidfd_open, getpid(), 0));
}

static int mem_fd(void)
{
	return hold(memfd_create("held", 0));
}

static int user_fault_fd(void)
{
	return hold(syscall(SYS_userfaultfd, O_CLOEXEC));
}

static int perf_fd(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_TASK_CLOCK,
	};

	return hold(syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0));
}

static int io_uring_fd(void)
{
	unsigned char params[120] = { 0 };	/* struct io_uring_params */

	return hold(syscall(SYS_io_uring_setup, 4, params));
}

static int named_fifo(void)
{
	unlink(in_folder("fifo"));
	CHECK(mkfifo(in_folder("fifo"), 0600) == 0);
	return hold(open(in_folder("fifo"), O_RDWR));
}

static int path_only(void)
{
	return hold(open("/", O_PATH));
}

static int process_file(void)
{
	return hold(open("/proc/self/status", O_RDONLY));
}

static int pseudo_terminal(void)
{
	return hold(open("/dev/ptmx", O_RDWR | O_NOCTTY));
}

static int deleted_file(void)
{
	hold(open(in_folder("deleted"), O_RDWR | O_CREAT, 0600));
	CHECK(unlink(in_folder("deleted")) == 0);
	return 0;
}

static int lease(void)
{
	hold(open(in_folder("leased"), O_RDONLY | O_CREAT, 0600));
	return fcntl(held, F_SETLEASE, F_RDLCK);
}

static int lease_still(void)
{
	return fcntl(held, F_GETLEASE) == F_RDLCK;
}

static int asynchronous_pipe(void)
{
	int ends[2];

	CHECK(pipe(ends) == 0);
	hold(ends[0]);
	return fcntl(held, F_SETFL, O_ASYNC);
}

static const struct kind kinds[] = {
	{ "unix-socket", "UNIX socket", unix_socket, NULL },
	{ "unix-name", "with a name", unix_name, NULL },
	{ "unix-who", "asks who sends", unix_who, NULL },
	{ "unix-rights", "descriptors on their way", unix_rights, NULL },
	{ "udp-socket", "UDP socket", udp_socket, NULL },
	{ "raw-socket", "INET socket", raw_socket, NULL },
	{ "tcp6-socket", "IPv6 socket", tcp6_socket, NULL },
	{ "netlink-socket", "netlink socket", netlink_socket, NULL },
	{ "timerfd-alarm", "alarm clock", timer_alarm, NULL },
	{ "inotify", "inotify", inotify_fd, NULL },
	{ "fanotify", "[fanotify]", fanotify_fd, NULL },
	{ "pidfd", "pid", pid_fd, NULL },
	{ "memfd", "memfd:held", mem_fd, NULL },
	{ "userfaultfd", "[userfaultfd]", user_fault_fd, NULL },
	{ "perf-event", "[perf_event]", perf_fd, NULL },
	{ "io-uring", "[io_uring]", io_uring_fd, NULL },
	{ "fifo", "FIFO", named_fifo, NULL },
	{ "o-path", "O_PATH", path_only, NULL },
	{ "process-file", "/proc/", process_file, NULL },
	{ "pseudo-terminal", "character device", pseudo_terminal, NULL },
	{ "deleted-file", "deleted", deleted_file, NULL },
	{ "lease", "O_ASYNC", lease, lease_still },	/* which a lease sets */
	{ "o-async", "O_ASYNC", asynchronous_pipe, NULL },
};

int main(int argc, char **argv)
{
	return refused_main(argc, argv, kinds, sizeof(kinds) / sizeof(kinds[0]));
}
