/* SPDX-License-Identifier: GPL-2.0 */
/* Address spaces: what they are made of, their clones, and how a new one is built. */
#ifndef SSI_SHIM_MM_H
#define SSI_SHIM_MM_H

#include <linux/types.h>

#define SSI_AUXV_WORDS 64

struct file;
struct mm_struct;
struct task_struct;

/* As MappingKind of the image format. */
enum ssi_vma_kind {
	SSI_VMA_ANONYMOUS = 1,
	SSI_VMA_FILE_PRIVATE = 2,
	SSI_VMA_FILE_SHARED = 3,
	SSI_VMA_SHARED = 4,
	SSI_VMA_VDSO = 5,
	SSI_VMA_VVAR = 6,
};

/* As mapping_flag of the image format. */
enum ssi_vma_flag {
	SSI_VMA_GROWS_DOWN = 1,
	SSI_VMA_NO_RESERVE = 2,
	SSI_VMA_LOCKED = 4,
	SSI_VMA_LOCKED_ON_FAULT = 8,
	SSI_VMA_DONT_FORK = 16,
	SSI_VMA_WIPE_ON_FORK = 32,
	SSI_VMA_DONT_DUMP = 64,
	SSI_VMA_HUGE = 128,
	SSI_VMA_NO_HUGE = 256,
	SSI_VMA_MERGEABLE = 512,
	SSI_VMA_SEQUENTIAL = 1024,
	SSI_VMA_RANDOM = 2048,
	SSI_VMA_MAY_WRITE = 4096,
	SSI_VMA_DROPPABLE = 8192,
};

/* As space_flag of the image format. */
enum ssi_mm_flag {
	SSI_MM_TOPDOWN = 1,
	SSI_MM_NO_HUGE_PAGES = 2,
	SSI_MM_MDWE = 4,
	SSI_MM_MDWE_NO_INHERIT = 8,
	SSI_MM_LOCK_FUTURE = 16,
	SSI_MM_LOCK_ON_FAULT = 32,
	SSI_MM_DUMPABLE = 64,
	SSI_MM_BARRIER_GLOBAL = 128,
	SSI_MM_BARRIER_PRIVATE = 256,
	SSI_MM_BARRIER_CORE = 512,
	SSI_MM_BARRIER_RSEQ = 1024,
};

struct ssi_stamp {
	u64 size;
	s64 modified;
};

struct ssi_vma {
	u64 start;
	u64 end;
	u64 offset;
	u64 shared_key;
	struct ssi_stamp stamp;
	u32 flags;
	u16 path_len;
	u8 kind;
	u8 prot;
	const char *refusal;
};

struct ssi_mm_numbers {
	u64 mmap_base;
	u64 code[2];
	u64 data[2];
	u64 brk[2];
	u64 stack;
	u64 arg[2];
	u64 env[2];
	u64 vdso;
	u64 auxv[SSI_AUXV_WORDS];
	struct ssi_stamp exe;
	u32 auxv_len;
	u32 exe_len;
	u32 flags;
	u32 dump_filter;
	u32 personality;
	u32 reserved;
	const char *refusal;
};

struct mm_struct *ssi_mm_of(struct task_struct *task);
struct mm_struct *ssi_mm_clone(struct mm_struct *mm);
void ssi_mm_put(struct mm_struct *mm);
u64 ssi_mm_key(const struct mm_struct *mm);
int ssi_mm_describe(struct task_struct *task, struct mm_struct *mm, struct ssi_mm_numbers *out,
		    char *path, u32 path_size);
int ssi_vma_at(struct mm_struct *mm, u64 at, struct ssi_vma *out, char *path, u32 path_size);
int ssi_stamp_of(const struct file *file, struct ssi_stamp *out);
u64 ssi_vdso_digest(void);

int ssi_mm_begin(void);
int ssi_mm_map(const struct ssi_vma *vma, const char *path, struct file *shared);
int ssi_mm_map_vdso(const struct ssi_vma *vvar, const struct ssi_vma *vdso);
int ssi_mm_advise(const struct ssi_vma *vma);
int ssi_mm_lock(const struct ssi_vma *vma);
int ssi_mm_finish(const struct ssi_mm_numbers *numbers, const char *exe);

#endif
