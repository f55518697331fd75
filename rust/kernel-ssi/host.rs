// SPDX-License-Identifier: GPL-2.0
//! This node as a member of a cluster: what system calls see of it.

use crate::engine::{Call, Event};
use crate::failure::{Failure, FailureCode, Outcome};
use crate::helper::{self, Helper};
use crate::making::MadeHere;
use crate::queue::Queue;
use crate::reply::Reply;
use crate::request::{CheckpointRequest, FlushRequest, RestartRequest};
use crate::sys::global::Global;
use crate::transport::{LinkEvent, LinkSink};
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use kernel::prelude::*;
use kernel::sync::{new_mutex, Arc, Mutex};
use ssi_core::abi::{self, CheckpointReport, FlushReport, NodeStatus, RestartReport};
use ssi_core::node::{Epoch, NodeId, NodeSet};

/// Events that may wait for the protocol thread; producers wait past that.
const EVENTS_MAX: usize = 1024;

/// How this node joined.
pub struct Config {
    /// This node.
    pub node: NodeId,
    /// This life of it.
    pub epoch: Epoch,
    /// Port of the transport on all nodes.
    pub port: u16,
    /// Silence after which a peer is dead, milliseconds.
    pub failure_ms: u32,
    /// All nodes of the cluster, this one among them.
    pub nodes: KVec<(NodeId, u32)>,
    /// Those that may fail together with this one.
    pub group: NodeSet,
    /// Name of the cluster, padded with zeros.
    pub cluster: [u8; abi::CLUSTER_NAME],
    /// Its key.
    pub key: [u8; abi::CLUSTER_KEY],
}

impl Config {
    /// The IPv4 address of a node, host byte order.
    pub fn address_of(&self, node: NodeId) -> Option<u32> {
        let entry = self.nodes.iter().find(|(id, _)| *id == node);
        entry.map(|(_, address)| *address)
    }

    /// The node with this IPv4 address.
    pub fn node_at(&self, address: u32) -> Option<NodeId> {
        let entry = self.nodes.iter().find(|(_, at)| *at == address);
        entry.map(|(id, _)| *id)
    }
}

/// How far the newest operation of this node is; written by its worker, read by anybody.
#[derive(Default)]
pub struct Gauge {
    /// A number of `abi::step`.
    pub step: AtomicU32,
    /// Processes found.
    pub processes: AtomicU32,
    /// Bytes written or read.
    pub bytes: AtomicU64,
    /// Bytes expected.
    pub bytes_total: AtomicU64,
}

impl Gauge {
    /// Begins the step.
    pub fn enter(&self, step: u32) {
        self.step.store(step, Ordering::Relaxed);
    }
}

/// A joined node.
#[pin_data]
pub struct Joined {
    /// How it joined.
    pub config: Config,
    /// What the protocol thread has to work on.
    pub events: Arc<Queue<Event>>,
    /// Progress of the newest operation.
    pub gauge: Gauge,
    #[pin]
    status: Mutex<KVec<NodeStatus>>,
    #[pin]
    made_here: Mutex<MadeHere>,
}

/// Hands link events to the protocol thread.
pub struct Sink(pub Arc<Queue<Event>>);

impl LinkSink for Sink {
    fn put(&self, event: LinkEvent) {
        // After leaving nobody listens any more.
        let _ = self.0.put(Event::Link(event));
    }
}

fn gone<T>(_: T) -> Failure {
    Failure::new(FailureCode::NotJoined)
}

impl Joined {
    /// The node before its first contact.
    pub fn new(config: Config) -> Result<Arc<Joined>> {
        let events = Queue::new(EVENTS_MAX)?;
        Arc::pin_init(
            pin_init!(Joined {
                config,
                events,
                gauge: Gauge::default(),
                status <- new_mutex!(KVec::new(), "ssi_status"),
                made_here <- new_mutex!(MadeHere::new(), "ssi_made_here"),
            }),
            GFP_KERNEL,
        )
    }

    /// Takes a checkpoint and waits for its commit.
    pub fn checkpoint(&self, request: CheckpointRequest) -> Outcome<CheckpointReport> {
        let reply = Reply::new()?;
        let call = Call::Checkpoint(KBox::new(request, GFP_KERNEL)?, reply.clone());
        self.events.put(Event::Call(call)).map_err(gone)?;
        reply.wait()?
    }

