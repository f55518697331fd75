// SPDX-License-Identifier: GPL-2.0
//! One address space as it is in the pause: its numbers, its mappings, and a clone of its pages.

use kernel::prelude::*;
use ssi_core::codec::Field;
use ssi_core::image::frame::Kind;
use ssi_core::image::memory::{AddressSpace, Mapping, MappingKind, MAPPINGS_MAX, PATH_MAX};

use super::{Memories, Sink};
use crate::failure::{Failure, FailureCode, Outcome};
use crate::sys::mm::{self, Mm, Numbers, TaskRef, Vma};

/// Bytes of the largest payload of a mapping.
const PAYLOAD_MAX: usize = Mapping::SIZE + PATH_MAX;

/// A copy-on-write clone of an address space, with what a clone does not keep.
pub struct MmClone {
    key: u64,
    clone: Mm,
    space: KVec<u8>,
    /// Payloads of the mappings, one after the other.
    mappings: KVVec<u8>,
    /// Where each payload ends.
    ends: KVVec<u32>,
    /// Where pages of its own can be: start and end of each such mapping.
    ranges: KVVec<(u64, u64)>,
}

impl MmClone {
    /// Describes and clones `mm`, the address space of `task`, which stands still.
    pub(super) fn take(task: TaskRef, mm: &Mm, memories: &Memories) -> Outcome<MmClone> {
        let mut survey = Survey::new()?;
        survey.mappings(mm, memories)?;
        let space = survey.space(task, mm)?;
        Ok(MmClone {
            key: mm.key(),
            clone: mm.clone_all()?,
            space,
            mappings: survey.mappings,
            ends: survey.ends,
            ranges: survey.ranges,
        })
    }

    pub(super) fn key(&self) -> u64 {
        self.key
    }

    pub(super) fn mm(&self) -> &Mm {
        &self.clone
    }

    pub(super) fn ranges(&self) -> &[(u64, u64)] {
        &self.ranges
    }

    pub(super) fn emit(&self, id: u64, sink: Sink<'_>) -> Outcome {
        sink(Kind::AddressSpace, id, &self.space)?;
        let mut start = 0;
        for end in &self.ends {
            let end = *end as usize;
            sink(Kind::Mapping, id, &self.mappings[start..end])?;
            start = end;
        }
        Ok(())
    }
}

/// Gathers what stands in the records.
struct Survey {
    path: KVec<u8>,
    payload: KVec<u8>,
    mappings: KVVec<u8>,
    ends: KVVec<u32>,
    ranges: KVVec<(u64, u64)>,
}

impl Survey {
    fn new() -> Outcome<Survey> {
        Ok(Survey {
            path: KVec::from_elem(0, PATH_MAX + 1, GFP_KERNEL)?,
            payload: KVec::from_elem(0, PAYLOAD_MAX, GFP_KERNEL)?,
            mappings: KVVec::new(),
            ends: KVVec::new(),
            ranges: KVVec::new(),
        })
    }

    fn mappings(&mut self, mm: &Mm, memories: &Memories) -> Outcome {
        let mut at = 0;
        while let Some((vma, len, refusal)) = mm.vma_at(at, &mut self.path)? {
            if let Some(what) = refusal {
                return Err(refused(what, &self.path[..len], vma.start));
            }
            let kind = MappingKind::new(vma.kind).ok_or(EINVAL)?;
            let shared = match kind {
                MappingKind::Shared => memories.share(mm, vma.start, vma.shared_key)?,
                MappingKind::Anonymous
                | MappingKind::FilePrivate
                | MappingKind::FileShared
                | MappingKind::Vdso
                | MappingKind::Vvar => 0,
            };
            self.mapping(&vma, shared, len)?;
            if kind.has_pages(vma.flags) {
                self.ranges.push((vma.start, vma.end), GFP_KERNEL)?;
            }
            at = vma.end;
        }
        Ok(())
    }

    fn mapping(&mut self, vma: &Vma, shared: u64, text_len: usize) -> Outcome {
        if self.ends.len() >= MAPPINGS_MAX as usize {
            return Err(
                Failure::new(FailureCode::Limit).text(format_args!("{MAPPINGS_MAX} mappings"))
            );
        }
        let special = vma.kind == MappingKind::Vdso as u8 || vma.kind == MappingKind::Vvar as u8;
        let mapping = Mapping {
            start: vma.start,
            end: vma.end,
            offset: if special { 0 } else { vma.offset },
            shared,
            file: vma.file,
            kind: vma.kind,
            prot: vma.prot,
            text_len: text_len as u16,
            flags: vma.flags,
        };
        let (fixed, text) = self.payload.split_at_mut(Mapping::SIZE);
        mapping.put(fixed).map_err(|_| EINVAL)?;
        text[..text_len].copy_from_slice(&self.path[..text_len]);
        let payload = &self.payload[..Mapping::SIZE + text_len];
        // What a reader would refuse is not written.
        Mapping::parse(payload).map_err(|what| unsavable(vma.start, what))?;
        self.mappings.extend_from_slice(payload, GFP_KERNEL)?;
        let end = u32::try_from(self.mappings.len()).map_err(|_| ENOMEM)?;
        self.ends.push(end, GFP_KERNEL)?;
        Ok(())
    }

    fn space(&mut self, task: TaskRef, mm: &Mm) -> Outcome<KVec<u8>> {
        let (numbers, exe_len, refusal) = mm.describe(task, &mut self.path)?;
        if let Some(what) = refusal {
            return Err(refused(what, &self.path[..exe_len], 0));
        }
        let record = space_record(&numbers, self.ends.len() as u32, exe_len as u32);
        let mut payload = KVec::from_elem(0, AddressSpace::SIZE, GFP_KERNEL)?;
        record.put(&mut payload).map_err(|_| EINVAL)?;
        payload.extend_from_slice(&self.path[..exe_len], GFP_KERNEL)?;
        AddressSpace::parse(&payload).map_err(|what| unsavable(numbers.mmap_base, what))?;
        Ok(payload)
    }
}

fn space_record(numbers: &Numbers, mappings: u32, exe_len: u32) -> AddressSpace {
    AddressSpace {
        mappings,
        personality: numbers.personality,
        mmap_base: numbers.mmap_base,
        code: numbers.code,
        data: numbers.data,
        brk: numbers.brk,
        stack: numbers.stack,
        arg: numbers.arg,
        env: numbers.env,
        flags: numbers.flags,
        dump_filter: numbers.dump_filter,
        vdso: numbers.vdso,
        vdso_digest: mm::vdso_digest(),
        exe: numbers.exe,
        exe_len,
        auxv_len: numbers.auxv_len,
        auxv: numbers.auxv,
    }
}

/// Names what cannot be saved: by its path, or else by its address.
fn refused(what: &CStr, path: &[u8], address: u64) -> Failure {
    let failure = Failure::new(FailureCode::Unsupported);
    match (core::str::from_utf8(path), address) {
        (Ok(""), 0) => failure.text(format_args!("{what}")),
        (Ok("") | Err(_), _) => failure.text(format_args!("{what} at {address:#x}")),
        (Ok(path), _) => failure.text(format_args!("{what}: {path}")),
    }
}

fn unsavable(address: u64, what: ssi_core::image::part::ImageError) -> Failure {
    Failure::new(FailureCode::Unsupported).text(format_args!("mapping at {address:#x}: {what:?}"))
}
