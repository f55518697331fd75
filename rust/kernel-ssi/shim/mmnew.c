// SPDX-License-Identifier: GPL-2.0
/* A new address space for the current task, built as an image says. */
#include <linux/binfmts.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/mount.h>
#include <linux/namei.h>
#include <linux/personality.h>
#include <linux/sched/coredump.h>
#include <linux/sched/mm.h>
#include <linux/ssi.h>
#include <linux/syscalls.h>
#include <uapi/linux/membarrier.h>
#include <asm/elf.h>
#include <asm/proto.h>
#include <asm/vdso.h>

#include "mm.h"

/**
 * ssi_mm_begin - give the current task an empty address space
 *
 * The task shares its mm with the helper that made it, and leaves it here. Call
 * exec_task_namespaces() before: the vDSO depends on it.
 */
int ssi_mm_begin(void)
{
	struct linux_binfmt *binfmt = current->mm ? current->mm->binfmt : NULL;
	struct rlimit stack = current->signal->rlim[RLIMIT_STACK];
	struct mm_struct *mm = mm_alloc();
	int ret;

	if (!mm)
		return -ENOMEM;
	if (binfmt && try_module_get(binfmt->module))
		mm->binfmt = binfmt;
	sched_mm_cid_before_execve(current);
	ret = exec_mmap(mm);
	sched_mm_cid_after_execve(current);
	if (ret) {
		mmput(mm);
		return ret;
	}
	up_write(&current->signal->exec_update_lock);
	set_personality_64bit();
	arch_pick_mmap_layout(mm, &stack);
	mm->task_size = TASK_SIZE;
	/* Huge pages would make every page of a range the process's own while it is filled. */
	set_bit(MMF_DISABLE_THP, &mm->flags);
	return 0;
}

static int check_stamp(const struct file *file, const struct ssi_stamp *stamp)
{
	struct ssi_stamp now;
	int ret = S_ISREG(file_inode(file)->i_mode) ? ssi_stamp_of(file, &now) : -ESTALE;

	if (ret)
		return ret;
	return now.size == stamp->size && now.modified == stamp->modified ? 0 : -ESTALE;
}

/* A shared mapping shows the file as it is; another must be of the very file that was mapped. */
static struct file *open_mapped(const struct ssi_vma *vma, const char *path)
{
	int mode = vma->flags & SSI_VMA_MAY_WRITE ? O_RDWR : O_RDONLY;
	struct file *file = filp_open(path, mode | O_LARGEFILE | O_NOCTTY | O_NONBLOCK, 0);
	int ret;

	if (IS_ERR(file))
		return file;
	ret = S_ISREG(file_inode(file)->i_mode) ? 0 : -ESTALE;
	if (!ret && vma->kind == SSI_VMA_FILE_PRIVATE)
		ret = check_stamp(file, &vma->stamp);
	if (ret) {
		fput(file);
		return ERR_PTR(ret);
	}
	return file;
}

static unsigned long map_flags(const struct ssi_vma *vma)
{
	unsigned long flags = MAP_FIXED_NOREPLACE;

	if (vma->kind == SSI_VMA_FILE_SHARED || vma->kind == SSI_VMA_SHARED)
		flags |= MAP_SHARED;
	else if (vma->flags & SSI_VMA_DROPPABLE)
		flags |= MAP_DROPPABLE;
	else
		flags |= MAP_PRIVATE;
	if (vma->kind == SSI_VMA_ANONYMOUS)
		flags |= MAP_ANONYMOUS;
	if (vma->flags & SSI_VMA_GROWS_DOWN)
		flags |= MAP_GROWSDOWN;
	if (vma->flags & SSI_VMA_NO_RESERVE)
		flags |= MAP_NORESERVE;
	return flags;
}

/**
 * ssi_mm_map - make one mapping, with its final protection
 * @vma: checked by the caller; anonymous, of a file, or of @shared
 * @path: of the file, where it has one
 * @shared: the shared memory, where it is of one; borrowed
 *
 * -ESTALE: the file is not the one that was mapped.
 */