    /// Writes a version to another store and waits until it is there.
    pub fn flush(&self, request: FlushRequest) -> Outcome<FlushReport> {
        let reply = Reply::new()?;
        let call = Call::Flush(KBox::new(request, GFP_KERNEL)?, reply.clone());
        self.events.put(Event::Call(call)).map_err(gone)?;
        reply.wait()?
    }

    /// Restarts a version and waits until it runs; this node's share becomes the caller's.
    pub fn restart(&self, request: RestartRequest) -> Outcome<RestartReport> {
        let reply = Reply::new()?;
        let helper = Helper::new()?;
        let request = KBox::new(request, GFP_KERNEL)?;
        let call = Call::Restart(request, helper.clone(), reply.clone());
        self.events.put(Event::Call(call)).map_err(gone)?;
        if helper::serve(&helper).is_err() {
            let _ = self.events.put(Event::Call(Call::Abandon(helper)));
            return Err(Failure::new(FailureCode::Internal).errno(EINTR));
        }
        reply.wait()?
    }

    /// Serves the operation with this number as its helper process.
    pub fn help(&self, number: u64) -> Outcome {
        let reply = Reply::new()?;
        self.events
            .put(Event::Call(Call::Help(number, reply.clone())))
            .map_err(gone)?;
        let helper = reply.wait()??;
        if helper::serve(&helper).is_err() {
            let _ = self.events.put(Event::Call(Call::Abandon(helper)));
        }
        Ok(())
    }

    /// Versions that are being made here.
    pub fn made_here(&self) -> &Mutex<MadeHere> {
        &self.made_here
    }

    /// All nodes as seen from here.
    pub fn status(&self) -> Outcome<KVec<NodeStatus>> {
        let mut copy = KVec::new();
        copy.extend_from_slice(&self.status.lock(), GFP_KERNEL)?;
        Ok(copy)
    }

    /// Replaces what [`Joined::status`] answers.
    pub fn set_status(&self, nodes: KVec<NodeStatus>) {
        *self.status.lock() = nodes;
    }

    /// How far the newest operation is.
    pub fn progress(&self) -> abi::Progress {
        abi::Progress {
            step: self.gauge.step.load(Ordering::Relaxed),
            processes: self.gauge.processes.load(Ordering::Relaxed),
            bytes: self.gauge.bytes.load(Ordering::Relaxed),
            bytes_total: self.gauge.bytes_total.load(Ordering::Relaxed),
        }
    }

    /// A process with a capability, or with a PID of another node, is gone.
    pub fn process_gone(&self, pid: u32) {
        let _ = self.events.try_put(Event::Gone(pid));
    }
}

/// The module's own place in the kernel.
#[pin_data]
pub struct Host {
    #[pin]
    joined: Mutex<Option<Arc<Joined>>>,
}

static HOST: Global<Host> = Global::new();

/// Makes the place, once, when the module is loaded.
pub fn start() -> Result {
    let host = pin_init!(Host {
        joined <- new_mutex!(None, "ssi_host"),
    });
    HOST.set(KBox::pin_init(host, GFP_KERNEL)?);
    Ok(())
}

/// This node, where it has joined.
pub fn joined() -> Outcome<Arc<Joined>> {
    let node = HOST.get().and_then(|host| host.joined.lock().clone());
    node.ok_or(Failure::new(FailureCode::NotJoined))
}

/// Makes `make`'s node the joined one, unless there is one.
pub fn join_with(make: impl FnOnce() -> Outcome<Arc<Joined>>) -> Outcome {
    let host = HOST.get().ok_or(Failure::new(FailureCode::Internal))?;
    let mut joined = host.joined.lock();
    if joined.is_some() {
        return Err(Failure::new(FailureCode::Busy).text(format_args!("joined already")));
    }
    *joined = Some(make()?);
    Ok(())
}

/// Forgets the joined node and gives it back.
pub fn forget() -> Outcome<Arc<Joined>> {
    let host = HOST.get().ok_or(Failure::new(FailureCode::Internal))?;
    let node = host.joined.lock().take();
    node.ok_or(Failure::new(FailureCode::NotJoined))
}
