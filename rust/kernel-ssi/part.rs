// SPDX-License-Identifier: GPL-2.0
//! One part of a version, built in a helper's context: read, checked, made, held.

use crate::claims::claim;
use crate::failure::{Failure, FailureCode, Outcome};
use crate::helper::{Spec, Stdio};
use crate::host::Joined;
use crate::media::{Folder, FrameReader, Store};
use crate::memory::{restore_current, Plans, RestoredShared, Source, Taken};
use crate::object::rebuild::{IdleTimer, Objects, Stdio as External};
use crate::object::Record;
use crate::restore::{Parts, Plan, Restored};
use crate::streams::Binder;
use crate::sys::fsio::Creds;
use core::sync::atomic::Ordering;
use kernel::prelude::*;
use kernel::str::CString;
use kernel::sync::{new_mutex, Arc, Mutex};
use ssi_core::abi::{step, RESTART_STOPPED};
use ssi_core::image::creds::Caller;
use ssi_core::image::frame::Kind;
use ssi_core::node::NodeId;
use ssi_core::restart::Restored as Totals;

/// Most bytes of records of one part that are held in memory while it is built.
const RECORD_BYTES_MAX: usize = 1 << 30;

/// A record that is kept until all are read.
struct Kept {
    kind: Kind,
    subject: u64,
    payload: KVVec<u8>,
}

/// What the processes of a part are made of; they take it in their own context.
struct Content {
    node: Arc<Joined>,
    spec: Arc<Spec>,
    plans: Plans,
    folder: Folder,
    shared: Arc<RestoredShared>,
    /// Until all processes have what they need of them.
    objects: Pin<KBox<Mutex<Option<Objects>>>>,
}

impl Parts for Content {
    fn memory(&self, memory: u32) -> Outcome {
        let watch = |bytes: u64| {
            self.node.gauge.bytes.fetch_add(bytes, Ordering::Relaxed);
            self.spec.check_cancelled()
        };
        let source = Source {
            plans: &self.plans,
            folder: &self.folder,
            shared: &self.shared,
            watch: &watch,
        };
        restore_current(&source, u64::from(memory))
    }

    fn table(&self, table: u32) -> Outcome {
        match self.objects.lock().as_mut() {
            Some(objects) => objects.install_current(table),
            None => Err(Failure::new(FailureCode::Internal)),
        }
    }
}

/// A part whose processes are held. Dropping it takes them back.
pub struct Part {
    restored: Restored,
    content: Arc<Content>,
    timers: KVVec<IdleTimer>,
    totals: Totals,
}

struct Read {
    plans: Plans,
    processes: Plan,
    objects: Objects,
    digest: u64,
    count: u32,
}

fn wrong(what: &str) -> Failure {
    Failure::new(FailureCode::Damaged).text(format_args!("{what}"))
}

/// Reads all records of a part and checks them, before anything is made.
fn read(spec: &Spec, folder: &Folder, part: NodeId, caller: Caller) -> Outcome<Read> {
    let mut reader = FrameReader::open(folder)?;
    let head = *reader.head();
    let options = &spec.options;
    if (head.application, head.version) != (options.application, options.version)
        || head.node != part.raw()
    {
        return Err(wrong("the part of another version or node"));
    }
    let mut plans = Plans::new();
    let mut processes = Plan::new();
    let mut kept: KVVec<Kept> = KVVec::new();
    let mut bytes = 0;
    while let Some(record) = reader.next()? {
        spec.check_cancelled()?;
        let (kind, subject) = (record.kind, record.subject);
        if matches!(plans.add(kind, subject, record.payload)?, Taken::Yes) {
            continue;
        }
        if processes.add(kind, subject, record.payload)? {
            continue;
        }
        bytes += record.payload.len();
        if bytes > RECORD_BYTES_MAX {
            return Err(Failure::new(FailureCode::Limit).text(format_args!("records of a part")));
        }
        let mut payload = KVVec::new();
        payload.extend_from_slice(record.payload, GFP_KERNEL)?;
        kept.push(
            Kept {
                kind,
                subject,
                payload,
            },
            GFP_KERNEL,
        )?;
    }
    plans.check()?;
    processes.check(caller)?;
    processes.set_application(options.application);
    if options.flags & RESTART_STOPPED != 0 {
        processes.set_stopped();
    }
    let objects = Objects::parse(kept.iter().map(|kept| Record {
        kind: kept.kind,
        subject: kept.subject,
        payload: &kept.payload,
    }))?;
    let tail = reader.tail().ok_or(wrong("no tail"))?;
    Ok(Read {
        digest: tail.digest,
        count: processes.processes().len() as u32,
        plans,
        processes,
        objects,
    })
}

fn external(spec: &Spec, stdio: Stdio) -> Outcome<External> {
    let output = spec.options.output.as_bytes();
    let path = match (output, stdio) {
        ([], Stdio::Own) => return Ok(External::Caller),
        ([], Stdio::Null) => b"/dev/null",
        (output, _) => output,
    };
    let mut bytes = KVec::new();
    bytes.extend_from_slice(path, GFP_KERNEL)?;
    bytes.push(0, GFP_KERNEL)?;
    let path = CStr::from_bytes_with_nul(&bytes).map_err(|_| wrong("output file"))?;
    Ok(External::Output(CString::try_from(path)?))
}

impl Part {
    /// Builds the part that node `part` wrote; its processes are held.
    ///
    /// # Errors
    ///
    /// `Damaged`, `Incompatible`, `PidInUse`, `FileGone`, `NotPermitted`, …: nothing is left then.
    pub fn restore(spec: &Arc<Spec>, part: NodeId, stdio: Stdio) -> Outcome<Part> {
        let options = &spec.options;
        spec.node.gauge.enter(step::CREATE);
        let creds = Creds::of_user(options.uid, options.gid)?;
        let store = Store::new(options.store.as_bytes(), creds)?;
        let folder = store.part(options.application, options.version, part)?;
        let caller = Caller { uid: options.uid };
        let Read {
            plans,
            processes,
            mut objects,
            digest,
            count,
        } = read(spec, &folder, part, caller)?;
        // Nothing of the part is made, and no file touched, while somebody may run it.
        claim(spec, part, processes.pids()?)?;
        spec.node
            .gauge
            .bytes_total
            .store(plans.page_bytes(), Ordering::Relaxed);
        let rights = Creds::of_user(options.uid, options.gid)?;
        objects.create(&Binder { spec }, &external(spec, stdio)?, &rights)?;
        let streams = objects.stream_ends();
        let content = Arc::new(
            Content {
                node: spec.node.clone(),
                spec: spec.clone(),
                plans,
                folder,
                shared: RestoredShared::new()?,
                objects: KBox::pin_init(new_mutex!(Some(objects), "ssi_objects"), GFP_KERNEL)?,
            },
            GFP_KERNEL,
        )?;
        let restored = processes.create(content.clone(), caller)?;
        let head_root = restored.heads().iter().min().copied().unwrap_or(0);
        let objects = content.objects.lock().take();
        let timers = match objects {
            // Not before: where a PID is in use, the application may still run and write them.
            Some(objects) => objects.finish(&rights)?,
            None => KVVec::new(),
        };
        Ok(Part {
            restored,
            content,
            timers,
            totals: Totals {
                processes: count,
                streams,
                head_root,
                digest,
            },
        })
    }

    /// What was restored.
    pub fn totals(&self) -> Totals {
        self.totals
    }

    /// Lets the processes go.
    pub fn release(self) {
        self.timers.into_iter().for_each(IdleTimer::start);
        self.restored.release();
        self.content.node.gauge.enter(step::IDLE);
    }
}
