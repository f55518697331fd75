// SPDX-License-Identifier: GPL-2.0
//! What a part says about address spaces, gathered and checked before anything is built.

use kernel::prelude::*;
use ssi_core::image::frame::Kind;
use ssi_core::image::memory::{
    AddressSpace, Mapping, MappingKind, MappingOrder, PageRun, RunOrder, Runs, SharedMemory,
};
use ssi_core::image::part::ImageError;

use super::SHARED_IDS;
use crate::failure::{Failure, FailureCode, Outcome};
use crate::sys::mm::Vma;

/// Most address spaces, and most shared memories, of one part.
const PLANS_MAX: usize = 1 << 16;

/// Whether a record was about memory.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It was, and is noted.
    Yes,
    /// It is for somebody else.
    No,
}

/// A mapping to be made.
pub(super) struct PlannedMapping {
    pub(super) vma: Vma,
    pub(super) kind: MappingKind,
    pub(super) shared: u64,
    /// Path, NUL-terminated; empty but for the NUL without one.
    pub(super) path: KVec<u8>,
}

/// An address space to be built.
pub(super) struct SpacePlan {
    pub(super) space: AddressSpace,
    pub(super) exe: KVec<u8>,
    pub(super) mappings: KVVec<PlannedMapping>,
    pub(super) pages: PagePlan,
    order: MappingOrder,
}

/// A shared memory to be made.
pub(super) struct SharedPlan {
    pub(super) memory: SharedMemory,
    pub(super) pages: PagePlan,
}

/// What is in a page file.
pub(super) struct PagePlan {
    pub(super) runs: KVVec<PageRun>,
    pub(super) order: RunOrder,
}

/// All address spaces and shared memories of a part.
pub struct Plans {
    spaces: KVVec<SpacePlan>,
    shared: KVVec<SharedPlan>,
}

impl Plans {
    /// Nothing yet.
    pub fn new() -> Plans {
        Plans {
            spaces: KVVec::new(),
            shared: KVVec::new(),
        }
    }

    /// Takes note of a record, if it is one about memory.
    ///
    /// # Errors
    ///
    /// `Damaged`, where it cannot be true; `NoMemory`.
    pub fn add(&mut self, kind: Kind, subject: u64, payload: &[u8]) -> Outcome<Taken> {
        let added = match kind {
            Kind::AddressSpace => self.add_space(subject, payload),
            Kind::Mapping => self.add_mapping(subject, payload),
            Kind::SharedMemory => self.add_shared(subject, payload),
            Kind::PageRuns => self.add_runs(subject, payload),
            _ => return Ok(Taken::No),
        };
        match added {
            Ok(()) => Ok(Taken::Yes),
            Err(Wrong::NoMemory) => Err(ENOMEM.into()),
            Err(Wrong::Image(what)) => Err(Failure::new(FailureCode::Damaged).text(format_args!(
                "{} of memory {subject}: {what:?}",
                kind.name()
            ))),
        }
    }

    /// An error unless everything that was announced came. Call it after the last record.
    pub fn check(&self) -> Outcome {
        for plan in &self.spaces {
            plan.order.done(&plan.space).map_err(|_| {
                Failure::new(FailureCode::Damaged).text(format_args!("a mapping is missing"))
            })?;
        }
        Ok(())
    }

    /// Bytes of all page files.
    pub fn page_bytes(&self) -> u64 {
        let spaces = self.spaces.iter().map(|plan| plan.pages.order.bytes);
        let shared = self.shared.iter().map(|plan| plan.pages.order.bytes);
        Iterator::chain(spaces, shared).fold(0, u64::saturating_add)
    }

    pub(super) fn space(&self, id: u64) -> Option<&SpacePlan> {
        self.spaces.get(index(id, 0)?)
    }

    pub(super) fn shared(&self, id: u64) -> Option<&SharedPlan> {
        self.shared.get(index(id, SHARED_IDS)?)
    }

    fn add_space(&mut self, id: u64, payload: &[u8]) -> Result<(), Wrong> {
        next_id(id, 0, self.spaces.len())?;
        let (space, exe) = AddressSpace::parse(payload)?;
        let plan = SpacePlan {
            space,
            exe: terminated(exe)?,
            mappings: KVVec::new(),
            pages: PagePlan::new(),
            order: MappingOrder::default(),
        };
        Ok(self.spaces.push(plan, GFP_KERNEL_ACCOUNT)?)
    }

