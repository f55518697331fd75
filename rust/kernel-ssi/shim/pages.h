/* SPDX-License-Identifier: GPL-2.0 */
/* Batches of page references: out of an address space, into one, to and from files. */
#ifndef SSI_SHIM_PAGES_H
#define SSI_SHIM_PAGES_H

#include <linux/types.h>

/* As RUN_PAGES_MAX of the image format: 4 MiB move at a time. */
#define SSI_BATCH_PAGES 1024

struct cred;
struct file;
struct mm_struct;
struct page;
struct ssi_batch;
struct ssi_shared;

struct ssi_batch *ssi_batch_new(void);
void ssi_batch_free(struct ssi_batch *batch);
void ssi_batch_clear(struct ssi_batch *batch);
u32 ssi_batch_len(const struct ssi_batch *batch);
u64 ssi_batch_address(const struct ssi_batch *batch, u32 index);
u64 ssi_batch_digest(const struct ssi_batch *batch, u32 first, u32 count);
int ssi_batch_collect(struct ssi_batch *batch, struct mm_struct *mm, u64 *at, u64 end);
int ssi_batch_collect_shared(struct ssi_batch *batch, struct ssi_shared *shared, u64 *at);
int ssi_batch_pin(struct ssi_batch *batch, u64 address, u32 count);
int ssi_batch_take_file(struct ssi_batch *batch, struct file *file, u64 offset, u32 count);
int ssi_batch_write(struct ssi_batch *batch, struct file *file, u64 pos, const struct cred *cred);
int ssi_batch_read(struct ssi_batch *batch, struct file *file, u64 pos);
void ssi_mm_zap(struct mm_struct *mm, u64 start, u64 end);

int ssi_batch_push(struct ssi_batch *batch, u64 address, struct page *page, bool dirty);

struct ssi_shared *ssi_shared_copy(struct mm_struct *mm, u64 address, u64 key);
u64 ssi_shared_size(const struct ssi_shared *shared);
void ssi_shared_free(struct ssi_shared *shared);
struct file *ssi_shared_create(u64 size);

#endif
