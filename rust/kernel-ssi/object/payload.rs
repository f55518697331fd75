// SPDX-License-Identifier: GPL-2.0
//! Building and taking apart the payload of one record.

use crate::failure::{Failure, FailureCode, Outcome};
use kernel::prelude::*;
use ssi_core::codec::{CodecError, Field, Reader};
use ssi_core::image::frame::{Kind, PAYLOAD_BYTES_MAX};

/// One record of a part, as the reader of the part found it.
#[derive(Clone, Copy)]
pub struct Record<'a> {
    /// What it is.
    pub kind: Kind,
    /// What it is about.
    pub subject: u64,
    /// Its bytes.
    pub payload: &'a [u8],
}

/// Takes finished records.
pub type Sink<'a> = &'a mut dyn FnMut(Kind, u64, &[u8]) -> Outcome;

/// A payload under construction.
pub struct Payload(KVVec<u8>);

impl Payload {
    /// An empty one with room for `len` bytes.
    pub fn with_room(len: usize) -> Outcome<Payload> {
        if len > PAYLOAD_BYTES_MAX as usize {
            return Err(Failure::new(FailureCode::Limit).text(format_args!("bytes of one object")));
        }
        Ok(Payload(KVVec::with_capacity(len, GFP_KERNEL)?))
    }

    /// Appends a field or record.
    pub fn field<T: Field>(&mut self, value: &T) -> Outcome {
        let start = self.0.len();
        self.0.extend_with(T::SIZE, 0, GFP_KERNEL)?;
        value.put(&mut self.0[start..]).map_err(damaged)
    }

    /// Appends raw bytes.
    pub fn bytes(&mut self, bytes: &[u8]) -> Outcome {
        Ok(self.0.extend_from_slice(bytes, GFP_KERNEL)?)
    }

    /// All of it.
    pub fn as_slice(&self) -> &[u8] {
        &self.0
    }
}

/// The failure for bytes that are not what they claim to be.
pub fn damaged(_: CodecError) -> Failure {
    invalid("record")
}

/// The failure for a value that no writer of images writes.
pub fn invalid(what: &str) -> Failure {
    Failure::new(FailureCode::Damaged).text(format_args!("{what}"))
}

/// Checks that a count from an image is at most `max`.
pub fn bounded(count: usize, max: u32, what: &str) -> Outcome {
    if count > max as usize {
        return Err(Failure::new(FailureCode::Limit).text(format_args!("{what}")));
    }
    Ok(())
}

/// Reads one fixed record.
pub fn take<T: Field>(reader: &mut Reader<'_>) -> Outcome<T> {
    reader.field().map_err(damaged)
}

/// Checks that nothing follows.
pub fn done(reader: Reader<'_>) -> Outcome {
    reader.done().map_err(damaged)
}

/// Reads a payload that is one fixed record and nothing else.
pub fn only<T: Field>(payload: &[u8]) -> Outcome<T> {
    let mut reader = Reader::new(payload);
    let record = take(&mut reader)?;
    done(reader)?;
    Ok(record)
}

/// Hands over a payload that is one fixed record and nothing else.
pub fn emit_only<T: Field>(kind: Kind, id: u64, record: &T, sink: Sink<'_>) -> Outcome {
    let mut payload = Payload::with_room(T::SIZE)?;
    payload.field(record)?;
    sink(kind, id, payload.as_slice())
}

/// Copies bytes that must outlive the record.
pub fn copy(bytes: &[u8]) -> Outcome<KVVec<u8>> {
    let mut copy = KVVec::with_capacity(bytes.len(), GFP_KERNEL)?;
    copy.extend_from_slice(bytes, GFP_KERNEL)?;
    Ok(copy)
}
