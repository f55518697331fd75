// SPDX-License-Identifier: GPL-2.0
//! Builds an address space for the current task, as a checked plan says.

use kernel::prelude::*;
use kernel::sync::{new_mutex, Arc, Mutex};
use ssi_core::image::memory::{MappingKind, PageRun, PAGE};
use ssi_core::image::part::ImageError;

use super::plan::{PagePlan, PlannedMapping, Plans, SpacePlan};
use super::{page_file_name, Watch};
use crate::failure::{Failure, FailureCode, Outcome};
use crate::media::{Folder, PageFile};
use crate::sys::fsio::File;
use crate::sys::mm::{self, Numbers};
use crate::sys::pages::{Batch, Shared, BATCH_PAGES};

/// Shared memories of a part that are made already; lives until all processes are.
#[pin_data]
pub struct RestoredShared {
    #[pin]
    made: Mutex<KVec<(u64, Arc<File>)>>,
}

impl RestoredShared {
    /// None yet.
    pub fn new() -> Outcome<Arc<RestoredShared>> {
        Ok(Arc::pin_init(
            pin_init!(RestoredShared {
                made <- new_mutex!(KVec::new(), "ssi_restored_shared"),
            }),
            GFP_KERNEL,
        )?)
    }

    /// The memory with this id; made and filled the first time.
    fn get(&self, source: &Source<'_>, id: u64) -> Outcome<Arc<File>> {
        let mut made = self.made.lock();
        if let Some((_, file)) = made.iter().find(|(known, _)| *known == id) {
            return Ok(file.clone());
        }
        let plan = source.plans.shared(id).ok_or(EINVAL)?;
        // LOCK: held while it is filled, so that nobody maps it before.
        let file = Arc::new(Shared::create(plan.memory.size)?, GFP_KERNEL)?;
        source.fill(id, &plan.pages, |batch, run| {
            batch.take_file(&file, run.address, run.pages)
        })?;
        made.push((id, file.clone()), GFP_KERNEL)?;
        Ok(file)
    }
}

/// Where an address space comes from.
#[derive(Clone, Copy)]
pub struct Source<'a> {
    /// The checked records of the part.
    pub plans: &'a Plans,
    /// The part's folder, with the page files.
    pub folder: &'a Folder,
    /// Shared memories of the part.
    pub shared: &'a RestoredShared,
    /// Hears of the bytes read.
    pub watch: Watch<'a>,
}

/// Replaces the address space of the current task by the one with this id.
///
/// The task was made for that, shares the address space of its helper until here, and has called
/// `exec_task_namespaces()`. After an error the task can only be ended.
///
/// # Errors
///
/// `Damaged`, `Incompatible`, `FileGone` with the path; `NoMemory`, `Media`.
pub fn restore_current(source: &Source<'_>, id: u64) -> Outcome {
    let plan = source.plans.space(id).ok_or_else(|| {
        Failure::new(FailureCode::Damaged).text(format_args!("no address space {id}"))
    })?;
    mm::begin()?;
    for mapping in &plan.mappings {
        map(source, mapping)?;
    }
    map_vdso(plan)?;
    source.fill(id, &plan.pages, |batch, run| {
        batch.pin(run.address, run.pages)
    })?;
    for mapping in &plan.mappings {
        finish_mapping(mapping)?;
    }
    let exe = path_of(&plan.exe)?;
    mm::finish(&numbers_of(plan), exe).map_err(|error| file_failure(error, &plan.exe))
}

fn map(source: &Source<'_>, mapping: &PlannedMapping) -> Outcome {
    let shared = match mapping.kind {
        MappingKind::Shared => Some(source.shared.get(source, mapping.shared)?),
        MappingKind::Anonymous | MappingKind::FilePrivate | MappingKind::FileShared => None,
        MappingKind::Vdso | MappingKind::Vvar => return Ok(()),
    };
    let path = path_of(&mapping.path)?;
    mm::map(&mapping.vma, path, shared.as_deref()).map_err(|error| match mapping.kind {
        MappingKind::FilePrivate | MappingKind::FileShared => file_failure(error, &mapping.path),
        MappingKind::Anonymous | MappingKind::Shared | MappingKind::Vdso | MappingKind::Vvar => {
            at_address(error, mapping)
        }
    })
}

