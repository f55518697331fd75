// SPDX-License-Identifier: GPL-2.0
//! Locks of files: of open files (flock, OFD) and of descriptor tables (POSIX).

use super::payload::{emit_only, invalid, only, Sink};
use super::scan::refuse;
use super::{ObjectSet, Saved};
use crate::failure::{Failure, FailureCode, Outcome};
use crate::sys::file::{kind as file_kind, FileRef};
use crate::sys::lock::{self as sys, kind, Lock};
use kernel::prelude::*;
use ssi_core::image::file::{FileLock, LOCKS_MAX, LOCK_FLOCK, LOCK_OFD, LOCK_POSIX};
use ssi_core::image::frame::Kind;
use ssi_core::sort;

const _: () = assert!(LOCK_POSIX == kind::POSIX);
const _: () = assert!(LOCK_OFD == kind::OFD);
const _: () = assert!(LOCK_FLOCK == kind::FLOCK);

impl ObjectSet {
    /// Finds the locks that members have; every table and open file is known by now.
    pub(super) fn scan_locks(&mut self) -> Outcome {
        let mut tables = KVVec::new();
        for (table, id) in self.tables.iter().zip(1u64..) {
            tables.push((table.key, id), GFP_KERNEL)?;
        }
        sort::by_key(&mut tables, |table| *table);
        let mut inodes: KVVec<(u64, usize)> = KVVec::new();
        for (index, open) in self.files.iter().enumerate() {
            if open.info.kind == file_kind::REGULAR || open.info.kind == file_kind::DIRECTORY {
                inodes.push((open.info.inode, index), GFP_KERNEL)?;
            }
        }
        sort::by_key(&mut inodes, |inode| *inode);
        for same in inodes.chunk_by(|a, b| a.0 == b.0) {
            self.locks_of_inode(same, &tables)?;
        }
        Ok(())
    }

    /// The locks of one inode, which is open as `same`.
    fn locks_of_inode(&mut self, same: &[(u64, usize)], tables: &[(u64, u64)]) -> Outcome {
        let open = &self.files[same[0].1];
        let Some(file) = &open.file else {
            return Ok(());
        };
        let found = sys::of_inode(file, LOCKS_MAX)
            .map_err(|error| refuse(open, FailureCode::Limit).errno(error))?;
        for lock in found {
            // The open file whose lock it is, or any one of the table's.
            let (table, index) = if lock.kind == kind::POSIX {
                match tables.binary_search_by_key(&lock.owner, |table| table.0) {
                    Ok(at) => (tables[at].1, self.opened_by(tables[at].1, same)),
                    Err(_) => continue,
                }
            } else {
                (
                    0,
                    same.iter().map(|&(_, index)| index).find(|&index| {
                        let file = self.files[index].file.as_ref();
                        file.map_or(0, |file| file.key()) == lock.owner
                    }),
                )
            };
            // A lock of somebody else.
            let Some(index) = index else {
                continue;
            };
            if lock.kind > LOCK_FLOCK {
                let failure = refuse(&self.files[index], FailureCode::Unsupported);
                return Err(failure.text(format_args!("file lease")));
            }
            let record = FileLock {
                object: index as u64 + 1,
                table,
                start: lock.start,
                end: lock.end,
                kind: lock.kind,
                exclusive: lock.exclusive,
            };
            self.locks.push(record, GFP_KERNEL)?;
        }
        Ok(())
    }

    /// One of the open files `same` that the table `id` has.
    fn opened_by(&self, id: u64, same: &[(u64, usize)]) -> Option<usize> {
        let table = &self.tables[id as usize - 1];
        let objects = table.entries.iter().map(|entry| entry.object as usize - 1);
        objects.into_iter().find(|&object| {
            let Saved::Regular(_) = self.files[object].saved else {
                return false;
            };
            same.iter().any(|&(_, index)| index == object)
        })
    }
}

/// Hands over the record of a lock.
pub(super) fn emit(lock: &FileLock, sink: Sink<'_>) -> Outcome {
    emit_only(Kind::FileLock, lock.object, lock, sink)
}

/// Reads the record of a lock.
pub(super) fn parse(payload: &[u8]) -> Outcome<FileLock> {
    let lock: FileLock = only(payload)?;
    let posix = lock.kind == LOCK_POSIX;
    if !(LOCK_POSIX..=LOCK_FLOCK).contains(&lock.kind) || posix != (lock.table != 0) {
        return Err(invalid("lock of a file"));
    }
    Ok(lock)
}

/// Takes the lock again; a POSIX one in the context of a task with its table.
pub(super) fn take_again(record: &FileLock, file: &FileRef) -> Outcome {
    let lock = Lock {
        owner: 0,
        start: record.start,
        end: record.end,
        kind: record.kind,
        exclusive: record.exclusive,
    };
    sys::set(file, &lock).map_err(|error| {
        let failure = Failure::new(FailureCode::FileGone).errno(error);
        failure.text(format_args!("lock of a file"))
    })
}
