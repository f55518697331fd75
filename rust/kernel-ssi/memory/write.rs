// SPDX-License-Identifier: GPL-2.0
//! Writes the pages of clones and copies, batch by batch, and says which went where.

use kernel::prelude::*;
use ssi_core::codec::Field;
use ssi_core::image::frame::Kind;
use ssi_core::image::memory::{PageRun, PAGE, RUNS_MAX};

use super::save::MmClone;
use super::{page_file_name, Sink, Watch};
use crate::failure::Outcome;
use crate::media::{Folder, PageFile};
use crate::sys::pages::{Batch, More, Shared};
use crate::sys::vec::emptied;

/// Moves pages to page files.
pub(super) struct PageWriter<'a> {
    batch: Batch,
    runs: KVVec<u8>,
    written: Written,
    watch: Watch<'a>,
    sink: Sink<'a>,
}

/// Most files that are made durable together: one commit of the file system's journal serves all.
const WRITTEN_MAX: usize = 64;

/// Page files that are written and not yet durable.
pub struct Written(KVec<PageFile>);

impl Written {
    fn none() -> Outcome<Written> {
        Ok(Written(KVec::with_capacity(WRITTEN_MAX, GFP_KERNEL)?))
    }

    fn add(&mut self, file: PageFile) -> Outcome {
        self.0.push(file, GFP_KERNEL)?;
        if self.0.len() >= WRITTEN_MAX {
            core::mem::replace(self, Written::none()?).sync()?;
        }
        Ok(())
    }

    /// Returns when all of them are durable.
    pub fn sync(self) -> Outcome {
        for file in self.0 {
            file.sync()?;
        }
        Ok(())
    }
}

/// The page file at work.
struct Target {
    id: u64,
    file: PageFile,
    pos: u64,
}

impl<'a> PageWriter<'a> {
    pub(super) fn new(watch: Watch<'a>, sink: Sink<'a>) -> Outcome<PageWriter<'a>> {
        Ok(PageWriter {
            batch: Batch::new()?,
            runs: KVVec::with_capacity(RUNS_MAX * PageRun::SIZE, GFP_KERNEL)?,
            written: Written::none()?,
            watch,
            sink,
        })
    }

    /// Writes the private pages of a clone; returns the bytes of its page file.
    pub(super) fn space(&mut self, folder: &Folder, id: u64, space: &MmClone) -> Outcome<u64> {
        let mut target = Target::create(folder, id)?;
        let ranges = space.ranges();
        // Everything below is written and given up.
        let mut done = 0;
        for (start, end) in ranges {
            let mut at = *start;
            loop {
                let more = self.batch.collect(space.mm(), &mut at, *end)?;
                if more == More::No {
                    break;
                }
                self.flush(&mut target, ranges)?;
                space.mm().zap(done, at);
                self.batch.clear();
                done = at;
            }
        }
        self.flush(&mut target, ranges)?;
        space
            .mm()
            .zap(done, ranges.last().map_or(done, |range| range.1));
        self.batch.clear();
        self.end(target)
    }

    /// Writes the copies of a shared memory.
    pub(super) fn shared(&mut self, folder: &Folder, id: u64, mut copy: Shared) -> Outcome<u64> {
        let mut target = Target::create(folder, id)?;
        let ranges = [(0, copy.size())];
        let mut at = 0;
        loop {
            let more = self.batch.collect_shared(&mut copy, &mut at)?;
            self.flush(&mut target, &ranges)?;
            self.batch.clear();
            if more == More::No {
                return self.end(target);
            }
        }
    }

    /// Writes the batch and notes its runs; the pages stay in the batch.
    fn flush(&mut self, target: &mut Target, ranges: &[(u64, u64)]) -> Outcome {
        let len = self.batch.len();
        let mut first = 0;
        while first < len {
            let address = self.batch.address(first);
            let at = ranges.partition_point(|range| range.1 <= address);
            let room = ranges.get(at).ok_or(EINVAL)?.1;
            let mut count = 1;
            while first + count < len && self.follows(address, first, count, room) {
                count += 1;
            }
            self.note(target.id, address, first, count)?;
            first += count;
        }
        self.batch
            .write(target.file.file(), target.pos, target.file.creds())
            .map_err(|error| target.file.failed(error))?;
        let bytes = u64::from(len) * PAGE;
        target.pos += bytes;
        (self.watch)(bytes)
    }

    /// True if the page after `count` pages from `first` continues the run inside its mapping.
    fn follows(&self, address: u64, first: u32, count: u32, room: u64) -> bool {
        let next = self.batch.address(first + count);
        next == address + u64::from(count) * PAGE && next < room
    }

    fn note(&mut self, id: u64, address: u64, first: u32, count: u32) -> Outcome {
        let run = PageRun {
            address,
            pages: count,
            reserved: 0,
            digest: self.batch.digest(first, count),
        };
        let mut bytes = [0; PageRun::SIZE];
        run.put(&mut bytes).map_err(|_| EINVAL)?;
        self.runs.extend_from_slice(&bytes, GFP_KERNEL)?;
        if self.runs.len() >= RUNS_MAX * PageRun::SIZE {
            self.hand_out(id)?;
        }
        Ok(())
    }

    fn hand_out(&mut self, id: u64) -> Outcome {
        if self.runs.is_empty() {
            return Ok(());
        }
        let runs = core::mem::replace(&mut self.runs, KVVec::new());
        let result = (self.sink)(Kind::PageRuns, id, &runs);
        self.runs = emptied(runs);
        result
    }

    fn end(&mut self, target: Target) -> Outcome<u64> {
        self.hand_out(target.id)?;
        self.written.add(target.file)?;
        Ok(target.pos)
    }

    /// What is still to be made durable.
    pub(super) fn written(self) -> Written {
        self.written
    }
}

impl Target {
    fn create(folder: &Folder, id: u64) -> Outcome<Target> {
        Ok(Target {
            id,
            file: folder.create_pages(format_args!("{}", page_file_name(id)))?,
            pos: 0,
        })
    }
}