/// Both or none: a process can have unmapped them.
fn map_vdso(plan: &SpacePlan) -> Outcome {
    let of_kind = |kind| plan.mappings.iter().find(|mapping| mapping.kind == kind);
    let pair = (of_kind(MappingKind::Vvar), of_kind(MappingKind::Vdso));
    let (vvar, vdso) = match pair {
        (Some(vvar), Some(vdso)) => (vvar, vdso),
        (None, None) => return Ok(()),
        (Some(_), None) | (None, Some(_)) => return Err(other_vdso()),
    };
    if plan.space.vdso_digest != mm::vdso_digest() {
        return Err(other_vdso());
    }
    mm::map_vdso(&vvar.vma, &vdso.vma).map_err(|error| {
        if error == ENOEXEC {
            other_vdso()
        } else {
            at_address(error, vdso)
        }
    })
}

fn other_vdso() -> Failure {
    Failure::new(FailureCode::Incompatible).text(format_args!("the vDSO of another kernel or CPU"))
}

fn finish_mapping(mapping: &PlannedMapping) -> Outcome {
    let result = match mapping.kind {
        MappingKind::Vdso | MappingKind::Vvar => Ok(()),
        MappingKind::Anonymous
        | MappingKind::FilePrivate
        | MappingKind::FileShared
        | MappingKind::Shared => mm::advise(&mapping.vma).and_then(|()| mm::lock(&mapping.vma)),
    };
    result.map_err(|error| at_address(error, mapping))
}

impl Source<'_> {
    /// Fills pages from the page file of `id`; `hold` adds those of a run to a batch.
    fn fill(
        &self,
        id: u64,
        pages: &PagePlan,
        hold: impl Fn(&mut Batch, &PageRun) -> Result,
    ) -> Outcome {
        let mut filler = Filler::open(self, id)?;
        if filler.file.file().size() != pages.order.bytes {
            return Err(filler.file.damaged(ImageError::Length));
        }
        let mut first = 0;
        for (at, run) in pages.runs.iter().enumerate() {
            if filler.batch.len() + run.pages > BATCH_PAGES {
                filler.flush(&pages.runs[first..at])?;
                first = at;
            }
            hold(&mut filler.batch, run)?;
        }
        filler.flush(&pages.runs[first..])
    }
}

/// A page file at work.
struct Filler<'a> {
    watch: Watch<'a>,
    file: PageFile,
    batch: Batch,
    pos: u64,
}

impl<'a> Filler<'a> {
    fn open(source: &Source<'a>, id: u64) -> Outcome<Filler<'a>> {
        Ok(Filler {
            watch: source.watch,
            file: source
                .folder
                .open_pages(format_args!("{}", page_file_name(id)))?,
            batch: Batch::new()?,
            pos: 0,
        })
    }

    /// Reads the pages of these runs, which are in the batch, and compares their digests.
    fn flush(&mut self, runs: &[PageRun]) -> Outcome {
        let read = self.batch.read(self.file.file(), self.pos);
        read.map_err(|error| self.file.failed(error))?;
        let mut first = 0;
        for run in runs {
            if self.batch.digest(first, run.pages) != run.digest {
                return Err(self.file.damaged(ImageError::Digest));
            }
            first += run.pages;
        }
        self.batch.clear();
        let bytes = u64::from(first) * PAGE;
        self.pos += bytes;
        (self.watch)(bytes)
    }
}

fn numbers_of(plan: &SpacePlan) -> Numbers {
    let space = &plan.space;
    Numbers {
        mmap_base: space.mmap_base,
        code: space.code,
        data: space.data,
        brk: space.brk,
        stack: space.stack,
        arg: space.arg,
        env: space.env,
        vdso: space.vdso,
        auxv: space.auxv,
        auxv_len: space.auxv_len,
        exe: space.exe,
        flags: space.flags,
        dump_filter: space.dump_filter,
        personality: space.personality,
    }
}

fn path_of(bytes: &[u8]) -> Outcome<&CStr> {
    Ok(CStr::from_bytes_with_nul(bytes).map_err(|_| EINVAL)?)
}

/// A file that is missing, changed or closed to the caller, by its path.
fn file_failure(error: Error, path: &[u8]) -> Failure {
    let code = if error == ENOMEM {
        FailureCode::NoMemory
    } else {
        FailureCode::FileGone
    };
    let path = path.strip_suffix(&[0]).unwrap_or(path);
    Failure::new(code).errno(error).bytes(path)
}

fn at_address(error: Error, mapping: &PlannedMapping) -> Failure {
    Failure::from(error).text(format_args!("mapping at {:#x}", mapping.vma.start))
}
