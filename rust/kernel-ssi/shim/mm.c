// SPDX-License-Identifier: GPL-2.0
/* Address spaces as they are: numbers, mappings, copy-on-write clones. */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <linux/mempolicy.h>
#include <linux/mm.h>
#include <linux/mount.h>
#include <linux/pkeys.h>
#include <linux/sched/coredump.h>
#include <linux/sched/mm.h>
#include <linux/sched/task.h>
#include <linux/shmem_fs.h>
#include <linux/slab.h>
#include <linux/ssi.h>
#include <linux/userfaultfd_k.h>
#include <linux/xxhash.h>
#include <asm/vdso.h>

#include "mm.h"

/* fs/aio.c keeps it to itself. */
#define AIO_RING_MAGIC 0xa10a10a1

static_assert(AT_VECTOR_SIZE <= SSI_AUXV_WORDS);

struct mm_struct *ssi_mm_of(struct task_struct *task)
{
	return get_task_mm(task);
}

void ssi_mm_put(struct mm_struct *mm)
{
	mmput(mm);
}

/* ssi_mm_key - a number that no other address space of this kernel ever has */
u64 ssi_mm_key(const struct mm_struct *mm)
{
	return mm->context.ctx_id;
}

/* ssi_vdso_digest - XXH64 of this kernel's vDSO, as patched for this CPU */
u64 ssi_vdso_digest(void)
{
	return xxh64(vdso_image_64.data, vdso_image_64.size, 0);
}

/**
 * ssi_mm_clone - a copy-on-write clone of all of an address space
 * @mm: nobody runs in it; no mapping of it has a userfaultfd
 *
 * Unlike the child of a fork the clone has the mappings of MADV_DONTFORK and the content of those
 * of MADV_WIPEONFORK. It belongs to no task.
 */
struct mm_struct *ssi_mm_clone(struct mm_struct *mm)
{
	struct mm_struct *clone = ssi_dup_mm(current, mm);

	if (clone)
		return clone;
	return ERR_PTR(fatal_signal_pending(current) ? -EINTR : -ENOMEM);
}

static const char *mm_refusal(struct mm_struct *mm, struct task_struct *task)
{
	if (test_tsk_thread_flag(task, TIF_ADDR32))
		return "32-bit program";
#ifdef CONFIG_MODIFY_LDT_SYSCALL
	if (mm->context.ldt)
		return "local descriptor table";
#endif
#ifdef CONFIG_ADDRESS_MASKING
	if (mm->context.lam_cr3_mask)
		return "linear address masking";
#endif
#ifdef CONFIG_X86_INTEL_MEMORY_PROTECTION_KEYS
	if (mm->context.pkey_allocation_map & ~1)
		return "memory protection keys";
#endif
	if (test_bit(MMF_HAS_UPROBES, &mm->flags))
		return "user-space probes";
	if (test_bit(MMF_VM_MERGE_ANY, &mm->flags))
		return "merging of all memory (PR_SET_MEMORY_MERGE)";
	return NULL;
}

/* ssi_stamp_of - of @file as its file system says now: a network one may remember older numbers */
int ssi_stamp_of(const struct file *file, struct ssi_stamp *out)
{
	struct kstat stat;
	int ret = vfs_getattr(file_user_path((struct file *)file), &stat,
			      STATX_SIZE | STATX_MTIME, AT_STATX_SYNC_AS_STAT);

	if (ret)
		return ret;
	out->size = stat.size;
	out->modified = timespec64_to_ns(&stat.mtime);
	return 0;
}

/* Writes the file's path to @path, returns its length, and says what is wrong with it. */
static u32 path_of(struct file *file, char *path, u32 size, const char **refusal)
{
	const struct path *where = file_user_path(file);
	char *text = d_path(where, path, size);
	u32 len;

	if (IS_ERR(text)) {
		*refusal = "mapping of a file whose path is too long";
		return 0;
	}
	if (text[0] != '/')
		*refusal = "mapping of a file without a path";
	else if (d_unlinked(where->dentry))
		*refusal = "mapping of a deleted file";
	len = strlen(text);
	memmove(path, text, len + 1);
	return len;
}

static u32 barrier_flags(struct mm_struct *mm)
{
	int state = atomic_read(&mm->membarrier_state);
	u32 flags = 0;

	if (state & MEMBARRIER_STATE_GLOBAL_EXPEDITED_READY)
		flags |= SSI_MM_BARRIER_GLOBAL;
	if (state & MEMBARRIER_STATE_PRIVATE_EXPEDITED_READY)
		flags |= SSI_MM_BARRIER_PRIVATE;
	if (state & MEMBARRIER_STATE_PRIVATE_EXPEDITED_SYNC_CORE_READY)
		flags |= SSI_MM_BARRIER_CORE;
	if (state & MEMBARRIER_STATE_PRIVATE_EXPEDITED_RSEQ_READY)
		flags |= SSI_MM_BARRIER_RSEQ;
	return flags;
}

