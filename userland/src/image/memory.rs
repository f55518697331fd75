// SPDX-License-Identifier: GPL-2.0
//! What a part says about memory: which pages must be where, before any page is read.
use super::Name;
use ssi_core::image::frame::Kind;
use ssi_core::image::memory::{
    AddressSpace, Mapping, MappingKind, MappingOrder, PageRun, RunOrder, Runs, SharedMemory,
    SHARED_IDS,
};
use ssi_core::image::part::ImageError;
use ssi_core::node::NodeId;

/// The address spaces and shared memories of a part, by id.
#[derive(Default)]
pub(super) struct Memory {
    spaces: Vec<Space>,
    shared: Vec<Shared>,
}

struct Space {
    space: AddressSpace,
    order: MappingOrder,
    /// Start, end, and whether pages of its own can be there.
    mappings: Vec<(u64, u64, bool)>,
    pages: Pages,
}

struct Shared {
    size: u64,
    pages: Pages,
}

/// The pages of one page file.
#[derive(Default)]
pub(super) struct Pages {
    pub(super) runs: Vec<PageRun>,
    order: RunOrder,
}

impl Memory {
    /// Takes note of a record, if it is about memory.
    pub(super) fn add(&mut self, kind: Kind, id: u64, payload: &[u8]) -> Result<(), ImageError> {
        match kind {
            Kind::AddressSpace => self.add_space(id, payload),
            Kind::Mapping => self.add_mapping(id, payload),
            Kind::SharedMemory => self.add_shared(id, payload),
            Kind::PageRuns => self.add_runs(id, payload),
            _ => Ok(()),
        }
    }

    /// An error unless all mappings came that were announced.
    pub(super) fn done(&self) -> Result<(), ImageError> {
        let mut spaces = self.spaces.iter();
        spaces.try_for_each(|space| space.order.done(&space.space))
    }

    /// The page files that must stand beside the part of `node`.
    pub(super) fn files(&self, node: NodeId) -> Vec<Name> {
        let space = (1..).zip(&self.spaces).map(|(id, _)| Name::Space(node, id));
        let shared = (1..)
            .zip(&self.shared)
            .map(|(id, _)| Name::Shared(node, id));
        space.chain(shared).collect()
    }

    /// The pages that the file of this name must hold.
    pub(super) fn pages(&self, name: &Name) -> Option<&Pages> {
        match name {
            Name::Space(_, id) => Some(&self.spaces.get(place(*id, 0)?)?.pages),
            Name::Shared(_, id) => Some(&self.shared.get(place(*id, 0)?)?.pages),
            Name::Commit | Name::Part(_) => None,
        }
    }

    /// Bytes of all page files.
    pub(super) fn bytes(&self) -> u64 {
        let spaces = self.spaces.iter().map(|space| space.pages.order.bytes);
        let shared = self.shared.iter().map(|shared| shared.pages.order.bytes);
        spaces.chain(shared).fold(0, u64::saturating_add)
    }

    fn add_space(&mut self, id: u64, payload: &[u8]) -> Result<(), ImageError> {
        next(id, 0, self.spaces.len())?;
        let (space, _) = AddressSpace::parse(payload)?;
        self.spaces.push(Space {
            space,
            order: MappingOrder::default(),
            mappings: Vec::new(),
            pages: Pages::default(),
        });
        Ok(())
    }

    fn add_mapping(&mut self, id: u64, payload: &[u8]) -> Result<(), ImageError> {
        let (mapping, kind, _) = Mapping::parse(payload)?;
        if kind == MappingKind::Shared {
            let at = place(mapping.shared, SHARED_IDS);
            at.and_then(|at| self.shared.get(at))
                .ok_or(ImageError::Order)?;
        }
        let at = place(id, 0);
        let space = at.and_then(|at| self.spaces.get_mut(at));
        let space = space.ok_or(ImageError::Order)?;
        space.order.next(&mapping)?;
        let place = (mapping.start, mapping.end, kind.has_pages(mapping.flags));
        space.mappings.push(place);
        Ok(())
    }

    fn add_shared(&mut self, id: u64, payload: &[u8]) -> Result<(), ImageError> {
        next(id, SHARED_IDS, self.shared.len())?;
        let memory = SharedMemory::parse(payload)?;
        self.shared.push(Shared {
            size: memory.size,
            pages: Pages::default(),
        });
        Ok(())
    }

    fn add_runs(&mut self, id: u64, payload: &[u8]) -> Result<(), ImageError> {
        let shared = place(id, SHARED_IDS).and_then(|at| self.shared.get_mut(at));
        if let Some(Shared { size, pages }) = shared {
            let size = *size;
            return pages.add(payload, |address| (address < size).then_some(size));
        }
        let space = place(id, 0).and_then(|at| self.spaces.get_mut(at));
        let space = space.ok_or(ImageError::Order)?;
        let mappings = &space.mappings;
        space.pages.add(payload, |address| {
            let at = mappings.partition_point(|(_, end, _)| *end <= address);
            let (start, end, pages) = mappings.get(at)?;
            (*start <= address && *pages).then_some(*end)
        })
    }
}

impl Pages {
    fn add(&mut self, payload: &[u8], room: impl Fn(u64) -> Option<u64>) -> Result<(), ImageError> {
        for run in Runs::parse(payload)? {
            let run = run?;
            self.order.next(&run, room(run.address))?;
            self.runs.push(run);
        }
        Ok(())
    }
}

/// Ids count from one above `base`, so that they are places in a list.
fn place(id: u64, base: u64) -> Option<usize> {
    usize::try_from(id.checked_sub(base)?.checked_sub(1)?).ok()
}

fn next(id: u64, base: u64, len: usize) -> Result<(), ImageError> {
    match place(id, base) == Some(len) {
        true => Ok(()),
        false => Err(ImageError::Order),
    }
}
