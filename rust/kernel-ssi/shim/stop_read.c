// SPDX-License-Identifier: GPL-2.0
/* What Rust sees of a group: its processes, their threads, what was saved of them. */
#include <linux/pid.h>
#include <linux/sched/task.h>
#include "stop.h"

u32 ssi_group_refused_pid(struct ssi_group *group)
{
	return group->refused_pid;
}

/* What -ENOTSUPP of ssi_group_save() was about; a string constant, or NULL. */
const char *ssi_group_unsupported(struct ssi_group *group)
{
	return group->unsupported;
}

u32 ssi_group_processes(struct ssi_group *group)
{
	return group->processes_count;
}

static struct ssi_process *ssi_process_at(struct ssi_group *group, u32 index)
{
	struct ssi_process *process;

	list_for_each_entry(process, &group->processes, link)
		if (process->index == index)
			return process;
	return NULL;
}

bool ssi_group_process(struct ssi_group *group, u32 index, struct ssi_process_info *out)
{
	struct ssi_process *process = ssi_process_at(group, index);

	if (!process)
		return false;
	out->pid = pid_nr(process->pid);
	out->threads = process->threads_count;
	out->counts = ssi_process_counts(process);
	out->zombie = process->zombie;
	return true;
}

/* The thread with this number among those that are alive, with a reference; or NULL. */
struct task_struct *ssi_group_thread(struct ssi_group *group, u32 index, u32 number)
{
	struct ssi_process *process = ssi_process_at(group, index);
	struct ssi_thread *thread;

	if (!process)
		return NULL;
	list_for_each_entry(thread, &process->threads, link)
		if (READ_ONCE(thread->state) != SSI_THREAD_GONE && !number--)
			return get_task_struct(thread->task);
	return NULL;
}

/* Every record of every process; stops at the first @visit that is not 0. */
int ssi_group_records(struct ssi_group *group, ssi_record_fn visit, void *data)
{
	struct ssi_process *process;
	struct ssi_record *record;
	int err = 0;

	list_for_each_entry(process, &group->processes, link) {
		list_for_each_entry(record, &process->records, link) {
			err = visit(data, record->kind, record->subject, record->data, record->len);
			if (err)
				return err;
		}
	}
	return 0;
}
