// SPDX-License-Identifier: GPL-2.0
/* Saves what signals are: actions, and pending ones with their data. */
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/ssi.h>
#include "image.h"
#include "stop.h"

/* Most signals that one thread or process may have pending. */
#define SSI_PENDING_MAX 65536u

int ssi_actions_save(struct ssi_process *process, struct task_struct *task)
{
	struct ssi_image_action *actions;
	int i, err;

	actions = kcalloc(_NSIG, sizeof(*actions), GFP_KERNEL);
	if (!actions)
		return -ENOMEM;
	spin_lock_irq(&task->sighand->siglock);
	for (i = 0; i < _NSIG; i++) {
		const struct sigaction *from = &task->sighand->action[i].sa;

		actions[i].handler = (unsigned long)from->sa_handler;
		actions[i].flags = from->sa_flags;
		actions[i].restorer = (unsigned long)from->sa_restorer;
		actions[i].mask = from->sa_mask.sig[0];
	}
	spin_unlock_irq(&task->sighand->siglock);
	err = ssi_record_add(process, SSI_KIND_ACTIONS, pid_nr(process->pid), actions,
			     _NSIG * sizeof(*actions));
	kfree(actions);
	return err;
}

/* In the order of the queue, then the signals that lost their data; how many there are. */
static u32 ssi_pending_copy(const struct sigpending *pending, struct ssi_image_pending *out,
			    u32 room, bool shared)
{
	sigset_t bare = pending->signal;
	struct sigqueue *queued;
	u32 count = 0;
	int sig;

	BUILD_BUG_ON(sizeof(out->info) != sizeof(queued->info));
	list_for_each_entry(queued, &pending->list, list) {
		sigdelset(&bare, queued->info.si_signo);
		/* Its timer sends it again, at once. */
		if (queued->flags & SIGQUEUE_PREALLOC)
			continue;
		if (count < room) {
			out[count].shared = shared;
			out[count].signal = queued->info.si_signo;
			memcpy(out[count].info, &queued->info, sizeof(queued->info));
		}
		count++;
	}
	for (sig = 1; sig <= _NSIG; sig++) {
		if (!sigismember(&bare, sig))
			continue;
		if (count < room) {
			struct kernel_siginfo info = { .si_signo = sig, .si_code = SI_USER };

			out[count].shared = shared;
			out[count].signal = sig;
			memcpy(out[count].info, &info, sizeof(info));
		}
		count++;
	}
	return count;
}

int ssi_pending_save(struct ssi_process *process, struct task_struct *task, bool shared)
{
	const struct sigpending *pending = shared ? &task->signal->shared_pending : &task->pending;
	u32 subject = shared ? pid_nr(process->pid) : task_pid_nr(task);
	struct ssi_image_pending *copies = NULL;
	u32 count = 0, room, i;
	int err = 0;

	/* Others may send more at any time. */
	do {
		kvfree(copies);
		room = count + 4;
		copies = kvcalloc(room, sizeof(*copies), GFP_KERNEL);
		if (!copies || count > SSI_PENDING_MAX) {
			kvfree(copies);
			return -ENOMEM;
		}
		spin_lock_irq(&task->sighand->siglock);
		count = ssi_pending_copy(pending, copies, room, shared);
		spin_unlock_irq(&task->sighand->siglock);
	} while (count > room);
	for (i = 0; i < count && !err; i++)
		err = ssi_record_add(process, SSI_KIND_PENDING, subject, &copies[i],
				     sizeof(copies[i]));
	kvfree(copies);
	return err;
}
