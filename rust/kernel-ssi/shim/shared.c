// SPDX-License-Identifier: GPL-2.0
/* Memory that processes share by nature: copied while they stand still, made anew at restore. */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/shmem_fs.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/xarray.h>

#include "pages.h"

/* Copies of the pages that were touched, by index. */
struct ssi_shared {
	struct xarray copies;
	u64 size;
};

void ssi_shared_free(struct ssi_shared *shared)
{
	struct page *page;
	unsigned long index;

	xa_for_each(&shared->copies, index, page)
		put_page(page);
	xa_destroy(&shared->copies);
	kfree(shared);
}

static int copy_page_at(struct ssi_shared *shared, struct address_space *mapping, pgoff_t index)
{
	struct page *from = shmem_read_mapping_page(mapping, index);
	struct page *to;
	int ret;

	if (IS_ERR(from))
		return PTR_ERR(from);
	if (!memchr_inv(page_address(from), 0, PAGE_SIZE)) {
		put_page(from);
		return 0;
	}
	to = alloc_page(GFP_KERNEL_ACCOUNT);
	if (!to) {
		put_page(from);
		return -ENOMEM;
	}
	copy_highpage(to, from);
	put_page(from);
	ret = xa_err(xa_store(&shared->copies, index, to, GFP_KERNEL));
	if (ret)
		put_page(to);
	return ret;
}

static int copy_all(struct ssi_shared *shared, struct address_space *mapping)
{
	unsigned long last = (shared->size >> PAGE_SHIFT) - 1;
	unsigned long index = 0;
	int ret;

	/* Present entries are pages in memory or swapped out; holes have none. */
	while (xa_find(&mapping->i_pages, &index, last, XA_PRESENT)) {
		ret = copy_page_at(shared, mapping, index);
		if (ret)
			return ret;
		if (index == last)
			break;
		index++;
		cond_resched();
	}
	return 0;
}

static struct file *file_at(struct mm_struct *mm, u64 address, u64 key)
{
	struct vm_area_struct *vma;
	struct file *file = NULL;

	mmap_read_lock(mm);
	vma = vma_lookup(mm, address);
	if (vma && vma->vm_file && (u64)(uintptr_t)file_inode(vma->vm_file) == key &&
	    shmem_mapping(vma->vm_file->f_mapping))
		file = get_file(vma->vm_file);
	mmap_read_unlock(mm);
	return file;
}

/**
 * ssi_shared_copy - copy what is in a shared memory
 * @mm: an address space that maps it
 * @address: where
 * @key: its identity, as ssi_vma_at() gave it
 *
 * Everybody who could write to it stands still. Pages that hold only zeros are not kept.
 */
struct ssi_shared *ssi_shared_copy(struct mm_struct *mm, u64 address, u64 key)
{
	struct file *file = file_at(mm, address, key);
	struct ssi_shared *shared;
	int ret;

	if (!file)
		return ERR_PTR(-ESTALE);
	shared = kzalloc(sizeof(*shared), GFP_KERNEL);
	if (!shared) {
		fput(file);
		return ERR_PTR(-ENOMEM);
	}
	xa_init(&shared->copies);
	shared->size = PAGE_ALIGN(i_size_read(file_inode(file)));
	ret = shared->size ? copy_all(shared, file->f_mapping) : 0;
	fput(file);
	if (ret) {
		ssi_shared_free(shared);
		return ERR_PTR(ret);
	}
	return shared;
}

u64 ssi_shared_size(const struct ssi_shared *shared)
{
	return shared->size;
}

/**
 * ssi_batch_collect_shared - move copies from offset @at on into the batch
 *
 * Returns 0 when all are out, 1 when the batch is full, or an errno.
 */
int ssi_batch_collect_shared(struct ssi_batch *batch, struct ssi_shared *shared, u64 *at)
{
	unsigned long index = *at >> PAGE_SHIFT;
	struct page *page;

	while ((page = xa_find(&shared->copies, &index, ULONG_MAX, XA_PRESENT))) {
		*at = (u64)index << PAGE_SHIFT;
		if (ssi_batch_len(batch) == SSI_BATCH_PAGES)
			return 1;
		xa_erase(&shared->copies, index);
		if (ssi_batch_push(batch, *at, page, false)) {
			put_page(page);
			return -EINVAL;
		}
	}
	return 0;
}

/* ssi_shared_create - new shared memory of @size bytes */
struct file *ssi_shared_create(u64 size)
{
	return shmem_file_setup("dev/zero", size, VM_NORESERVE);
}

/* ssi_batch_take_file - add @count pages of shared memory at @offset, to be filled */
int ssi_batch_take_file(struct ssi_batch *batch, struct file *file, u64 offset, u32 count)
{
	struct page *page;
	u32 i;
	int ret;

	for (i = 0; i < count; i++, offset += PAGE_SIZE) {
		page = shmem_read_mapping_page(file->f_mapping, offset >> PAGE_SHIFT);
		if (IS_ERR(page))
			return PTR_ERR(page);
		ret = ssi_batch_push(batch, offset, page, true);
		if (ret) {
			put_page(page);
			return ret;
		}
	}
	return 0;
}
