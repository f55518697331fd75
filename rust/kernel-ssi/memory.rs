// SPDX-License-Identifier: GPL-2.0
//! Address spaces: cloned copy-on-write in the pause, written behind it, built anew at restart.
//!
//! [`Memories`] holds what one node's share of a checkpoint clones; [`Plans`] holds what a part
//! says about address spaces, checked, until [`restore_current`] builds them.

use kernel::prelude::*;
use kernel::sync::{new_mutex, Arc, Mutex};
use ssi_core::image::frame::Kind;
use ssi_core::image::memory::SHARED_IDS;

use crate::failure::{Failure, FailureCode, Outcome};
use crate::media::Folder;
use crate::sys::mm::{Mm, TaskRef};
use crate::sys::pages::Shared;
use crate::sys::powercut::{self, Step};

mod plan;
mod restore;
mod save;
mod write;

pub use plan::{Plans, Taken};
pub use restore::{restore_current, RestoredShared, Source};
pub use save::MmClone;
pub use write::Written;

/// Takes records: kind, subject, payload.
pub type Sink<'a> = &'a mut dyn FnMut(Kind, u64, &[u8]) -> Outcome;

/// Hears how many bytes more were written or read; an error stops the work.
pub type Watch<'a> = &'a dyn Fn(u64) -> Outcome;

/// A shared memory and its id in the image.
struct SharedCopy {
    id: u64,
    key: u64,
    size: u64,
    copy: Option<Shared>,
}

#[derive(Default)]
struct Inner {
    spaces: KVec<Arc<MmClone>>,
    shared: KVec<SharedCopy>,
}

/// The address spaces and shared memories of one node's share of a checkpoint, each once.
#[pin_data]
pub struct Memories {
    #[pin]
    inner: Mutex<Inner>,
}

impl Memories {
    /// An empty set.
    pub fn new() -> Outcome<Arc<Memories>> {
        let inner = Inner {
            spaces: KVec::new(),
            shared: KVec::new(),
        };
        Ok(Arc::pin_init(
            pin_init!(Memories {
                inner <- new_mutex!(inner, "ssi_memories"),
            }),
            GFP_KERNEL,
        )?)
    }

    /// Clones the address space of a task that stands still, unless another task that shares it
    /// was here before; returns its id in the image.
    pub fn clone_of(&self, task: TaskRef) -> Outcome<u64> {
        let mm = Mm::of(task).ok_or_else(|| Failure::new(FailureCode::NoSuchProcess))?;
        let key = mm.key();
        if let Some(id) = self.known(key) {
            return Ok(id);
        }
        let clone = Arc::new(MmClone::take(task, &mm, self)?, GFP_KERNEL)?;
        let mut inner = self.inner.lock();
        if let Some(at) = inner.spaces.iter().position(|space| space.key() == key) {
            return Ok(at as u64 + 1);
        }
        inner.spaces.push(clone, GFP_KERNEL)?;
        Ok(inner.spaces.len() as u64)
    }

    /// Hands out the records of everything but the pages.
    pub fn emit(&self, sink: Sink<'_>) -> Outcome {
        let inner = self.inner.lock();
        for shared in &inner.shared {
            sink(Kind::SharedMemory, shared.id, &shared.size.to_le_bytes())?;
        }
        for (at, space) in inner.spaces.iter().enumerate() {
            space.emit(at as u64 + 1, sink)?;
        }
        Ok(())
    }

    /// Writes all pages to page files in `folder`, hands out the records that say where they are,
    /// and returns the bytes of the page files, and those files that are still to be synced.
    ///
    /// Gives up each clone as it is written: it is no use a second time.
    pub fn write(
        &self,
        folder: &Folder,
        watch: Watch<'_>,
        sink: Sink<'_>,
    ) -> Outcome<(u64, Written)> {
        let mut writer = write::PageWriter::new(watch, sink)?;
        let mut bytes = 0;
        while let Some((id, copy)) = self.next_shared() {
            bytes += writer.shared(folder, id, copy)?;
        }
        let mut at = 0;
        while let Some(space) = self.space(at) {
            at += 1;
            bytes += writer.space(folder, at as u64, &space)?;
        }
        powercut::at(Step::PagesWritten);
        Ok((bytes, writer.written()))
    }

    fn known(&self, key: u64) -> Option<u64> {
        let inner = self.inner.lock();
        let at = inner.spaces.iter().position(|space| space.key() == key)?;
        Some(at as u64 + 1)
    }

    fn space(&self, at: usize) -> Option<Arc<MmClone>> {
        self.inner.lock().spaces.get(at).cloned()
    }

    fn next_shared(&self) -> Option<(u64, Shared)> {
        let mut inner = self.inner.lock();
        let take = |shared: &mut SharedCopy| Some((shared.id, shared.copy.take()?));
        inner.shared.iter_mut().find_map(take)
    }

    /// The id of the shared memory that `mm` maps at `address`; copies it the first time.
    fn share(&self, mm: &Mm, address: u64, key: u64) -> Outcome<u64> {
        let mut inner = self.inner.lock();
        if let Some(shared) = inner.shared.iter().find(|shared| shared.key == key) {
            return Ok(shared.id);
        }
        // LOCK: held while the memory is copied, so that it is copied once.
        let copy = Shared::copy(mm, address, key)?;
        let id = SHARED_IDS + inner.shared.len() as u64 + 1;
        let shared = SharedCopy {
            id,
            key,
            size: copy.size(),
            copy: Some(copy),
        };
        inner.shared.push(shared, GFP_KERNEL)?;
        Ok(id)
    }
}

/// The page file of an address space or shared memory.
fn page_file_name(id: u64) -> PageFileName {
    match id.checked_sub(SHARED_IDS) {
        Some(number) => PageFileName("shm", number),
        None => PageFileName("mm", id),
    }
}

struct PageFileName(&'static str, u64);

impl core::fmt::Display for PageFileName {
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(out, "{}-{}", self.0, self.1)
    }
}
