// SPDX-License-Identifier: GPL-2.0
//! Pairs of UNIX sockets: each end with what it has not read.

use super::payload::{bounded, copy, invalid, take, Payload, Sink};
use super::scan::refuse;
use super::{ObjectSet, OpenFile, Saved};
use crate::failure::{Failure, FailureCode, Outcome};
use crate::sys::file::FileRef;
use crate::sys::pair::{self as sys, PairInfo};
use kernel::prelude::*;
use ssi_core::codec::{Field, Reader};
use ssi_core::image::frame::Kind;
use ssi_core::image::pair::{PairEnd, PairOptions};
use ssi_core::image::pair::{DATAGRAM, PACKETS_MAX, SEQPACKET, STREAM};
use ssi_core::sort;

/// What is said of one that leads outside.
pub(super) const WHAT: &str = "UNIX socket";

/// `SHUTDOWN_MASK` (include/net/sock.h).
const SHUT_BOTH: u32 = 3;

/// An end that the group holds.
pub(super) struct End {
    info: PairInfo,
    flags: u32,
    /// Index of the other end's open file, where the group has it.
    peer: Option<usize>,
    lens: KVVec<u32>,
    data: KVVec<u8>,
}

impl End {
    pub(super) fn scan(open: &OpenFile) -> Outcome<End> {
        let Some(file) = &open.file else {
            return Err(refuse(open, FailureCode::Internal));
        };
        let info = sys::info(file);
        if let Some(why) = info.refused() {
            let failure = refuse(open, FailureCode::Unsupported);
            return Err(failure.text(format_args!("{why}")));
        }
        if info.packets > PACKETS_MAX {
            let failure = refuse(open, FailureCode::Limit);
            return Err(failure.text(format_args!("packets in a {WHAT}")));
        }
        Ok(End {
            info,
            flags: open.info.flags,
            peer: None,
            lens: KVVec::new(),
            data: KVVec::new(),
        })
    }

    /// Whether it is the end by which its pair is counted; `index` is its own.
    pub(super) fn counts_once(&self, index: usize) -> bool {
        self.peer.is_none_or(|peer| index < peer)
    }

    /// Bytes that it has not read.
    pub(super) fn bytes(&self) -> u64 {
        self.info.bytes
    }

    /// Copies what it has not read.
    pub(super) fn save(&mut self, file: &FileRef) -> Outcome {
        (self.lens, self.data) = sys::save(file, &self.info)?;
        Ok(())
    }

    pub(super) fn emit(&self, id: u64, sink: Sink<'_>) -> Outcome {
        let room = PairEnd::SIZE + self.lens.len() * u32::SIZE + self.data.len();
        let mut payload = Payload::with_room(room)?;
        let info = &self.info;
        payload.field(&PairEnd {
            flags: self.flags,
            socket: info.socket,
            // The object id of an open file is its index plus one.
            peer: self.peer.map_or(0, |index| index as u64 + 1),
            shutdown: info.shutdown,
            error: info.error,
            creator: info.creator,
            options: PairOptions {
                send_buffer: info.options.send_buffer,
                receive_buffer: info.options.receive_buffer,
                locks: info.options.locks,
                low_water: info.options.low_water,
                receive_ms: info.options.receive_ms,
                send_ms: info.options.send_ms,
            },
            packets: info.packets,
            bytes: info.bytes,
        })?;
        for len in self.lens.iter() {
            payload.field(len)?;
        }
        payload.bytes(&self.data)?;
        sink(Kind::PairEnd, id, payload.as_slice())
    }
}