static void describe_flags(struct mm_struct *mm, struct ssi_mm_numbers *out)
{
	unsigned long flags = mm->flags;

	if (test_bit(MMF_TOPDOWN, &flags))
		out->flags |= SSI_MM_TOPDOWN;
	if (test_bit(MMF_DISABLE_THP, &flags))
		out->flags |= SSI_MM_NO_HUGE_PAGES;
	if (test_bit(MMF_HAS_MDWE, &flags))
		out->flags |= SSI_MM_MDWE;
	if (test_bit(MMF_HAS_MDWE_NO_INHERIT, &flags))
		out->flags |= SSI_MM_MDWE_NO_INHERIT;
	if (mm->def_flags & VM_LOCKED)
		out->flags |= SSI_MM_LOCK_FUTURE;
	if (mm->def_flags & VM_LOCKONFAULT)
		out->flags |= SSI_MM_LOCK_ON_FAULT;
	if (__get_dumpable(flags) == SUID_DUMP_USER)
		out->flags |= SSI_MM_DUMPABLE;
	out->flags |= barrier_flags(mm);
	out->dump_filter = (flags & MMF_DUMP_FILTER_MASK) >> MMF_DUMP_FILTER_SHIFT;
}

static void describe_numbers(struct mm_struct *mm, struct ssi_mm_numbers *out)
{
	out->mmap_base = mm->mmap_base;
	out->code[0] = mm->start_code;
	out->code[1] = mm->end_code;
	out->data[0] = mm->start_data;
	out->data[1] = mm->end_data;
	out->brk[0] = mm->start_brk;
	out->brk[1] = mm->brk;
	out->stack = mm->start_stack;
	out->arg[0] = mm->arg_start;
	out->arg[1] = mm->arg_end;
	out->env[0] = mm->env_start;
	out->env[1] = mm->env_end;
	out->vdso = (u64)(uintptr_t)mm->context.vdso;
	out->auxv_len = AT_VECTOR_SIZE;
	memcpy(out->auxv, mm->saved_auxv, sizeof(mm->saved_auxv));
}

/**
 * ssi_mm_describe - the fixed numbers of an address space and the path of its executable
 * @task: whose it is; stands still
 * @mm: the address space
 * @out: filled; ->refusal says what cannot be saved, or NULL
 * @path: the path, NUL-terminated
 */
int ssi_mm_describe(struct task_struct *task, struct mm_struct *mm, struct ssi_mm_numbers *out,
		    char *path, u32 path_size)
{
	struct file *exe;
	int ret;

	memset(out, 0, sizeof(*out));
	out->refusal = mm_refusal(mm, task);
	out->personality = task->personality;
	mmap_read_lock(mm);
	describe_numbers(mm, out);
	describe_flags(mm, out);
	mmap_read_unlock(mm);
	exe = get_mm_exe_file(mm);
	if (!exe)
		return -ENOENT;
	ret = ssi_stamp_of(exe, &out->exe);
	out->exe_len = path_of(exe, path, path_size, &out->refusal);
	fput(exe);
	return ret;
}

static u32 vma_flags(const struct vm_area_struct *vma)
{
	static const struct { unsigned long vm; u32 ours; } table[] = {
		{ VM_GROWSDOWN, SSI_VMA_GROWS_DOWN }, { VM_NORESERVE, SSI_VMA_NO_RESERVE },
		{ VM_LOCKED, SSI_VMA_LOCKED },        { VM_LOCKONFAULT, SSI_VMA_LOCKED_ON_FAULT },
		{ VM_DONTCOPY, SSI_VMA_DONT_FORK },   { VM_WIPEONFORK, SSI_VMA_WIPE_ON_FORK },
		{ VM_DONTDUMP, SSI_VMA_DONT_DUMP },   { VM_HUGEPAGE, SSI_VMA_HUGE },
		{ VM_NOHUGEPAGE, SSI_VMA_NO_HUGE },   { VM_MERGEABLE, SSI_VMA_MERGEABLE },
		{ VM_SEQ_READ, SSI_VMA_SEQUENTIAL },  { VM_RAND_READ, SSI_VMA_RANDOM },
		{ VM_DROPPABLE, SSI_VMA_DROPPABLE },
	};
	u32 flags = 0;
	int i;

	for (i = 0; i < ARRAY_SIZE(table); i++)
		if (vma->vm_flags & table[i].vm)
			flags |= table[i].ours;
	if ((vma->vm_flags & VM_SHARED) && (vma->vm_flags & VM_MAYWRITE))
		flags |= SSI_VMA_MAY_WRITE;
	return flags;
}

