// SPDX-License-Identifier: GPL-2.0
//! What a checkpoint leaves on the media: the version's folder, this node's part, the record.

use super::Local;
use crate::failure::{Failure, FailureCode, Outcome};
use crate::making::is_made;
use crate::media::{FrameWriter, Store};
use crate::sys::caps;
use crate::sys::fsio;
use crate::sys::powercut::{self, Step};
use crate::sys::thread::random;
use core::sync::atomic::Ordering;
use kernel::prelude::*;
use ssi_core::checkpoint::{Found, Report, Totals, Version};
use ssi_core::image::commit::{self, Commit, COMMIT_BYTES_MAX};
use ssi_core::image::part::{PartHead, RELEASE_BYTES};
use ssi_core::text::Text;
use ssi_core::wire::copy::Record;

/// Names that are tried for a new application.
const NAME_TRIES: u32 = 64;

impl Local {
    fn store(&self) -> Outcome<Store> {
        Store::new(self.options.store.as_bytes(), self.creds.clone())
    }

    /// Makes the folder of the application's next version, above `newest`. A new application is
    /// named after its smallest head root, unless a store knows another application of that name.
    pub fn open_version(&mut self, found: Found, newest: u32) -> Outcome<Version> {
        let store = self.store()?;
        let application = match (found.application, newest) {
            (0, 0) => new_application(&store, found.head_root.into())?,
            (0, _) => new_application(&store, 0)?,
            (known, _) => known,
        };
        let above = if found.application == 0 { 0 } else { newest };
        let number = store.open_version(application, above)?;
        Ok(Version {
            application,
            number,
        })
    }

    #[inline(never)]
    /// Writes this node's part and makes it durable; `None` where there is nothing.
    pub fn write(&mut self, version: Version) -> Outcome<Option<Totals>> {
        let Some(objects) = self.objects.take() else {
            return Ok(None);
        };
        for process in self.group.processes() {
            caps::set_application(process.tgid, version.application);
        }
        let node = self.node.config.node;
        let folder = self
            .store()?
            .create_part(version.application, version.number, node)?;
        let head = PartHead {
            application: version.application,
            version: version.number,
            node: node.raw(),
            epoch: self.node.config.epoch.0,
            date: self.date,
            release: [0; RELEASE_BYTES],
        };
        powercut::at(Step::PartMade);
        let mut part = FrameWriter::create(&folder, &head)?;
        let folder = &*self.written.insert(folder);
        let (signals, node) = (self.signals.clone(), self.node.clone());
        let watch = |bytes: u64| {
            node.gauge.bytes.fetch_add(bytes, Ordering::Relaxed);
            match signals.cancelled.load(Ordering::Acquire) {
                true => Err(Failure::new(FailureCode::Internal).text(format_args!("cancelled"))),
                false => Ok(()),
            }
        };
        self.node.gauge.bytes.store(0, Ordering::Relaxed);
        let table_of = |tid| objects.table_of(tid);
        objects.emit(node.config.node, &mut |kind, id, bytes| {
            part.record(kind, id, bytes)
        })?;
        self.memories
            .emit(&mut |kind, id, bytes| part.record(kind, id, bytes))?;
        self.group.emit(&table_of, &mut |kind, id, bytes| {
            part.record(kind, id, bytes)
        })?;
        let (pages, written) = self
            .memories
            .write(folder, &watch, &mut |kind, id, bytes| {
                part.record(kind, id, bytes)
            })?;
        objects.flush_files()?;
        // The part first: on a file system with a journal one commit then serves all of them.
        let summary = part.finish(self.counts.processes, self.counts.threads, pages)?;
        powercut::at(Step::PartDurable);
        written.sync()?;
        folder.sync()?;
        powercut::at(Step::FoldersDurable);
        Ok(Some(Totals {
            bytes: summary.bytes,
            digest: summary.digest,
            pause_ns_max: self.paused_ns,
        }))
    }

    fn commit_record(&self, report: &Report) -> Commit {
        Commit {
            application: report.version.application,
            version: report.version.number,
            pid: self.note.pid,
            date: self.date,
            nodes: report.nodes,
            processes: report.counts.processes,
            threads: report.counts.threads,
            streams: report.counts.streams,
            uid: self.options.uid,
            stream_bytes: report.counts.stream_bytes,
            bytes: report.totals.bytes,
            digest: report.totals.digest,
            description_len: 0,
            reserved: 0,
        }
    }

    fn description(&self) -> Outcome<&str> {
        core::str::from_utf8(&self.note.description)
            .map_err(|_| Failure::new(FailureCode::BadArgument).text(format_args!("description")))
    }

    /// Writes the commit record: from here on the version exists. Where other nodes have it, it
    /// exists already, and older versions go.
    pub fn commit(&mut self, report: &Report) -> Outcome {
        let store = self.store()?;
        let written = store.write_commit(&self.commit_record(report), self.description()?);
        if !self.options.copies() {
            return written;
        }
        if written.is_err() {
            pr_warn!("a version is committed, but not in the store of this node\n");
        }
        let owner = Local::owner(&self.options);
        let is_made = is_made(&self.node, &owner);
        store.let_go_below(report.version, self.note.keep, &is_made);
        Ok(())
    }

    /// The commit record as it goes to other nodes.
    #[inline(never)]
    pub fn record(&self, report: &Report) -> Outcome<KBox<Record>> {
        let mut bytes = [0; COMMIT_BYTES_MAX];
        let wrong = |_| Failure::new(FailureCode::BadArgument).text(format_args!("commit record"));
        let record = self.commit_record(report);
        let len = commit::emit(&record, self.description()?, fsio::digest, &mut bytes);
        let record = Record {
            owner: Local::owner(&self.options),
            keep: self.note.keep,
            bytes: Text::cut(&bytes[..len.map_err(wrong)?]),
        };
        Ok(KBox::new(record, GFP_KERNEL)?)
    }

    /// Removes the folder of a version that was never committed.
    pub fn remove_version(&mut self, version: Version) {
        let removed = self
            .store()
            .and_then(|store| store.remove_version(version.application, version.number));
        if removed.is_err() {
            pr_warn!("the folder of a failed checkpoint could not be removed\n");
        }
    }
}

/// An id that no application of the store has: `first`, if it is not 0, or a random one.
fn new_application(store: &Store, first: u64) -> Outcome<u64> {
    let mut id = first;
    for _ in 0..NAME_TRIES {
        if id != 0 && !store.has_application(id)? {
            return Ok(id);
        }
        let mut bytes = [0; 8];
        random(&mut bytes);
        id = u64::from_le_bytes(bytes) % caps::APPLICATION_END;
    }
    Err(Failure::new(FailureCode::Limit).text(format_args!("applications in the store")))
}
