// SPDX-License-Identifier: GPL-2.0
//! Pipes: content slot by slot, and every open file on either end.

use super::payload::{bounded, copy, emit_only, invalid, only, take, Payload, Sink};
use super::scan::refuse;
use super::{external::External, ObjectSet, OpenFile};
use crate::failure::{Failure, FailureCode, Outcome};
use crate::sys::file::{traits, FileRef};
use crate::sys::pipe::{self as sys, PipeInfo, Slot};
use kernel::page::PAGE_SIZE;
use kernel::prelude::*;
use ssi_core::codec::{Field, Reader};
use ssi_core::image::frame::Kind;
use ssi_core::image::pipe::{Pipe as Layout, PipeEnd, PipeSlot};
use ssi_core::image::pipe::{SLOTS_MAX, SLOT_MERGE, SLOT_PACKET};

/// Slots of a pipe that nobody resized (PIPE_DEF_BUFFERS, include/linux/pipe_fs_i.h).
const SLOTS_DEFAULT: u32 = 16;
/// `O_ACCMODE`, `O_WRONLY`.
const ACCESS: u32 = 3;
const WRITE_ONLY: u32 = 1;

/// A pipe of which the group holds an end. Its id is its index plus one.
pub(super) struct Pipe {
    key: u64,
    info: PipeInfo,
    /// Index of one open file on it.
    any: usize,
    /// Open files on it that members hold.
    ends: u32,
    /// Somebody else has one of those as well.
    shared: bool,
    /// One of them is a standard stream.
    standard: bool,
    reads: bool,
    writes: bool,
    slots: KVVec<Slot>,
    data: KVVec<u8>,
}

/// An open file on an end.
pub(super) struct End {
    record: PipeEnd,
}

impl End {
    /// The end that the file `index` is; its pipe is added where it is new.
    pub(super) fn at(pipes: &mut KVVec<Pipe>, open: &OpenFile, index: usize) -> Outcome<End> {
        let known = pipes.iter().position(|pipe| pipe.key == open.info.stream);
        let at = match known {
            Some(at) => at,
            None => {
                pipes.push(Pipe::new(open, index)?, GFP_KERNEL)?;
                pipes.len() - 1
            }
        };
        pipes[at].count_end(open);
        let record = PipeEnd {
            flags: open.info.flags,
            reserved: 0,
            pipe: at as u64 + 1,
        };
        Ok(End { record })
    }

    /// Hands over its record, or that of a standard stream where its pipe leads outside.
    pub(super) fn emit(
        &self,
        set: &ObjectSet,
        open: &OpenFile,
        id: u64,
        sink: Sink<'_>,
    ) -> Outcome {
        if set.pipes[self.record.pipe as usize - 1].is_external() {
            return External::pipe(open).emit(id, sink);
        }
        emit_only(Kind::PipeEnd, id, &self.record, sink)
    }
}

impl Pipe {
    fn new(open: &OpenFile, any: usize) -> Outcome<Pipe> {
        let Some(file) = &open.file else {
            return Err(refuse(open, FailureCode::Internal));
        };
        let info = sys::info(file);
        if info.refused != 0 {
            let failure = refuse(open, FailureCode::Unsupported);
            return Err(failure.text(format_args!("notification pipe")));
        }
        Ok(Pipe {
            key: open.info.stream,
            info,
            any,
            ends: 0,
            shared: false,
            standard: false,
            reads: false,
            writes: false,
            slots: KVVec::new(),
            data: KVVec::new(),
        })
    }

    fn count_end(&mut self, open: &OpenFile) {
        self.ends += 1;
        self.shared |= open.is_shared_outside();
        self.standard |= open.fd <= 2;
        self.reads |= open.info.traits & traits::READ != 0;
        self.writes |= open.info.traits & traits::WRITE != 0;
    }

    /// Names the pipe while it exists.
    pub(super) fn key(&self) -> u64 {
        self.key
    }

    /// Index of one open file on it.
    pub(super) fn any_end(&self) -> usize {
        self.any
    }

    /// Whether somebody who is no member holds an end.
    pub(super) fn leads_outside(&self) -> bool {
        self.shared || self.info.files != self.ends
    }

    /// Whether it is just a standard stream of the group: one way, with outside at its other end.
    pub(super) fn is_external(&self) -> bool {
        self.leads_outside() && self.standard && self.reads != self.writes
    }

    /// Bytes in it.
    pub(super) fn bytes(&self) -> u64 {
        self.info.bytes
    }

