// SPDX-License-Identifier: GPL-2.0
//! Every process saves itself, in its own context; the records are handed out later.

use crate::failure::{Failure, FailureCode, Outcome};
use crate::freeze::{Group, Process};
use crate::memory::{Memories, Sink};
use crate::sys::mm::TaskRef;
use crate::sys::stop::Save;
use core::sync::atomic::Ordering;
use kernel::prelude::*;
use kernel::sync::{new_mutex, Mutex};
use ssi_core::codec::Field;
use ssi_core::image::frame::Kind;
use ssi_core::image::process;
use ssi_core::image::thread::Thread;

/// What a process does beside saving itself, in its own context.
pub type Hook<'a> = &'a (dyn Fn(&Process) -> Outcome + Sync);

struct Hooked<'a> {
    group: &'a [Process],
    memories: &'a Memories,
    hook: Hook<'a>,
    failure: &'a Mutex<Option<Failure>>,
}

impl Save for Hooked<'_> {
    fn save(&self, index: u32) -> Result<(), Error> {
        let Some(process) = self.group.iter().find(|process| process.index == index) else {
            return Err(ESRCH);
        };
        self.save_more(process).map_err(|failure| {
            self.failure.lock().get_or_insert(failure);
            EIO
        })
    }
}

impl Hooked<'_> {
    fn save_more(&self, process: &Process) -> Outcome {
        let Some(task) = process.tasks.first() else {
            return Ok(());
        };
        let named = |failure: Failure| failure.pid(process.tgid);
        let id = self.memories.clone_of(TaskRef::from(task)).map_err(named)?;
        let id = u32::try_from(id).map_err(|_| named(Failure::new(FailureCode::Limit)))?;
        process.memory.store(id, Ordering::Relaxed);
        (self.hook)(process)
    }
}

impl Group {
    /// Every process saves what it is, clones its memory into `memories` and runs `hook`, all at
    /// once; returns when all have. A process none of whose threads can run (SIGSTOP, vfork) is
    /// saved by the caller.
    ///
    /// # Errors
    ///
    /// `Unsupported` with what cannot be saved; `NoSuchProcess` where it was killed; `NoMemory`;
    /// what `hook` returned. The group is still stopped then.
    pub fn snapshot(&mut self, memories: &Memories, hook: Hook<'_>) -> Outcome {
        let failure = KBox::pin_init(new_mutex!(None), GFP_KERNEL)?;
        let processes = core::mem::take(&mut self.processes);
        let result = self.raw.save(&Hooked {
            group: &processes,
            memories,
            hook,
            failure: &failure,
        });
        self.processes = processes;
        let reported = failure.lock().take();
        match (result, reported) {
            (Ok(()), _) => Ok(()),
            (Err(_), Some(failure)) => Err(failure),
            (Err(refusal), None) => Err(self.explain(refusal)),
        }
    }

    /// Hands out what was saved, best after the release. `table_of` names the descriptor table
    /// of a thread.
    pub fn emit(&self, table_of: &dyn Fn(u32) -> u32, sink: Sink<'_>) -> Outcome {
        let mut failure = None;
        let done = self.raw.records(&mut |kind, subject, payload| {
            self.emit_one(kind, subject, payload, table_of, sink)
                .map_err(|reason| {
                    failure = Some(reason);
                    EIO
                })
        });
        match (done, failure) {
            (Ok(()), _) => Ok(()),
            (Err(_), Some(failure)) => Err(failure),
            (Err(error), None) => Err(error.into()),
        }
    }

    fn emit_one(
        &self,
        kind: u32,
        subject: u64,
        payload: &[u8],
        table_of: &dyn Fn(u32) -> u32,
        sink: Sink<'_>,
    ) -> Outcome {
        let internal =
            || Failure::new(FailureCode::Internal).text(format_args!("record of kind {kind}"));
        match u16::try_from(kind)
            .ok()
            .and_then(Kind::new)
            .ok_or_else(internal)?
        {
            Kind::Thread => {
                let mut thread = Thread::take(payload).map_err(|_| internal())?;
                thread.table = table_of(thread.tid);
                emit_record::<{ Thread::SIZE }, _>(Kind::Thread, subject, &thread, sink)
            }
            Kind::Process => {
                let mut process = process::Process::take(payload).map_err(|_| internal())?;
                process.memory = self.memory_of(process.pid);
                emit_record::<{ process::Process::SIZE }, _>(Kind::Process, subject, &process, sink)
            }
            kind => sink(kind, subject, payload),
        }
    }

    fn memory_of(&self, pid: u32) -> u32 {
        let process = self.processes.iter().find(|process| process.tgid == pid);
        process.map_or(0, |process| process.memory.load(Ordering::Relaxed))
    }
}

fn emit_record<const N: usize, R: Field>(
    kind: Kind,
    subject: u64,
    record: &R,
    sink: Sink<'_>,
) -> Outcome {
    let mut bytes = [0; N];
    record
        .put(&mut bytes)
        .map_err(|_| Failure::new(FailureCode::Internal))?;
    sink(kind, subject, &bytes)
}
