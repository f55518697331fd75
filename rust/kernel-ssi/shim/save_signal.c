// SPDX-License-Identifier: GPL-2.0
/* Saves what signals are: actions, pending ones with their data, interval timers. */
#include <linux/hrtimer.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/ssi.h>
#include <linux/time64.h>
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

static void ssi_timer_of(const struct itimerspec64 *from, struct ssi_image_timer *to)
{
	to->value_ns = timespec64_to_ns(&from->it_value);
	to->interval_ns = timespec64_to_ns(&from->it_interval);
}

/* ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF. */
int ssi_timers_save(struct ssi_process *process, struct task_struct *task)
{
	struct signal_struct *signal = task->signal;
	struct ssi_image_timer timers[3] = {};
	struct itimerspec64 value;

	if (!hlist_empty(&signal->posix_timers))
		return ssi_unsupported(process, "POSIX timer");
	if (hrtimer_active(&signal->real_timer)) {
		ktime_t rest = hrtimer_get_remaining(&signal->real_timer);

		timers[0].value_ns = max_t(s64, 1, ktime_to_ns(rest));
	}
	timers[0].interval_ns = ktime_to_ns(signal->it_real_incr);
	if (same_thread_group(task, current)) {
		do_getitimer(ITIMER_VIRTUAL, &value);
		ssi_timer_of(&value, &timers[1]);
		do_getitimer(ITIMER_PROF, &value);
		ssi_timer_of(&value, &timers[2]);
	} else if (signal->it[0].expires || signal->it[1].expires) {
		return ssi_unsupported(process, "CPU time timer of a stopped process");
	}
	return ssi_record_add(process, SSI_KIND_TIMER, pid_nr(process->pid), timers,
			      sizeof(timers));
}