static const char *file_refusal(struct vm_area_struct *vma, struct ssi_vma *out)
{
	struct file *file = vma->vm_file;
	const struct inode *inode = file_user_inode(file);
	bool shared = vma->vm_flags & VM_MAYSHARE;

	if (inode->i_sb->s_magic == SECRETMEM_MAGIC)
		return "secret memory (memfd_secret)";
	if (inode->i_sb->s_magic == AIO_RING_MAGIC)
		return "asynchronous I/O context";
	if (!S_ISREG(inode->i_mode))
		return "device mapping";
	if (shmem_mapping(file->f_mapping) && (file->f_path.mnt->mnt_flags & MNT_INTERNAL)) {
		if (strcmp(file->f_path.dentry->d_name.name, "dev/zero"))
			return "memfd or System V shared memory";
		out->kind = SSI_VMA_SHARED;
		out->shared_key = (u64)(uintptr_t)inode;
		return shared ? NULL : "private mapping of shared memory";
	}
	if (file->f_path.mnt->mnt_flags & MNT_INTERNAL)
		return "anonymous inode mapping";
	if (shared && shmem_mapping(file->f_mapping))
		return "shared mapping of a file in memory (tmpfs)";
	/* What it writes would go on after the cut, in the file that the image refers to. */
	if ((vma->vm_flags & (VM_SHARED | VM_WRITE)) == (VM_SHARED | VM_WRITE))
		return "shared writable mapping of a file";
	out->kind = shared ? SSI_VMA_FILE_SHARED : SSI_VMA_FILE_PRIVATE;
	return NULL;
}

static const char *special(struct vm_area_struct *vma, struct ssi_vma *out)
{
	const char *name = NULL;

	if (!vma->vm_file && vma->vm_ops && vma->vm_ops->name)
		name = vma->vm_ops->name(vma);
	if (!name)
		return "special mapping";
	if (!strcmp(name, "[vdso]"))
		out->kind = SSI_VMA_VDSO;
	else if (!strcmp(name, "[vvar]"))
		out->kind = SSI_VMA_VVAR;
	else
		return "special mapping";
	return NULL;
}

/* Sets the kind, or says why the mapping cannot be saved. */
static const char *classify(struct vm_area_struct *vma, struct ssi_vma *out)
{
	if (is_vm_hugetlb_page(vma))
		return "huge page mapping (hugetlbfs)";
	if (vma->vm_flags & __VM_UFFD_FLAGS)
		return "userfaultfd registration";
	if (vma->vm_flags & VM_SEALED)
		return "sealed mapping (mseal)";
	if (vma->vm_flags & VM_SHADOW_STACK)
		return "shadow stack";
	if (vma_pkey(vma))
		return "memory protection keys";
#ifdef CONFIG_NUMA
	if (vma_policy(vma))
		return "memory policy (mbind)";
#endif
	if (vma->vm_end > TASK_SIZE_MAX)
		return "address above 47 bits";
	if (!vma->vm_file && vma->vm_ops)
		return special(vma, out);
	if (vma->vm_flags & (VM_PFNMAP | VM_IO))
		return "device memory";
	if (vma_is_anonymous(vma)) {
		out->kind = SSI_VMA_ANONYMOUS;
		out->offset = 0;
		return NULL;
	}
	return file_refusal(vma, out);
}

static u8 vma_prot(const struct vm_area_struct *vma)
{
	return (vma->vm_flags & VM_READ ? 1 : 0) | (vma->vm_flags & VM_WRITE ? 2 : 0) |
	       (vma->vm_flags & VM_EXEC ? 4 : 0);
}

/**
 * ssi_vma_at - the first mapping that ends above @at
 *
 * Returns 1 and fills @out and @path, or 0 when there is none.
 */
int ssi_vma_at(struct mm_struct *mm, u64 at, struct ssi_vma *out, char *path, u32 path_size)
{
	struct vm_area_struct *vma;
	struct file *file = NULL;

	memset(out, 0, sizeof(*out));
	path[0] = '\0';
	mmap_read_lock(mm);
	vma = find_vma(mm, at);
	if (!vma) {
		mmap_read_unlock(mm);
		return 0;
	}
	out->start = vma->vm_start;
	out->end = vma->vm_end;
	out->offset = (u64)vma->vm_pgoff << PAGE_SHIFT;
	out->flags = vma_flags(vma);
	out->prot = vma_prot(vma);
	out->refusal = classify(vma, out);
	if (vma->vm_file && out->kind != SSI_VMA_ANONYMOUS && out->kind != SSI_VMA_SHARED)
		file = get_file(vma->vm_file);
	mmap_read_unlock(mm);
	if (file) {
		const char *refusal = NULL;

		out->path_len = path_of(file, path, path_size, &refusal);
		if (!out->refusal)
			out->refusal = refusal;
		if (!out->refusal && ssi_stamp_of(file, &out->stamp))
			out->refusal = "mapping of a file that is out of reach";
		fput(file);
	}
	return 1;
}
