// SPDX-License-Identifier: GPL-2.0
/* Copy-on-write clones of address spaces that stand still. */
#include <linux/mm.h>
#include <linux/sched/coredump.h>
#include <linux/sched/mm.h>
#include <linux/ssi.h>
#include <linux/xarray.h>

#include "mm.h"

/* What makes fork() leave a mapping out, or empty it. */
#define UNCOPIED (VM_DONTCOPY | VM_WIPEONFORK)

static bool hidden_from_fork(const struct vm_area_struct *vma)
{
	return (vma->vm_flags & UNCOPIED) && !(vma->vm_flags & (VM_PFNMAP | VM_IO));
}

static void show_again(struct mm_struct *mm, struct xarray *hidden)
{
	struct vm_area_struct *vma;
	unsigned long index;
	void *flags;

	mmap_write_lock(mm);
	xa_for_each(hidden, index, flags) {
		vma = vma_lookup(mm, index << PAGE_SHIFT);
		if (!WARN_ON_ONCE(!vma))
			vm_flags_set(vma, xa_to_value(flags));
	}
	mmap_write_unlock(mm);
	xa_destroy(hidden);
}

/* Notes the flags by address before it clears them, so that putting them back cannot fail. */
static int show_to_fork(struct mm_struct *mm, struct xarray *hidden)
{
	struct vm_area_struct *vma;
	VMA_ITERATOR(vmi, mm, 0);
	int ret = 0;

	if (mmap_write_lock_killable(mm))
		return -EINTR;
	for_each_vma(vmi, vma) {
		if (!hidden_from_fork(vma))
			continue;
		ret = xa_err(xa_store(hidden, vma->vm_start >> PAGE_SHIFT,
				      xa_mk_value(vma->vm_flags & UNCOPIED), GFP_KERNEL));
		if (ret)
			break;
		vm_flags_clear(vma, UNCOPIED);
	}
	mmap_write_unlock(mm);
	if (ret)
		show_again(mm, hidden);
	return ret;
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
	struct xarray hidden;
	struct mm_struct *clone;
	int ret;

	xa_init(&hidden);
	ret = show_to_fork(mm, &hidden);
	if (ret)
		return ERR_PTR(ret);
	clone = dup_mm(current, mm);
	if (!xa_empty(&hidden))
		show_again(mm, &hidden);
	if (!clone)
		return ERR_PTR(fatal_signal_pending(current) ? -EINTR : -ENOMEM);
#ifdef CONFIG_MEMCG
	/* The owner would not be replaced when it exits: no task uses the clone. */
	WRITE_ONCE(clone->owner, NULL);
#endif
	return clone;
}
