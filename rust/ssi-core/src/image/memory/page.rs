// SPDX-License-Identifier: GPL-2.0
//! Which pages are in a page file, and shared memory.
use super::PAGE;
use crate::codec::{Field, Reader};
use crate::image::part::ImageError;
use crate::record;

/// Most pages of one run; a run is verified by one digest.
pub const RUN_PAGES_MAX: u32 = 1024;

/// Most runs of one `PageRuns` record.
pub const RUNS_MAX: usize = 4096;

/// Largest shared memory, in bytes.
pub const SHARED_BYTES_MAX: u64 = 1 << 40;

record! {
    /// Memory that several mappings share; its page runs follow under the same subject.
    pub struct SharedMemory {
        /// Bytes.
        pub size: u64,
    }
}

record! {
    /// Pages that follow each other in memory and in the page file.
    pub struct PageRun {
        /// Address of the first page, or its offset in shared memory.
        pub address: u64,
        /// How many pages, at most [`RUN_PAGES_MAX`].
        pub pages: u32,
        /// Zero.
        pub reserved: u32,
        /// XXH64 (seed 0) of the pages.
        pub digest: u64,
    }
}

impl SharedMemory {
    /// Parses and checks a payload.
    pub fn parse(payload: &[u8]) -> Result<Self, ImageError> {
        let memory = SharedMemory::take(payload)?;
        if memory.size == 0 || memory.size % PAGE != 0 || memory.size > SHARED_BYTES_MAX {
            return Err(ImageError::Value);
        }
        Ok(memory)
    }
}

/// The runs of a `PageRuns` payload, parsed one by one.
pub struct Runs<'a> {
    reader: Reader<'a>,
}

impl<'a> Runs<'a> {
    /// Looks at a payload; its length must be a whole number of runs.
    pub fn parse(payload: &'a [u8]) -> Result<Self, ImageError> {
        let whole = payload.len().is_multiple_of(PageRun::SIZE);
        if payload.is_empty() || !whole || payload.len() / PageRun::SIZE > RUNS_MAX {
            return Err(ImageError::Length);
        }
        Ok(Runs {
            reader: Reader::new(payload),
        })
    }
}

impl Iterator for Runs<'_> {
    type Item = Result<PageRun, ImageError>;

    fn next(&mut self) -> Option<Self::Item> {
        // A whole number of runs: the reader fails only at the end.
        let run: PageRun = self.reader.field().ok()?;
        let sane = run.address.is_multiple_of(PAGE)
            && run.pages != 0
            && run.pages <= RUN_PAGES_MAX
            && run.reserved == 0
            && run.end().is_some();
        Some(if sane {
            Ok(run)
        } else {
            Err(ImageError::Value)
        })
    }
}

impl PageRun {
    /// Bytes of the run.
    pub fn bytes(&self) -> u64 {
        u64::from(self.pages).saturating_mul(PAGE)
    }

    /// First address past the run, or `None` where the numbers overflow.
    pub fn end(&self) -> Option<u64> {
        self.address.checked_add(self.bytes())
    }
}

/// Runs must come in ascending order, and each inside one place that may hold pages.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct RunOrder {
    end: u64,
    /// Bytes of the page file so far.
    pub bytes: u64,
}

impl RunOrder {
    /// Takes note of the next run; `room` is where the mapping (or shared memory) that holds its
    /// first page ends.
    pub fn next(&mut self, run: &PageRun, room: Option<u64>) -> Result<(), ImageError> {
        let (Some(end), Some(room)) = (run.end(), room) else {
            return Err(ImageError::Value);
        };
        if run.address < self.end {
            return Err(ImageError::Order);
        }
        if end > room {
            return Err(ImageError::Value);
        }
        self.end = end;
        self.bytes = self.bytes.saturating_add(run.bytes());
        Ok(())
    }
}
