// SPDX-License-Identifier: GPL-2.0
//! Epoll sets: what they watch, added again when everything else is in place.

use super::payload::{bounded, done, invalid, take, Payload, Sink};
use super::scan::{own_file, refuse};
use super::{ObjectSet, OpenFile, Saved};
use crate::failure::{FailureCode, Outcome};
use crate::sys::event::{items, make_epoll, watch, Item};
use crate::sys::file::FileRef;
use core::cell::Cell;
use kernel::prelude::*;
use ssi_core::codec::{Field, Reader};
use ssi_core::image::event::{Epoll as Layout, EpollItem, EPOLL_ITEMS_MAX};
use ssi_core::image::frame::Kind;
use ssi_core::image::object::DESCRIPTOR_END;

/// A saved set.
pub(super) struct Epoll {
    flags: u32,
    items: KVVec<EpollItem>,
}

impl Epoll {
    /// Saves the set `open`; `files` are sorted by their keys.
    fn save(open: &OpenFile, files: &[OpenFile]) -> Outcome<Epoll> {
        let file = own_file(open, "epoll")?;
        let found = items(file, EPOLL_ITEMS_MAX)
            .map_err(|error| refuse(open, FailureCode::Limit).errno(error))?;
        let mut saved = KVVec::with_capacity(found.len(), GFP_KERNEL)?;
        for item in found.iter() {
            let key = |open: &OpenFile| open.file.as_ref().map_or(0, |file| file.key());
            let index = files.binary_search_by_key(&item.file, key).map_err(|_| {
                let failure = refuse(open, FailureCode::Unsupported);
                failure.text(format_args!(
                    "epoll of a file that nobody in the group has open"
                ))
            })?;
            let item = EpollItem {
                fd: item.fd,
                events: item.events,
                data: item.data,
                object: index as u64 + 1,
            };
            saved.push(item, GFP_KERNEL)?;
        }
        let (flags, items) = (open.info.flags, saved);
        Ok(Epoll { flags, items })
    }

    pub(super) fn emit(&self, id: u64, sink: Sink<'_>) -> Outcome {
        let room = Layout::SIZE + self.items.len() * EpollItem::SIZE;
        let mut payload = Payload::with_room(room)?;
        payload.field(&Layout {
            flags: self.flags,
            count: self.items.len() as u32,
        })?;
        for item in self.items.iter() {
            payload.field(item)?;
        }
        sink(Kind::Epoll, id, payload.as_slice())
    }
}

impl ObjectSet {
    /// Saves all epolls; every open file is known by now.
    pub(super) fn scan_epolls(&mut self) -> Outcome {
        for index in 0..self.files.len() {
            if self.files[index].info.kind == crate::sys::file::kind::EPOLL {
                let epoll = Epoll::save(&self.files[index], &self.files)?;
                self.files[index].saved = Saved::Epoll(epoll);
            }
        }
        Ok(())
    }
}

/// A set to make again.
pub(super) struct Rebuilt {
    flags: u32,
    items: KVVec<EpollItem>,
    /// A process has it watch signals.
    signals: Cell<bool>,
}

/// What an item is about.
pub(super) struct Watched<'a> {
    pub(super) file: &'a FileRef,
    /// It was a standard stream to outside.
    pub(super) external: bool,
    /// It is a signalfd.
    pub(super) signals: bool,
}

impl Rebuilt {
    pub(super) fn parse(payload: &[u8]) -> Outcome<Rebuilt> {
        let mut reader = Reader::new(payload);
        let head: Layout = take(&mut reader)?;
        bounded(head.count as usize, EPOLL_ITEMS_MAX, "items of an epoll")?;
        let mut items = KVVec::with_capacity(head.count as usize, GFP_KERNEL)?;
        for _ in 0..head.count {
            let item: EpollItem = take(&mut reader)?;
            if item.fd >= DESCRIPTOR_END {
                return Err(invalid("item of an epoll"));
            }
            items.push(item, GFP_KERNEL)?;
        }
        done(reader)?;
        Ok(Rebuilt {
            flags: head.flags,
            items,
            signals: Cell::new(false),
        })
    }

    pub(super) fn create(&self) -> Outcome<FileRef> {
        let file = make_epoll()?;
        file.set_flags(self.flags);
        Ok(file)
    }

    /// Object ids of what it watches.
    pub(super) fn objects(&self) -> impl Iterator<Item = u64> + '_ {
        self.items.iter().map(|item| item.object)
    }

    /// Whether this is the first call.
    pub(super) fn is_first_to_watch_signals(&self) -> bool {
        !self.signals.replace(true)
    }

    /// Watches all signals again, or everything else. What a standard stream to outside has become
    /// cannot always be waited for (`EPERM`), and then is left out.
    pub(super) fn fill<'a>(
        &self,
        epoll: &FileRef,
        watched: impl Fn(u64) -> Option<Watched<'a>>,
        signals: bool,
    ) -> Outcome {
        for item in self.items.iter() {
            let of = watched(item.object).ok_or(invalid("item of an epoll"))?;
            if of.signals != signals {
                continue;
            }
            let at = Item {
                file: 0,
                data: item.data,
                fd: item.fd,
                events: item.events,
            };
            match watch(epoll, of.file, &at) {
                Err(error) if of.external && error == EPERM => {}
                other => other?,
            }
        }
        Ok(())
    }
}
