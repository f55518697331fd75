// SPDX-License-Identifier: GPL-2.0
/* Batches of page references: out of an address space, into one, to and from files. */
#include <linux/blkdev.h>
#include <linux/bvec.h>
#include <linux/cred.h>
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/pagewalk.h>
#include <linux/slab.h>
#include <linux/uio.h>
#include <linux/vmalloc.h>
#include <linux/xxhash.h>

#include "pages.h"

/* How the pages are held, and so how they are let go. */
enum hold { HOLD_REFERENCE, HOLD_PIN, HOLD_DIRTY };

struct ssi_batch {
	u32 len;
	enum hold hold;
	u64 address[SSI_BATCH_PAGES];
	struct page *page[SSI_BATCH_PAGES];
	struct bio_vec bvec[SSI_BATCH_PAGES];
};

struct ssi_batch *ssi_batch_new(void)
{
	return kvzalloc(sizeof(struct ssi_batch), GFP_KERNEL);
}

void ssi_batch_clear(struct ssi_batch *batch)
{
	u32 i;

	if (batch->hold == HOLD_PIN)
		unpin_user_pages_dirty_lock(batch->page, batch->len, true);
	else
		for (i = 0; i < batch->len; i++) {
			if (batch->hold == HOLD_DIRTY)
				set_page_dirty(batch->page[i]);
			put_page(batch->page[i]);
		}
	batch->len = 0;
	batch->hold = HOLD_REFERENCE;
}

void ssi_batch_free(struct ssi_batch *batch)
{
	ssi_batch_clear(batch);
	kvfree(batch);
}

u32 ssi_batch_len(const struct ssi_batch *batch)
{
	return batch->len;
}

u64 ssi_batch_address(const struct ssi_batch *batch, u32 index)
{
	return index < batch->len ? batch->address[index] : 0;
}

u64 ssi_batch_digest(const struct ssi_batch *batch, u32 first, u32 count)
{
	struct xxh64_state state;
	u32 i;

	xxh64_reset(&state, 0);
	for (i = first; i < batch->len && i - first < count; i++)
		xxh64_update(&state, page_address(batch->page[i]), PAGE_SIZE);
	return xxh64_digest(&state);
}

static void add(struct ssi_batch *batch, u64 address, struct page *page)
{
	batch->address[batch->len] = address;
	batch->page[batch->len] = page;
	batch->len++;
}

/* Why a walk ended before its range did. */
enum stop { STOP_END, STOP_FULL, STOP_ABSENT };

struct collect {
	struct ssi_batch *batch;
	u64 next;
	enum stop stop;
};

/* A page that is the process's own: file pages and the zero page are not. */
static int take(struct collect *collect, u64 address, struct page *page)
{
	if (!PageAnon(page))
		return 0;
	if (collect->batch->len == SSI_BATCH_PAGES) {
		collect->next = address;
		collect->stop = STOP_FULL;
		return 1;
	}
	get_page(page);
	add(collect->batch, address, page);
	return 0;
}

static int absent(struct collect *collect, u64 address)
{
	collect->next = address;
	collect->stop = STOP_ABSENT;
	return 1;
}

static int collect_pmd(pmd_t *pmd, unsigned long addr, unsigned long end, struct mm_walk *walk)
{
	struct collect *collect = walk->private;
	spinlock_t *ptl = pmd_lock(walk->mm, pmd);
	struct page *page;
	int ret = 0;

	if (is_swap_pmd(*pmd)) {
		ret = absent(collect, addr);
	} else if (pmd_trans_huge(*pmd)) {
		page = pmd_page(*pmd) + ((addr & ~HPAGE_PMD_MASK) >> PAGE_SHIFT);
		for (; addr < end && !ret; addr += PAGE_SIZE, page++)
			ret = take(collect, addr, page);
		walk->action = ACTION_CONTINUE;
	}
	spin_unlock(ptl);
	return ret;
}

static int collect_pte(pte_t *pte, unsigned long addr, unsigned long next, struct mm_walk *walk)
{
	pte_t entry = ptep_get(pte);

	if (pte_none(entry))
		return 0;
	if (!pte_present(entry))
		return absent(walk->private, addr);
	if (pte_special(entry) || pte_devmap(entry))
		return 0;
	return take(walk->private, addr, pte_page(entry));
}

static const struct mm_walk_ops collect_ops = {
	.pmd_entry = collect_pmd,
	.pte_entry = collect_pte,
	.walk_lock = PGWALK_RDLOCK,
};

/* Brings a page that is swapped out or on the move into the address space. */
static int bring_in(struct mm_struct *mm, u64 address)
{
	int locked = 1;
	struct page *page;
	long got;

	got = get_user_pages_remote(mm, address, 1, FOLL_FORCE, &page, &locked);
	if (locked)
		mmap_read_unlock(mm);
	if (got < 0)
		return got;
	if (got == 0)
		return -EFAULT;
	put_page(page);
	return 0;
}

/**
 * ssi_batch_collect - add the private pages from @at up to @end
 * @batch: to add to
 * @mm: an address space that nobody runs in
 * @at: where to begin; where to go on afterwards
 * @end: end of the range, within one mapping
 *
 * Returns 0 when the range is done, 1 when the batch is full, or an errno.
 */
int ssi_batch_collect(struct ssi_batch *batch, struct mm_struct *mm, u64 *at, u64 end)
{
	struct collect collect;
	int ret;

	for (;;) {
		collect = (struct collect) { .batch = batch, .next = end };
		mmap_read_lock(mm);
		ret = walk_page_range(mm, *at, end, &collect_ops, &collect);
		if (ret >= 0)
			*at = collect.next;
		if (ret < 0 || collect.stop != STOP_ABSENT) {
			mmap_read_unlock(mm);
			return ret < 0 ? ret : collect.stop == STOP_FULL;
		}
		ret = bring_in(mm, *at);
		if (ret)
			return ret;
		cond_resched();
	}
}

