// SPDX-License-Identifier: GPL-2.0
//! The thread that stores one copy of another node's part, act by act.

use crate::engine::Event;
use crate::failure::{Failure, FailureCode, Outcome};
use crate::host::Joined;
use crate::media::{Folder, PageFile, Store};
use crate::queue::{Queue, Taken};
use crate::sys::fsio::Creds;
use crate::sys::thread::{Run, Thread};
use kernel::c_str;
use kernel::prelude::*;
use kernel::sync::Arc;
use ssi_core::limits::COPY_WINDOW;
use ssi_core::node::{NodeId, OpId};
use ssi_core::wire::bulk::{Chunk, FileName, HEAD_BYTES};
use ssi_core::wire::copy::Offer;

/// Acts that may wait: a window of chunks, and those at both ends.
const JOBS_MAX: usize = COPY_WINDOW as usize + 4;

/// One act, named after the core's effect.
pub enum Job {
    /// Make the folder.
    Open,
    /// Append a chunk; the bytes as they came, head and all.
    Store(Chunk, KVec<u8>),
    /// Make everything durable.
    Sync,
    /// Remove it.
    Remove,
}

/// What the thread has done.
pub enum Done {
    /// The folder is made.
    Opened,
    /// The oldest chunk is stored.
    Stored,
    /// All is durable.
    Synced,
    /// It is removed.
    Removed,
    /// An act failed.
    Failed(Failure),
}

/// The engine's end of the thread.
pub struct Writer {
    jobs: Arc<Queue<Job>>,
}

impl Writer {
    /// Starts the thread of the copy that `sender` offers.
    pub fn start(node: Arc<Joined>, op: OpId, sender: NodeId, offer: &Offer) -> Outcome<Writer> {
        let jobs = Queue::new(JOBS_MAX)?;
        let body = Body {
            node,
            op,
            sender,
            offer: *offer,
            jobs: jobs.clone(),
            folder: None,
            file: None,
        };
        drop(Thread::start(c_str!("ssi_keeper"), body)?);
        Ok(Writer { jobs })
    }

    /// Queues an act. `false` where the thread is hopelessly behind.
    #[must_use]
    pub fn give(&self, job: Job) -> bool {
        self.jobs.try_put(job).is_ok()
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.jobs.close();
    }
}

/// The file that is being written.
struct Growing {
    name: FileName,
    file: PageFile,
    pos: u64,
}

struct Body {
    node: Arc<Joined>,
    op: OpId,
    sender: NodeId,
    offer: Offer,
    jobs: Arc<Queue<Job>>,
    folder: Option<Folder>,
    file: Option<Growing>,
}

impl Body {
    fn open(&mut self) -> Outcome<Done> {
        let owner = &self.offer.owner;
        let creds = Creds::of_user(owner.uid, owner.gid)?;
        let store = Store::new(owner.store.as_bytes(), creds)?;
        self.folder = Some(store.create_copy(self.offer.version, self.sender)?);
        Ok(Done::Opened)
    }

    /// The file of a chunk, which stands where the chunk begins.
    fn file_of(&mut self, chunk: &Chunk) -> Outcome<&mut Growing> {
        let goes_on = |at: &Growing| at.name == chunk.file && at.pos == chunk.position;
        if !self.file.as_ref().is_some_and(goes_on) {
            let wrong =
                || Failure::new(FailureCode::Internal).text(format_args!("a chunk is lost"));
            if chunk.position != 0 {
                return Err(wrong());
            }
            self.end_file()?;
            let file = self
                .folder
                .as_ref()
                .ok_or_else(wrong)?
                .create_file(chunk.file)?;
            self.file = Some(Growing {
                name: chunk.file,
                file,
                pos: 0,
            });
        }
        self.file
            .as_mut()
            .ok_or(Failure::new(FailureCode::Internal))
    }

    fn store(&mut self, chunk: &Chunk, bytes: &[u8]) -> Outcome<Done> {
        let at = self.file_of(chunk)?;
        let bytes = bytes.get(HEAD_BYTES..).unwrap_or(&[]);
        at.file
            .file()
            .write_at(bytes, at.pos, at.file.creds())
            .map_err(|error| at.file.failed(error))?;
        at.pos += bytes.len() as u64;
        Ok(Done::Stored)
    }

    fn end_file(&mut self) -> Outcome {
        match self.file.take() {
            Some(done) => done.file.sync(),
            None => Ok(()),
        }
    }

    fn sync(&mut self) -> Outcome<Done> {
        self.end_file()?;
        if let Some(folder) = self.folder.as_ref() {
            folder.sync()?;
        }
        Ok(Done::Synced)
    }

    fn remove(&mut self) {
        self.file = None;
        if let Some(folder) = self.folder.take() {
            if folder.remove().is_err() {
                pr_warn!("the copy of a part could not be removed\n");
            }
        }
    }

    fn work(&mut self, job: Job) -> Outcome<Done> {
        match job {
            Job::Open => self.open(),
            Job::Store(chunk, bytes) => self.store(&chunk, &bytes),
            Job::Sync => self.sync(),
            Job::Remove => {
                self.remove();
                Ok(Done::Removed)
            }
        }
    }
}

impl Run for Body {
    fn run(mut self) {
        while let Taken::Item(job) = self.jobs.take(None) {
            let me = self.node.config.node.raw();
            let done = self.work(job);
            let done = done.unwrap_or_else(|why| Done::Failed(why.node(me)));
            let _ = self
                .node
                .events
                .put(Event::Keep(self.op, self.sender, done));
        }
    }
}