int ssi_mm_map(const struct ssi_vma *vma, const char *path, struct file *shared)
{
	unsigned long len = vma->end - vma->start;
	struct file *file = NULL;
	unsigned long at;

	if (vma->kind == SSI_VMA_SHARED && !shared)
		return -EINVAL;
	if (vma->kind == SSI_VMA_SHARED)
		file = get_file(shared);
	else if (vma->kind != SSI_VMA_ANONYMOUS)
		file = open_mapped(vma, path);
	if (IS_ERR(file))
		return PTR_ERR(file);
	at = vm_mmap(file, vma->start, len, vma->prot, map_flags(vma), vma->offset);
	if (file)
		fput(file);
	if (IS_ERR_VALUE(at))
		return at;
	return at == vma->start ? 0 : -EEXIST;
}

/**
 * ssi_mm_map_vdso - put vDSO and its data where they were
 *
 * -ENOEXEC: this kernel's vDSO has another shape. Call it when all else is mapped.
 */
int ssi_mm_map_vdso(const struct ssi_vma *vvar, const struct ssi_vma *vdso)
{
	u64 data = -vdso_image_64.sym_vvar_start;
	int ret;

	if (vvar->end - vvar->start != data || vvar->end != vdso->start ||
	    vdso->end - vdso->start != vdso_image_64.size)
		return -ENOEXEC;
	ret = map_vdso_once(&vdso_image_64, vvar->start);
	if (ret)
		return ret;
	return (u64)(uintptr_t)current->mm->context.vdso == vdso->start ? 0 : -EEXIST;
}

/* ssi_mm_advise - what madvise(2) had said about the mapping */
int ssi_mm_advise(const struct ssi_vma *vma)
{
	static const struct { u32 flag; int advice; } table[] = {
		{ SSI_VMA_DONT_FORK, MADV_DONTFORK },   { SSI_VMA_WIPE_ON_FORK, MADV_WIPEONFORK },
		{ SSI_VMA_DONT_DUMP, MADV_DONTDUMP },   { SSI_VMA_HUGE, MADV_HUGEPAGE },
		{ SSI_VMA_NO_HUGE, MADV_NOHUGEPAGE },   { SSI_VMA_MERGEABLE, MADV_MERGEABLE },
		{ SSI_VMA_SEQUENTIAL, MADV_SEQUENTIAL }, { SSI_VMA_RANDOM, MADV_RANDOM },
	};
	int i, ret;

	for (i = 0; i < ARRAY_SIZE(table); i++) {
		if (!(vma->flags & table[i].flag))
			continue;
		ret = do_madvise(current->mm, vma->start, vma->end - vma->start, table[i].advice);
		if (ret)
			return ret;
	}
	return 0;
}

/* ssi_mm_lock - mlock2(2) the mapping again, within the limits of the process */
int ssi_mm_lock(const struct ssi_vma *vma)
{
	unsigned long on_fault = vma->flags & SSI_VMA_LOCKED_ON_FAULT ? MLOCK_ONFAULT : 0;
	const unsigned long args[6] = { vma->start, vma->end - vma->start, on_fault };

	if (!(vma->flags & SSI_VMA_LOCKED))
		return 0;
	return ssi_syscall(__NR_mlock2, args);
}

static int set_exe(struct mm_struct *mm, const struct ssi_mm_numbers *numbers, const char *path)
{
	struct file *exe = filp_open(path, O_RDONLY | O_LARGEFILE | O_NONBLOCK, 0);
	int ret;

	if (IS_ERR(exe))
		return PTR_ERR(exe);
	ret = check_stamp(exe, &numbers->exe);
	if (!ret)
		ret = file_permission(exe, MAY_EXEC);
	if (!ret && (exe->f_path.mnt->mnt_flags & MNT_NOEXEC))
		ret = -EACCES;
	if (!ret)
		ret = set_mm_exe_file(mm, exe);
	fput(exe);
	return ret;
}

