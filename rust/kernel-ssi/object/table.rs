// SPDX-License-Identifier: GPL-2.0
//! Descriptor tables: saved by number, filled again at the same numbers.

use super::lock::take_again;
use super::payload::{bounded, done, invalid, take, Payload, Sink};
use crate::failure::Outcome;
use crate::sys::file::{self as sys, FileRef, TableRef};
use kernel::prelude::*;
use ssi_core::codec::{Field, Reader};
use ssi_core::image::file::FileLock;
use ssi_core::image::frame::Kind;
use ssi_core::image::object::{
    Descriptor, DescriptorTable, DESCRIPTORS_MAX, DESCRIPTOR_CLOEXEC, DESCRIPTOR_END,
};

/// One descriptor.
#[derive(Clone, Copy)]
pub(super) struct Entry {
    pub(super) fd: u32,
    pub(super) cloexec: bool,
    /// Object id.
    pub(super) object: u32,
}

/// A table and one process that uses it.
pub(super) struct Table {
    /// Names it while it exists.
    pub(super) key: u64,
    pub(super) pid: u32,
    pub(super) entries: KVVec<Entry>,
}

impl Table {
    pub(super) fn new(key: u64, pid: u32, len: usize) -> Outcome<Table> {
        let entries = KVVec::with_capacity(len, GFP_KERNEL)?;
        Ok(Table { key, pid, entries })
    }

    pub(super) fn emit(&self, id: u64, sink: Sink<'_>) -> Outcome {
        let room = DescriptorTable::SIZE + self.entries.len() * Descriptor::SIZE;
        let mut payload = Payload::with_room(room)?;
        payload.field(&DescriptorTable {
            count: self.entries.len() as u32,
            reserved: 0,
        })?;
        for entry in self.entries.iter() {
            payload.field(&Descriptor {
                fd: entry.fd,
                flags: if entry.cloexec { DESCRIPTOR_CLOEXEC } else { 0 },
                object: entry.object.into(),
            })?;
        }
        sink(Kind::DescriptorTable, id, payload.as_slice())
    }
}

/// A table to fill.
pub(super) struct Rebuilt {
    /// Its id.
    pub(super) id: u64,
    entries: KVVec<Descriptor>,
    /// Set by the first task that installs it, for those that share it.
    installed: Option<TableRef>,
}

impl Rebuilt {
    pub(super) fn parse(id: u64, payload: &[u8]) -> Outcome<Rebuilt> {
        let mut reader = Reader::new(payload);
        let head: DescriptorTable = take(&mut reader)?;
        bounded(head.count as usize, DESCRIPTORS_MAX, "descriptors")?;
        let mut entries: KVVec<Descriptor> = KVVec::with_capacity(head.count as usize, GFP_KERNEL)?;
        for _ in 0..head.count {
            let entry: Descriptor = take(&mut reader)?;
            let rises = entries.last().is_none_or(|last| last.fd < entry.fd);
            if !rises || entry.fd >= DESCRIPTOR_END || entry.flags & !DESCRIPTOR_CLOEXEC != 0 {
                return Err(invalid("descriptor"));
            }
            entries.push(entry, GFP_KERNEL)?;
        }
        done(reader)?;
        let installed = None;
        Ok(Rebuilt {
            id,
            entries,
            installed,
        })
    }

    /// The object ids that it refers to.
    pub(super) fn objects(&self) -> impl Iterator<Item = (u32, u64)> + '_ {
        self.entries.iter().map(|entry| (entry.fd, entry.object))
    }

    /// Makes it the table of the calling task, which gives up what it had.
    pub(super) fn install<'a>(
        &mut self,
        locks: &[FileLock],
        file_of: impl Fn(u64) -> Option<&'a FileRef>,
    ) -> Outcome {
        if let Some(table) = &self.installed {
            return Ok(table.share_with_current()?);
        }
        sys::clear_current()?;
        for entry in self.entries.iter() {
            let file = file_of(entry.object).ok_or(invalid("descriptor"))?;
            let cloexec = entry.flags & DESCRIPTOR_CLOEXEC != 0;
            sys::install_current(entry.fd, file, cloexec)?;
        }
        // The owner of these locks is the table, which is complete only now.
        for lock in locks.iter().filter(|lock| lock.table == self.id) {
            let file = file_of(lock.object).ok_or(invalid("lock of a file"))?;
            take_again(lock, file)?;
        }
        self.installed = Some(TableRef::current()?);
        Ok(())
    }
}
