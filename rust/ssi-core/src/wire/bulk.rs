// SPDX-License-Identifier: GPL-2.0
//! Chunks of files, on the same connections as messages, and longer than those.
//!
//! A chunk is a [`Header`], a [`Chunk`], and the bytes. Hosts pass the bytes on without a copy of
//! their own.

use super::{Header, HEADER_BYTES};
use crate::codec::{CodecError, Field, Reader, Writer};
use crate::limits::CHUNK_BYTES_MAX;
use crate::node::{Epoch, NodeId, OpId};
use crate::record;

/// Number of this message; no [`super::Message`] has it.
pub const KIND: u16 = 120;

/// Which file of a part.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FileName {
    /// The records.
    Part,
    /// The pages of an address space.
    Memory(u32),
    /// The pages of a shared memory.
    Shared(u32),
}

impl Field for FileName {
    const SIZE: usize = 8;

    fn put(&self, out: &mut [u8]) -> Result<(), CodecError> {
        let (kind, number) = match *self {
            FileName::Part => (1u32, 0u32),
            FileName::Memory(number) => (2, number),
            FileName::Shared(number) => (3, number),
        };
        let mut writer = Writer::new(out);
        writer.field(&kind)?;
        writer.field(&number)?;
        writer.done()
    }

    fn take(bytes: &[u8]) -> Result<Self, CodecError> {
        let mut reader = Reader::new(bytes);
        let (kind, number): (u32, u32) = (reader.field()?, reader.field()?);
        reader.done()?;
        match (kind, number) {
            (1, 0) => Ok(FileName::Part),
            (2, number) => Ok(FileName::Memory(number)),
            (3, number) => Ok(FileName::Shared(number)),
            (_, _) => Err(CodecError::Value),
        }
    }
}

record! {
    /// What the bytes after it are. Those of one file come in order, without a gap, and a file
    /// begins with a chunk at 0, which may be empty.
    pub struct Chunk {
        /// Of this file.
        pub file: FileName,
        /// From here on.
        pub position: u64,
    }
}

/// Bytes before those of the file.
pub const HEAD_BYTES: usize = HEADER_BYTES.saturating_add(Chunk::SIZE);

/// Longest body.
pub(super) const BODY_BYTES_MAX: usize = Chunk::SIZE.saturating_add(CHUNK_BYTES_MAX);

/// A chunk as it came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bulk {
    /// Who sends.
    pub sender: NodeId,
    /// The sender's epoch.
    pub epoch: Epoch,
    /// The checkpoint that it belongs to.
    pub op: OpId,
    /// What it is.
    pub chunk: Chunk,
}

impl Bulk {
    /// What stands before `len` bytes of the file.
    ///
    /// # Errors
    /// [`CodecError::Length`] where `len` is more than [`CHUNK_BYTES_MAX`].
    pub fn head(&self, len: usize) -> Result<[u8; HEAD_BYTES], CodecError> {
        if len > CHUNK_BYTES_MAX {
            return Err(CodecError::Length);
        }
        let body = Chunk::SIZE.saturating_add(len);
        let header = Header::of(KIND, body, (self.sender, self.epoch, self.op))?;
        let mut out = [0; HEAD_BYTES];
        let mut writer = Writer::new(&mut out);
        writer.field(&header)?;
        writer.field(&self.chunk)?;
        writer.done()?;
        Ok(out)
    }

    /// Whether `bytes` start as a chunk does, and no other message.
    pub fn is(bytes: &[u8]) -> bool {
        Header::begins(bytes, KIND)
    }

    /// The chunk that `bytes` hold; those of the file are what follows [`HEAD_BYTES`].
    ///
    /// # Errors
    /// What [`Header::parse`] refuses; another kind; another length than the header says.
    pub fn parse(bytes: &[u8]) -> Result<Bulk, CodecError> {
        let (header, mut body) = Header::split_of(bytes, KIND)?;
        Ok(Bulk {
            sender: header.sender,
            epoch: header.epoch,
            op: header.op()?,
            chunk: body.field()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bulk(file: FileName) -> Bulk {
        Bulk {
            sender: NodeId::new(2).unwrap(),
            epoch: Epoch(8),
            op: OpId {
                root: NodeId::new(1).unwrap(),
                epoch: Epoch(9),
                number: 5,
            },
            chunk: Chunk {
                file,
                position: 4096,
            },
        }
    }

    fn emit(bulk: &Bulk, bytes: &[u8]) -> Vec<u8> {
        let mut out = bulk.head(bytes.len()).unwrap().to_vec();
        out.extend(bytes);
        out
    }

    #[test]
    fn there_and_back() {
        for file in [FileName::Part, FileName::Memory(7), FileName::Shared(1)] {
            for len in [0, 1, CHUNK_BYTES_MAX] {
                let out = emit(&bulk(file), &vec![3; len]);
                assert!(Bulk::is(&out));
                assert_eq!(Bulk::parse(&out), Ok(bulk(file)));
                assert!(super::super::Message::parse(&out).is_err());
            }
        }
        assert!(bulk(FileName::Part).head(CHUNK_BYTES_MAX + 1).is_err());
    }

    #[test]
    fn what_is_wrong_is_refused() {
        let out = emit(&bulk(FileName::Part), b"xy");
        assert!(Bulk::parse(&out[..out.len() - 1]).is_err());
        let mut long = out.clone();
        long.push(0);
        assert!(Bulk::parse(&long).is_err());
        // Kind, operation, root, file, number of the part.
        for (at, value) in [
            (6, 104),
            (24, 0),
            (28, 0),
            (HEADER_BYTES, 4),
            (HEADER_BYTES + 4, 1),
        ] {
            let mut wrong = out.clone();
            wrong[at] = value;
            assert!(Bulk::parse(&wrong).is_err(), "byte {at}");
        }
        let mut huge = out;
        huge[8..12].copy_from_slice(&(BODY_BYTES_MAX as u32 + 1).to_le_bytes());
        assert!(Header::parse(&huge[..HEADER_BYTES]).is_err());
    }
}