impl ObjectSet {
    /// Finds the other end of every pair. One that the group does not have, or that others have as
    /// well, is looked for.
    pub(super) fn match_pairs(&mut self) -> Outcome {
        let mut ends = KVVec::new();
        for (index, open) in self.files.iter().enumerate() {
            match &open.saved {
                Saved::Pair(_) => ends.push((open.info.stream, index), GFP_KERNEL)?,
                // A standard stream; whoever holds the other end may belong to the application.
                Saved::External(_) if open.info.peer != 0 => {
                    self.wanted
                        .push((open.info.peer, index, WHAT), GFP_KERNEL)?;
                }
                _ => {}
            }
        }
        sort::by_key(&mut ends, |end| *end);
        for &(key, index) in ends.iter() {
            let open = &mut self.files[index];
            let shared = open.is_shared_outside();
            let Saved::Pair(end) = &mut open.saved else {
                continue;
            };
            let other = ends.binary_search_by_key(&open.info.peer, |end| end.0);
            end.peer = other.ok().map(|at| ends[at].1);
            if end.peer.is_none() && end.info.peer_gone == 0 {
                self.wanted
                    .push((open.info.peer, index, WHAT), GFP_KERNEL)?;
            }
            if shared {
                self.wanted.push((key, index, WHAT), GFP_KERNEL)?;
            }
        }
        Ok(())
    }
}

/// An end to make again.
pub(super) struct Rebuilt {
    record: PairEnd,
    lens: KVVec<u32>,
    data: KVVec<u8>,
}

impl Rebuilt {
    pub(super) fn parse(payload: &[u8]) -> Outcome<Rebuilt> {
        let mut reader = Reader::new(payload);
        let record: PairEnd = take(&mut reader)?;
        bounded(record.packets as usize, PACKETS_MAX, "packets in a socket")?;
        bounded(record.error as usize, 4095, "error of a socket")?;
        let known = matches!(record.socket, STREAM | DATAGRAM | SEQPACKET);
        if !known || record.shutdown > SHUT_BOTH {
            return Err(invalid(WHAT));
        }
        let mut lens = KVVec::with_capacity(record.packets as usize, GFP_KERNEL)?;
        let mut bytes = 0u64;
        for _ in 0..record.packets {
            let len: u32 = take(&mut reader)?;
            bytes += u64::from(len);
            lens.push(len, GFP_KERNEL)?;
        }
        let data = reader.rest();
        if bytes != record.bytes || bytes != data.len() as u64 {
            return Err(invalid(WHAT));
        }
        let data = copy(data)?;
        Ok(Rebuilt { record, lens, data })
    }

    /// Object id of the other end, if there is one.
    pub(super) fn peer(&self) -> Option<u64> {
        (self.record.peer != 0).then_some(self.record.peer)
    }

    /// Whether `self`, object `id`, and `other` are the ends of one pair.
    pub(super) fn matches(&self, id: u64, other: &Rebuilt) -> bool {
        other.record.peer == id
            && other.record.socket == self.record.socket
            && self.record.peer != id
    }

    /// A new pair: this end, and the other one.
    pub(super) fn create(&self) -> Outcome<(FileRef, FileRef)> {
        Ok(sys::create(self.record.socket)?)
    }

    /// Has the other end send what this one has not read.
    pub(super) fn fill(&self, other: &FileRef) -> Outcome {
        Ok(sys::send(other, &self.lens, &self.data)?)
    }

    /// Sets what else is known of this end, when both have been filled.
    pub(super) fn apply(&self, file: &FileRef) -> Outcome {
        let record = &self.record;
        let options = sys::Options {
            send_buffer: record.options.send_buffer,
            receive_buffer: record.options.receive_buffer,
            locks: record.options.locks,
            low_water: record.options.low_water,
            receive_ms: record.options.receive_ms,
            send_ms: record.options.send_ms,
        };
        let failed = |error| Failure::from(error).text(format_args!("{WHAT}"));
        sys::apply(file, &options, record.shutdown, record.error).map_err(failed)?;
        file.set_flags(record.flags);
        Ok(())
    }

    /// When all processes are there: who made the pair.
    pub(super) fn finish(&self, file: &FileRef) {
        sys::created_by(file, self.record.creator);
    }
}