static int register_barriers(u32 flags)
{
	static const struct { u32 flag; unsigned long command; } table[] = {
		{ SSI_MM_BARRIER_GLOBAL, MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED },
		{ SSI_MM_BARRIER_PRIVATE, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED },
		{ SSI_MM_BARRIER_CORE, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE },
		{ SSI_MM_BARRIER_RSEQ, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ },
	};
	int i, ret;

	for (i = 0; i < ARRAY_SIZE(table); i++) {
		const unsigned long args[6] = { table[i].command };

		ret = flags & table[i].flag ? ssi_syscall(__NR_membarrier, args) : 0;
		if (ret)
			return ret;
	}
	return 0;
}

static void set_flags(struct mm_struct *mm, const struct ssi_mm_numbers *numbers)
{
	const u32 flags = numbers->flags;

	assign_bit(MMF_TOPDOWN, &mm->flags, flags & SSI_MM_TOPDOWN);
	assign_bit(MMF_DISABLE_THP, &mm->flags, flags & SSI_MM_NO_HUGE_PAGES);
	assign_bit(MMF_HAS_MDWE, &mm->flags, flags & SSI_MM_MDWE);
	assign_bit(MMF_HAS_MDWE_NO_INHERIT, &mm->flags, flags & SSI_MM_MDWE_NO_INHERIT);
	set_mask_bits(&mm->flags, MMF_DUMP_FILTER_MASK,
		      (numbers->dump_filter << MMF_DUMP_FILTER_SHIFT) & MMF_DUMP_FILTER_MASK);
	/* Never more than what the restored process would have after an execve(2) of its own. */
	set_mask_bits(&mm->flags, MMF_DUMPABLE_MASK,
		      flags & SSI_MM_DUMPABLE ? SUID_DUMP_USER : SUID_DUMP_DISABLE);
	mm->def_flags &= ~(VM_LOCKED | VM_LOCKONFAULT);
	if (flags & SSI_MM_LOCK_FUTURE)
		mm->def_flags |= VM_LOCKED;
	if (flags & SSI_MM_LOCK_ON_FAULT)
		mm->def_flags |= VM_LOCKONFAULT;
}

static void set_numbers(struct mm_struct *mm, const struct ssi_mm_numbers *numbers)
{
	mm->mmap_base = numbers->mmap_base;
	mm->start_code = numbers->code[0];
	mm->end_code = numbers->code[1];
	mm->start_data = numbers->data[0];
	mm->end_data = numbers->data[1];
	mm->start_brk = numbers->brk[0];
	mm->brk = numbers->brk[1];
	mm->start_stack = numbers->stack;
	mm->arg_start = numbers->arg[0];
	mm->arg_end = numbers->arg[1];
	mm->env_start = numbers->env[0];
	mm->env_end = numbers->env[1];
	memcpy(mm->saved_auxv, numbers->auxv, sizeof(mm->saved_auxv));
	/* /proc/PID/auxv is read up to its AT_NULL. */
	mm->saved_auxv[AT_VECTOR_SIZE - 2] = 0;
	mm->saved_auxv[AT_VECTOR_SIZE - 1] = 0;
}

/**
 * ssi_mm_finish - the numbers of the address space, when all is mapped and filled
 * @numbers: checked by the caller to lie in user memory and in order
 * @exe: path of the executable, which must be the one that ran
 */
int ssi_mm_finish(const struct ssi_mm_numbers *numbers, const char *exe)
{
	struct mm_struct *mm = current->mm;
	int ret = set_exe(mm, numbers, exe);

	if (!ret)
		ret = register_barriers(numbers->flags);
	if (ret)
		return ret;
	if (mmap_write_lock_killable(mm))
		return -EINTR;
	set_numbers(mm, numbers);
	set_flags(mm, numbers);
	mmap_write_unlock(mm);
	current->personality = numbers->personality;
	return 0;
}