    /// Copies its content.
    pub(super) fn save(&mut self, files: &[OpenFile]) -> Outcome {
        if self.is_external() {
            return Ok(());
        }
        let open = &files[self.any];
        let Some(file) = &open.file else {
            return Err(refuse(open, FailureCode::Internal));
        };
        let failed = |error| refuse(open, FailureCode::Internal).errno(error);
        let (slots, data) = sys::save(file, &self.info).map_err(failed)?;
        self.slots = slots;
        self.data = data;
        Ok(())
    }

    pub(super) fn emit(&self, id: u64, sink: Sink<'_>) -> Outcome {
        if self.is_external() {
            return Ok(());
        }
        let room = Layout::SIZE + self.slots.len() * PipeSlot::SIZE + self.data.len();
        let mut payload = Payload::with_room(room)?;
        payload.field(&Layout {
            slots: self.info.slots,
            ring_size: self.info.ring_size,
            bytes: self.info.bytes,
        })?;
        for slot in self.slots.iter() {
            payload.field(&PipeSlot {
                offset: slot.offset,
                len: slot.len,
                flags: slot.flags,
            })?;
        }
        payload.bytes(&self.data)?;
        sink(Kind::Pipe, id, payload.as_slice())
    }
}

/// A pipe to make again.
pub(super) struct Rebuilt {
    /// Its id.
    pub(super) id: u64,
    ring_size: u32,
    slots: KVVec<Slot>,
    data: KVVec<u8>,
    /// Its two ends while restoring; an end that nobody asks for closes with them.
    ends: Option<(FileRef, FileRef)>,
    taken: [bool; 2],
}

impl Rebuilt {
    pub(super) fn parse(id: u64, payload: &[u8]) -> Outcome<Rebuilt> {
        let mut reader = Reader::new(payload);
        let head: Layout = take(&mut reader)?;
        bounded(head.slots as usize, SLOTS_MAX, "slots of a pipe")?;
        if head.ring_size > SLOTS_MAX || head.slots > head.ring_size {
            return Err(invalid("pipe"));
        }
        let mut slots = KVVec::with_capacity(head.slots as usize, GFP_KERNEL)?;
        let mut bytes = 0u64;
        for _ in 0..head.slots {
            let slot: PipeSlot = take(&mut reader)?;
            let end = u64::from(slot.offset) + u64::from(slot.len);
            if end > PAGE_SIZE as u64 || slot.flags & !(SLOT_PACKET | SLOT_MERGE) != 0 {
                return Err(invalid("slot of a pipe"));
            }
            bytes += u64::from(slot.len);
            let PipeSlot { offset, len, flags } = slot;
            slots.push(Slot { offset, len, flags }, GFP_KERNEL)?;
        }
        let data = reader.rest();
        if bytes != head.bytes || bytes != data.len() as u64 {
            return Err(invalid("pipe"));
        }
        Ok(Rebuilt {
            id,
            ring_size: head.ring_size,
            slots,
            data: copy(data)?,
            ends: None,
            taken: [false; 2],
        })
    }

    /// Makes it, with its content, both ends open.
    pub(super) fn create(&mut self) -> Outcome {
        let (reader, writer) = sys::create()?;
        if self.ring_size != SLOTS_DEFAULT {
            let what = "size of a pipe";
            sys::resize(&writer, self.ring_size).map_err(|error| {
                Failure::new(FailureCode::Limit)
                    .errno(error)
                    .text(format_args!("{what}"))
            })?;
        }
        sys::fill(&writer, &self.slots, &self.data)?;
        self.ends = Some((reader, writer));
        Ok(())
    }

    /// The open file for a saved end.
    pub(super) fn open(&mut self, end: &PipeEnd) -> Outcome<FileRef> {
        let Some((reader, writer)) = &self.ends else {
            return Err(invalid("pipe"));
        };
        let access = end.flags & ACCESS;
        let way = (access == WRITE_ONLY) as usize;
        let file = if access <= WRITE_ONLY && !self.taken[way] {
            self.taken[way] = true;
            if way == 0 {
                reader.share()
            } else {
                writer.share()
            }
        } else {
            sys::reopen(writer, end.flags)?
        };
        file.set_flags(end.flags);
        Ok(file)
    }

    /// Closes the ends that no saved process holds.
    pub(super) fn finish(&mut self) {
        if let Some((reader, writer)) = self.ends.take() {
            reader.close();
            writer.close();
        }
    }
}

/// Reads the record of an end.
pub(super) fn parse_end(payload: &[u8]) -> Outcome<PipeEnd> {
    let end: PipeEnd = only(payload)?;
    if end.flags & ACCESS > 2 || end.pipe == 0 {
        return Err(invalid("end of a pipe"));
    }
    Ok(end)
}
