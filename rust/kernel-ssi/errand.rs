// SPDX-License-Identifier: GPL-2.0
//! Short acts on the store that another node asked for, each in a thread of its own.

use crate::engine::Event;
use crate::failure::{Failure, FailureCode, Outcome};
use crate::host::Joined;
use crate::making::{is_made, Making};
use crate::media::{self, Store};
use crate::sys::caps;
use crate::sys::fsio::Creds;
use crate::sys::thread::{Run, Thread};
use core::sync::atomic::{AtomicU32, Ordering};
use kernel::c_str;
use kernel::prelude::*;
use kernel::sync::Arc;
use ssi_core::node::{NodeId, NodeSet, OpId};
use ssi_core::wire::copy::{
    Locate, Located, Message, NotLocated, Owner, Record, Recorded, Unrecorded,
};

/// Errands of this machine at the same time.
const ERRANDS_MAX: u32 = 64;

static RUNNING: AtomicU32 = AtomicU32::new(0);

/// What is to be done.
pub enum Act {
    /// Write a commit record.
    Record(KBox<Record>),
    /// Say which parts are here.
    Locate(KBox<Locate>),
}

/// One act, and who hears what came of it.
pub struct Errand {
    node: Arc<Joined>,
    op: OpId,
    to: NodeId,
    act: Act,
    _making: Option<Making>,
}

impl Act {
    /// What is said where it could not be done.
    pub fn refusal(&self, why: Failure, me: NodeId) -> Message {
        let failure = why.node(me.raw()).to_core();
        match self {
            Act::Record(_) => Message::Unrecorded(Unrecorded { failure }),
            Act::Locate(_) => Message::NotLocated(NotLocated { failure }),
        }
    }

    /// What nobody may take for left over until this is done.
    fn making(&self, node: &Arc<Joined>, op: OpId) -> Option<Making> {
        match self {
            Act::Record(record) => {
                let version = media::version_in(record.bytes.as_bytes()).ok()?;
                Making::begin(node, op, (&record.owner, version), false).ok()
            }
            Act::Locate(_) => None,
        }
    }

    fn run(&self, node: &Joined, op: OpId) -> Outcome<Message> {
        match self {
            Act::Record(record) => {
                let is_made = is_made(node, &record.owner);
                let (bytes, keep) = (record.bytes.as_bytes(), record.keep);
                store(&record.owner)?.write_record(bytes, keep, op, &is_made)?;
                Ok(Message::Recorded(Recorded))
            }
            Act::Locate(locate) => Ok(Message::Located(located(locate)?)),
        }
    }
}

fn store(owner: &Owner) -> Outcome<Store> {
    Store::new(
        owner.store.as_bytes(),
        Creds::of_user(owner.uid, owner.gid)?,
    )
}

fn located(locate: &Locate) -> Outcome<Located> {
    let store = store(&locate.owner)?;
    let parts = match locate.version.number {
        0 => NodeSet::EMPTY,
        _ => store.parts(locate.version, locate.digest)?,
    };
    Ok(Located {
        parts,
        newest: store.newest(locate.version.application)?,
        load: caps::count(),
    })
}

impl Errand {
    /// For node `to`, in operation `op`.
    pub fn new(node: Arc<Joined>, op: OpId, to: NodeId, act: Act) -> Errand {
        Errand {
            _making: act.making(&node, op),
            node,
            op,
            to,
            act,
        }
    }

    /// Does the act and tells the node.
    pub fn work(self) {
        let me = self.node.config.node;
        let answer = self.act.run(&self.node, self.op);
        let answer = answer.unwrap_or_else(|why| self.act.refusal(why, me));
        if let Ok(answer) = KBox::new(answer, GFP_KERNEL) {
            let _ = self.node.events.put(Event::Say(self.op, self.to, answer));
        }
    }
}

/// An errand that counts as running.
struct Counted(Errand);

impl Run for Counted {
    fn run(self) {
        self.0.work();
        RUNNING.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Does `act` and answers `to`; the answer where that cannot even begin.
pub fn send(node: Arc<Joined>, op: OpId, to: NodeId, act: Act) -> Option<Message> {
    let me = node.config.node;
    if RUNNING.fetch_add(1, Ordering::AcqRel) >= ERRANDS_MAX {
        RUNNING.fetch_sub(1, Ordering::AcqRel);
        let why = Failure::new(FailureCode::Limit).text(format_args!("acts on the store"));
        return Some(act.refusal(why, me));
    }
    let refusal = act.refusal(Failure::new(FailureCode::NoMemory), me);
    let errand = Errand::new(node, op, to, act);
    match Thread::start(c_str!("ssi_errand"), Counted(errand)) {
        Ok(_) => None,
        Err(_) => {
            RUNNING.fetch_sub(1, Ordering::AcqRel);
            Some(refusal)
        }
    }
}