/**
 * ssi_mm_zap - give up the pages of a clone that are written
 *
 * While the clone holds them every write of the application copies a page, and splits a huge one.
 */
void ssi_mm_zap(struct mm_struct *mm, u64 start, u64 end)
{
	struct vm_area_struct *vma;
	u64 to;

	mmap_read_lock(mm);
	while (start < end) {
		vma = find_vma(mm, start);
		if (!vma || vma->vm_start >= end)
			break;
		start = max_t(u64, start, vma->vm_start);
		to = min_t(u64, end, vma->vm_end);
		if (!(vma->vm_flags & (VM_PFNMAP | VM_IO | VM_HUGETLB)))
			zap_page_range_single(vma, start, to - start, NULL);
		start = to;
	}
	mmap_read_unlock(mm);
}

/**
 * ssi_batch_pin - pin pages of the current process so that they can be filled
 *
 * Makes the pages exist and private, whatever the protection of their mapping.
 */
int ssi_batch_pin(struct ssi_batch *batch, u64 address, u32 count)
{
	struct mm_struct *mm = current->mm;
	u32 done = 0;
	u32 i;
	long got;

	if (count > SSI_BATCH_PAGES - batch->len || (batch->len && batch->hold != HOLD_PIN))
		return -EINVAL;
	batch->hold = HOLD_PIN;
	while (done < count) {
		mmap_read_lock(mm);
		got = pin_user_pages_remote(mm, address + done * PAGE_SIZE, count - done,
					    FOLL_WRITE | FOLL_FORCE, batch->page + batch->len,
					    NULL);
		mmap_read_unlock(mm);
		if (got <= 0)
			return got ? got : -EFAULT;
		for (i = 0; i < got; i++)
			batch->address[batch->len + i] = address + (done + i) * PAGE_SIZE;
		batch->len += got;
		done += got;
	}
	return 0;
}

/*
 * A write or read that moved less than asked goes on where it stopped. Some file systems (netfs)
 * work on a copy of the iterator and leave this one where it was.
 */
static int move_iter(struct file *file, struct iov_iter *iter, loff_t pos, int direction)
{
	size_t before;
	ssize_t moved;

	while ((before = iov_iter_count(iter))) {
		if (direction == ITER_SOURCE)
			moved = vfs_iter_write(file, iter, &pos, 0);
		else
			moved = vfs_iter_read(file, iter, &pos, 0);
		if (moved < 0)
			return moved;
		if (moved == 0)
			return direction == ITER_SOURCE ? -ENOSPC : -ENODATA;
		if (moved > before)
			return -EIO;
		iov_iter_advance(iter, moved - (before - iov_iter_count(iter)));
	}
	return 0;
}

/* Physically contiguous pages become one segment. */
static u32 fill_bvec(struct ssi_batch *batch)
{
	struct bio_vec *last = NULL;
	u32 segments = 0;
	u32 i;

	for (i = 0; i < batch->len; i++) {
		if (last && page_to_pfn(batch->page[i]) ==
			    page_to_pfn(last->bv_page) + (last->bv_len >> PAGE_SHIFT)) {
			last->bv_len += PAGE_SIZE;
			continue;
		}
		last = &batch->bvec[segments++];
		bvec_set_page(last, batch->page[i], PAGE_SIZE, 0);
	}
	return segments;
}

/*
 * Block file systems take the pages themselves, past the page cache. Network file systems send one
 * request per segment, so they get one contiguous piece.
 */
static int move(struct ssi_batch *batch, struct file *file, loff_t pos, int direction)
{
	size_t len = (size_t)batch->len * PAGE_SIZE;
	struct iov_iter iter;
	struct kvec vec;
	int ret;

	if (!batch->len)
		return 0;
	if (file->f_flags & O_DIRECT) {
		iov_iter_bvec(&iter, direction, batch->bvec, fill_bvec(batch), len);
		return move_iter(file, &iter, pos, direction);
	}
	vec.iov_base = vmap(batch->page, batch->len, VM_MAP, PAGE_KERNEL);
	vec.iov_len = len;
	if (!vec.iov_base)
		return -ENOMEM;
	iov_iter_kvec(&iter, direction, &vec, 1, len);
	ret = move_iter(file, &iter, pos, direction);
	vunmap(vec.iov_base);
	return ret;
}

/* ssi_batch_write - write the whole batch at @pos; 0 or an errno */
int ssi_batch_write(struct ssi_batch *batch, struct file *file, u64 pos, const struct cred *cred)
{
	const struct cred *old = override_creds(cred);
	int ret = move(batch, file, pos, ITER_SOURCE);

	revert_creds(old);
	return ret;
}

/* ssi_batch_read - fill the whole batch from @pos; -ENODATA where the file ends before it */
int ssi_batch_read(struct ssi_batch *batch, struct file *file, u64 pos)
{
	return move(batch, file, pos, ITER_DEST);
}

/* Used by shared.c, which fills batches from and for shared memory. */
int ssi_batch_push(struct ssi_batch *batch, u64 address, struct page *page, bool dirty)
{
	enum hold hold = dirty ? HOLD_DIRTY : HOLD_REFERENCE;

	if (batch->len == SSI_BATCH_PAGES || (batch->len && batch->hold != hold))
		return -EINVAL;
	batch->hold = hold;
	add(batch, address, page);
	return 0;
}
