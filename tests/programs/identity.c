// SPDX-License-Identifier: GPL-2.0
// Working directory, umask, user and group ids, limits and the command name are kept.
#include "check.h"
#include <grp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define USER 1234
#define GROUP 2345

static const gid_t groups[] = { 7, 2345, 9999 };

static void become_somebody(void)
{
	struct rlimit files = { 111, 222 }, core = { 0, 0 };

	CHECK(mkdir(in_folder("inside"), 0777) == 0);
	CHECK(chmod(folder, 0777) == 0 && chmod(in_folder("inside"), 0777) == 0);
	CHECK(chdir(in_folder("inside")) == 0);
	umask(027);
	CHECK(setrlimit(RLIMIT_NOFILE, &files) == 0);
	CHECK(setrlimit(RLIMIT_CORE, &core) == 0);
	CHECK(prctl(PR_SET_NAME, "somebody") == 0);
	if (getuid() != 0)
		return;
	CHECK(setgroups(3, groups) == 0);
	CHECK(setresgid(GROUP, GROUP + 1, GROUP + 2) == 0);
	CHECK(setresuid(USER, USER + 1, USER + 2) == 0);
}

static void check_somebody(void)
{
	uid_t real, effective, saved;
	gid_t found[8];

	CHECK(getresuid(&real, &effective, &saved) == 0);
	CHECK_EQUAL(real, USER);
	CHECK_EQUAL(effective, USER + 1);
	CHECK_EQUAL(saved, USER + 2);
	CHECK(getresgid(&real, &effective, &saved) == 0);
	CHECK_EQUAL(real, GROUP);
	CHECK_EQUAL(effective, GROUP + 1);
	CHECK_EQUAL(saved, GROUP + 2);
	CHECK_EQUAL(getgroups(8, found), 3);
	for (int i = 0; i < 3; i++)
		CHECK_EQUAL(found[i], groups[i]);
	/* The privilege is gone for good: no way back to root came with the restart. */
	CHECK(setuid(0) == -1 && errno == EPERM);
}

int main(int argc, char **argv)
{
	struct rlimit limit;
	struct stat status;
	char before[4200], after[4200], name[17] = "";
	int root;

	begin(argc, argv);
	root = getuid() == 0;
	become_somebody();
	CHECK(getcwd(before, sizeof(before)));

	ready();
	wait_for_go();

	CHECK(getcwd(after, sizeof(after)) && strcmp(before, after) == 0);
	CHECK(open("here", O_WRONLY | O_CREAT | O_CLOEXEC, 0666) >= 0);
	CHECK(stat(in_folder("inside/here"), &status) == 0);
	CHECK_EQUAL(status.st_mode & 0777, 0640);
	CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
	CHECK(limit.rlim_cur == 111 && limit.rlim_max == 222);
	CHECK(getrlimit(RLIMIT_CORE, &limit) == 0);
	CHECK(limit.rlim_cur == 0 && limit.rlim_max == 0);
	CHECK(prctl(PR_GET_NAME, name) == 0 && strcmp(name, "somebody") == 0);
	if (root)
		check_somebody();
	pass();
}
