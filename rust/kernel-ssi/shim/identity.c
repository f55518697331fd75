// SPDX-License-Identifier: GPL-2.0
/* What a process is to others: credentials, session, group, limits, where it works. */
#include <linux/cred.h>
#include <linux/fs_struct.h>
#include <linux/namei.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/resource.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/ssi.h>
#include <asm/unistd.h>
#include "spawn.h"

static int ssi_set_groups(const u32 *groups, u32 count)
{
	struct group_info *info = groups_alloc(count);
	int err;
	u32 i;

	if (!info)
		return -ENOMEM;
	for (i = 0; i < count; i++)
		info->gid[i] = KGIDT_INIT(groups[i]);
	groups_sort(info);
	err = set_current_groups(info);
	put_group_info(info);
	return err;
}

static int ssi_set_users(const struct ssi_image_credentials *image)
{
	const unsigned long gids[6] = { image->gid, image->egid, image->sgid };
	const unsigned long uids[6] = { image->uid, image->euid, image->suid };
	const unsigned long fsgid[6] = { image->fsgid }, fsuid[6] = { image->fsuid };
	int err;

	err = ssi_syscall(__NR_setresgid, gids);
	if (err)
		return err;
	ssi_syscall(__NR_setfsgid, fsgid);
	err = ssi_syscall(__NR_setresuid, uids);
	if (!err)
		ssi_syscall(__NR_setfsuid, fsuid);
	return err;
}

/*
 * Makes current who the image says; it is root with all capabilities until then. Rust has
 * checked that the caller of the restart may have this done.
 */
int ssi_set_identity(const struct ssi_image_credentials *image, const u32 *groups)
{
	struct cred *cred;
	int err;

	err = ssi_set_groups(groups, image->groups);
	if (!err)
		err = ssi_set_users(image);
	if (err)
		return err;
	cred = prepare_creds();
	if (!cred)
		return -ENOMEM;
	cred->securebits = image->securebits;
	cred->cap_inheritable.val = image->inheritable & CAP_VALID_MASK;
	cred->cap_permitted.val = image->permitted & CAP_VALID_MASK;
	cred->cap_effective.val = image->effective & CAP_VALID_MASK;
	cred->cap_bset.val = image->bounding & CAP_VALID_MASK;
	cred->cap_ambient.val = image->ambient & CAP_VALID_MASK;
	return commit_creds(cred);
}

/*
 * Keeps the PID of a session or group whose leader had died: no task has it. -EEXIST: in use.
 * To be given back by ssi_pid_drop().
 */
int ssi_pid_hold(u32 nr, struct pid **out)
{
	struct cred *cred = prepare_kernel_cred(&init_task);
	const struct cred *old;
	pid_t set_tid = nr;
	struct pid *pid;

	if (!cred)
		return -ENOMEM;
	old = override_creds(cred);
	pid = alloc_pid(&init_pid_ns, &set_tid, 1);
	revert_creds(old);
	put_cred(cred);
	if (IS_ERR(pid))
		return PTR_ERR(pid);
	*out = get_pid(pid);
	return 0;
}

/* Whether @nr is nobody's PID, group or session. */
int ssi_pid_is_free(u32 nr)
{
	int free;

	rcu_read_lock();
	free = !find_pid_ns(nr, &init_pid_ns);
	rcu_read_unlock();
	return free;
}

/*
 * Has a process or a thread this PID that has not ended? The number of a zombie is in nobody's way
 * on other nodes.
 */
bool ssi_pid_is_alive(u32 nr)
{
	struct task_struct *task;
	bool alive = false;

	rcu_read_lock();
	task = find_task_by_pid_ns(nr, &init_pid_ns);
	if (task)
		alive = !READ_ONCE(task->exit_state) || atomic_read(&task->signal->live) > 0;
	rcu_read_unlock();
	return alive;
}

/* @used: a task had it as session or group; then its last one frees it. */
void ssi_pid_drop(struct pid *pid, bool used)
{
	if (!used)
		free_pid(pid);
	put_pid(pid);
}

/* Takes current's process into the session or group @nr, which exists. */
int ssi_join(u32 nr, bool session)
{
	struct pid *pid = find_get_pid(nr);

	if (!pid)
		return -ESRCH;
	write_lock_irq(&tasklist_lock);
	if (session) {
		change_pid(current, PIDTYPE_SID, pid);
		current->signal->leader = task_tgid(current) == pid;
	} else {
		change_pid(current, PIDTYPE_PGID, pid);
	}
	write_unlock_irq(&tasklist_lock);
	put_pid(pid);
	return 0;
}

static int ssi_set_limits_as(const struct ssi_image_limit *limits)
{
	int i, err = 0;

	for (i = 0; i < RLIM_NLIMITS && !err; i++) {
		struct rlimit limit = { limits[i].soft, limits[i].hard };

		err = do_prlimit(current, i, &limit, NULL);
	}
	return err;
}

/* @privileged: the caller of the restart is root, who may raise what a process may have. */
int ssi_set_limits(const struct ssi_image_limit *limits, bool privileged)
{
	const struct cred *old;
	struct cred *cred;
	int err;

	if (!privileged)
		return ssi_set_limits_as(limits);
	cred = prepare_kernel_cred(&init_task);
	if (!cred)
		return -ENOMEM;
	old = override_creds(cred);
	err = ssi_set_limits_as(limits);
	revert_creds(old);
	put_cred(cred);
	return err;
}

int ssi_set_directory(const char *name, u32 umask)
{
	struct path path;
	int err = kern_path(name, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &path);

	if (err)
		return err;
	set_fs_pwd(current->fs, &path);
	path_put(&path);
	current->fs->umask = umask;
	return 0;
}

void ssi_set_caps_of(u32 pid, u32 caps)
{
	struct task_struct *task;

	rcu_read_lock();
	task = find_task_by_pid_ns(pid, &init_pid_ns);
	if (task)
		ssi_set_caps(task, caps);
	rcu_read_unlock();
}

void ssi_set_process(const struct ssi_image_process *image)
{
	current->signal->is_child_subreaper = !!(image->flags & SSI_PROCESS_SUBREAPER);
	current->signal->oom_score_adj = image->oom_score_adj;
}

void ssi_set_actions(const struct ssi_image_action *actions)
{
	int i;

	spin_lock_irq(&current->sighand->siglock);
	for (i = 0; i < _NSIG; i++) {
		struct sigaction *to = &current->sighand->action[i].sa;

		to->sa_handler = (__sighandler_t)(unsigned long)actions[i].handler;
		to->sa_flags = actions[i].flags & UAPI_SA_FLAGS;
		to->sa_restorer = (__sigrestore_t)(unsigned long)actions[i].restorer;
		to->sa_mask.sig[0] = actions[i].mask;
		sigdelsetmask(&to->sa_mask, sigmask(SIGKILL) | sigmask(SIGSTOP));
	}
	spin_unlock_irq(&current->sighand->siglock);
}
