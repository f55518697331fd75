// SPDX-License-Identifier: GPL-2.0
//! Character devices without a state: null, zero, full, random, urandom.

use super::file::{changed, gone, parse_path, path_of};
use super::payload::{take, Payload, Sink};
use super::OpenFile;
use crate::failure::Outcome;
use crate::sys::file::{kind, FileRef};
use kernel::prelude::*;
use kernel::str::CString;
use ssi_core::codec::{Field, Reader};
use ssi_core::image::file::Device as Layout;
use ssi_core::image::frame::Kind;

/// A saved device.
pub(super) struct Device {
    record: Layout,
    path: KVVec<u8>,
}

impl Device {
    pub(super) fn save(open: &OpenFile) -> Outcome<Device> {
        let record = Layout {
            flags: open.info.flags,
            rdev: open.info.rdev,
        };
        let path = path_of(open)?;
        Ok(Device { record, path })
    }

    pub(super) fn emit(&self, id: u64, sink: Sink<'_>) -> Outcome {
        let mut payload = Payload::with_room(Layout::SIZE + self.path.len())?;
        payload.field(&self.record)?;
        payload.bytes(&self.path)?;
        sink(Kind::Device, id, payload.as_slice())
    }
}

/// A device to open.
pub(super) struct Rebuilt {
    record: Layout,
    path: CString,
}

impl Rebuilt {
    pub(super) fn parse(payload: &[u8]) -> Outcome<Rebuilt> {
        let mut reader = Reader::new(payload);
        let record = take(&mut reader)?;
        let path = parse_path(reader.rest())?;
        Ok(Rebuilt { record, path })
    }

    /// Opens it; the path must lead to the same device again.
    pub(super) fn create(&self) -> Outcome<FileRef> {
        let file = FileRef::open(&self.path, self.record.flags)
            .map_err(|error| gone(&self.path, error))?;
        let info = file.info();
        if info.kind != kind::DEVICE || info.rdev != self.record.rdev {
            return Err(changed(&self.path));
        }
        Ok(file)
    }
}
