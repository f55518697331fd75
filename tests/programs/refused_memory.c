// SPDX-License-Identifier: GPL-2.0
// Has one mapping that cannot be saved, and goes on unharmed when a checkpoint is refused.
#include "refused.h"
#include <asm/ldt.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/syscall.h>

#define SIZE 4096
#define SYS_mseal_ 462

static unsigned char *memory;

static int keep(void *mapped)
{
	memory = mapped;
	return mapped == MAP_FAILED ? -1 : 0;
}

static int anonymous(int flags)
{
	return keep(mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | flags, -1, 0));
}

static int of_file(int fd, int prot, int flags)
{
	CHECK(fd >= 0 && ftruncate(fd, SIZE) == 0);
	keep(mmap(NULL, SIZE, prot, flags, fd, 0));
	CHECK(close(fd) == 0);
	return memory == MAP_FAILED ? -1 : 0;
}

static int shared_file(void)
{
	return of_file(open(in_folder("mapped"), O_RDWR | O_CREAT, 0600), PROT_READ | PROT_WRITE,
		       MAP_SHARED);
}

static int deleted_file(void)
{
	int fd = open(in_folder("mapped"), O_RDWR | O_CREAT, 0600);

	CHECK(unlink(in_folder("mapped")) == 0);
	return of_file(fd, PROT_READ, MAP_PRIVATE);
}

static int file_in_memory(void)
{
	return of_file(open("/dev/shm", O_RDWR | O_TMPFILE, 0600), PROT_READ, MAP_SHARED);
}

static int mem_fd(void)
{
	return of_file(memfd_create("held", 0), PROT_READ | PROT_WRITE, MAP_SHARED);
}

static int secret(void)
{
	int fd = syscall(SYS_memfd_secret, 0);

	return fd < 0 ? -1 : of_file(fd, PROT_READ | PROT_WRITE, MAP_SHARED);
}

static int system_v(void)
{
	int id = shmget(IPC_PRIVATE, SIZE, 0600);

	CHECK(id >= 0 && (memory = shmat(id, NULL, 0)) != (void *)-1);
	CHECK(shmctl(id, IPC_RMID, NULL) == 0);
	return 0;
}

/* Without a page behind it: nobody has reserved any here. */
static int huge(void)
{
	return keep(mmap(NULL, 2 << 20, PROT_READ,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_NORESERVE, -1, 0));
}

static int sealed(void)
{
	CHECK(anonymous(MAP_PRIVATE) == 0);
	return syscall(SYS_mseal_, memory, SIZE, 0);
}

static int sealed_still(void)
{
	return mprotect(memory, SIZE, PROT_NONE) == -1 && errno == EPERM;
}

static int with_key(void)
{
	int key = pkey_alloc(0, 0);

	CHECK(anonymous(MAP_PRIVATE) == 0);
	return key < 0 ? -1 : pkey_mprotect(memory, SIZE, PROT_READ | PROT_WRITE, key);
}

/* A child outside keeps the descriptor: with it the registration would go. */
static int user_fault(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register range = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC);

	if (fd < 0)
		return -1;
	CHECK(ioctl(fd, UFFDIO_API, &api) == 0 && anonymous(MAP_PRIVATE) == 0);
	range.range.start = (unsigned long)memory;
	range.range.len = SIZE;
	CHECK(ioctl(fd, UFFDIO_REGISTER, &range) == 0);
	share_outside(0);
	CHECK(close(fd) == 0);
	return 0;
}

static int local_descriptors(void)
{
	struct user_desc entry = { .limit = 1, .seg_32bit = 1, .useable = 1 };

	return syscall(SYS_modify_ldt, 1, &entry, sizeof(entry));
}

static int asynchronous(void)
{
	unsigned long context = 0;

	return syscall(SYS_io_setup, 1, &context);
}

static int readable(void)
{
	return ((volatile unsigned char *)memory)[0] == 0;
}

static const struct kind kinds[] = {
	{ "shared-file", "shared writable mapping of a file", shared_file, readable },
	{ "deleted-file", "mapping of a deleted file", deleted_file, readable },
	{ "file-in-memory", "(tmpfs)", file_in_memory, readable },
	{ "memfd", "memfd or System V shared memory", mem_fd, readable },
	{ "system-v", "memfd or System V shared memory", system_v, readable },
	{ "secret", "secret memory", secret, readable },
	{ "huge-pages", "huge page mapping", huge, NULL },
	{ "sealed", "sealed mapping", sealed, sealed_still },
	{ "protection-key", "memory protection keys", with_key, readable },
	{ "userfault", "userfaultfd", user_fault, NULL },
	{ "local-descriptors", "local descriptor table", local_descriptors, NULL },
	{ "aio", "asynchronous I/O context", asynchronous, NULL },
};

int main(int argc, char **argv)
{
	return refused_main(argc, argv, kinds, sizeof(kinds) / sizeof(kinds[0]));
}