    fn add_mapping(&mut self, id: u64, payload: &[u8]) -> Result<(), Wrong> {
        let (mapping, kind, text) = Mapping::parse(payload)?;
        if kind == MappingKind::Shared {
            let memory = self.shared(mapping.shared).ok_or(ImageError::Order)?.memory;
            let end = mapping.offset.saturating_add(mapping.len());
            // Mapped past its end it raises SIGBUS there, as it did.
            if mapping.offset >= memory.size && end > memory.size.saturating_add(mapping.len()) {
                return Err(ImageError::Value.into());
            }
        }
        let plan = index(id, 0).and_then(|at| self.spaces.get_mut(at));
        let plan = plan.ok_or(ImageError::Order)?;
        plan.order.next(&mapping)?;
        let planned = PlannedMapping {
            vma: vma_of(&mapping),
            kind,
            shared: mapping.shared,
            path: terminated(text)?,
        };
        Ok(plan.mappings.push(planned, GFP_KERNEL_ACCOUNT)?)
    }

    fn add_shared(&mut self, id: u64, payload: &[u8]) -> Result<(), Wrong> {
        next_id(id, SHARED_IDS, self.shared.len())?;
        let plan = SharedPlan {
            memory: SharedMemory::parse(payload)?,
            pages: PagePlan::new(),
        };
        Ok(self.shared.push(plan, GFP_KERNEL_ACCOUNT)?)
    }

    fn add_runs(&mut self, id: u64, payload: &[u8]) -> Result<(), Wrong> {
        if let Some(plan) = index(id, SHARED_IDS).and_then(|at| self.shared.get_mut(at)) {
            let size = plan.memory.size;
            return plan
                .pages
                .add(payload, |address| (address < size).then_some(size));
        }
        let plan = index(id, 0).and_then(|at| self.spaces.get_mut(at));
        let plan = plan.ok_or(ImageError::Order)?;
        let mappings = &plan.mappings;
        plan.pages.add(payload, |address| {
            let at = mappings.partition_point(|mapping| mapping.vma.end <= address);
            let mapping = mappings.get(at)?;
            let has_pages = mapping.kind.has_pages(mapping.vma.flags);
            (mapping.vma.start <= address && has_pages).then_some(mapping.vma.end)
        })
    }
}

impl PagePlan {
    fn new() -> PagePlan {
        PagePlan {
            runs: KVVec::new(),
            order: RunOrder::default(),
        }
    }

    fn add(&mut self, payload: &[u8], room: impl Fn(u64) -> Option<u64>) -> Result<(), Wrong> {
        for run in Runs::parse(payload)? {
            let run = run?;
            self.order.next(&run, room(run.address))?;
            self.runs.push(run, GFP_KERNEL_ACCOUNT)?;
        }
        Ok(())
    }
}

/// Why a record was not taken.
enum Wrong {
    Image(ImageError),
    NoMemory,
}

type Result<T, E> = core::result::Result<T, E>;

impl From<ImageError> for Wrong {
    fn from(what: ImageError) -> Self {
        Wrong::Image(what)
    }
}

impl From<kernel::alloc::AllocError> for Wrong {
    fn from(_: kernel::alloc::AllocError) -> Self {
        Wrong::NoMemory
    }
}

/// Ids count from one, so that they are places in a list.
fn index(id: u64, base: u64) -> Option<usize> {
    usize::try_from(id.checked_sub(base)?.checked_sub(1)?).ok()
}

fn next_id(id: u64, base: u64, len: usize) -> Result<(), Wrong> {
    if index(id, base) == Some(len) && len < PLANS_MAX {
        Ok(())
    } else {
        Err(ImageError::Order.into())
    }
}

fn terminated(text: &[u8]) -> Result<KVec<u8>, Wrong> {
    let mut bytes = KVec::with_capacity(text.len() + 1, GFP_KERNEL_ACCOUNT)?;
    bytes.extend_from_slice(text, GFP_KERNEL_ACCOUNT)?;
    bytes.push(0, GFP_KERNEL_ACCOUNT)?;
    Ok(bytes)
}

fn vma_of(mapping: &Mapping) -> Vma {
    Vma {
        start: mapping.start,
        end: mapping.end,
        offset: mapping.offset,
        shared_key: 0,
        file: mapping.file,
        flags: mapping.flags,
        kind: mapping.kind,
        prot: mapping.prot,
    }
}
