// SPDX-License-Identifier: GPL-2.0
//! Joining a cluster and leaving it.

use crate::engine::{Engine, Event};
use crate::failure::{Failure, FailureCode, Outcome};
use crate::host::{self, Config, Joined, Sink};
use crate::sys::thread::{self, Thread};
use crate::sys::{caps, entry, user};
use crate::transport::Listener;
use kernel::c_str;
use kernel::prelude::*;
use kernel::sync::Arc;
use ssi_core::abi::{JoinArgs, NodeAddress, NODES_MAX};
use ssi_core::limits;
use ssi_core::node::{Epoch, NodeId, NodeSet};

fn bad(what: &str) -> Failure {
    Failure::new(FailureCode::BadArgument).text(format_args!("{what}"))
}

fn nodes(args: &JoinArgs) -> Outcome<KVec<(NodeId, u32)>> {
    let count = args.addresses_len as usize;
    if count == 0 || count > NODES_MAX {
        return Err(bad("number of nodes"));
    }
    let mut nodes: KVec<(NodeId, u32)> = KVec::with_capacity(count, GFP_KERNEL)?;
    for at in (args.addresses..)
        .step_by(size_of::<NodeAddress>())
        .take(count)
    {
        let entry: NodeAddress = user::read(at)?;
        let id = NodeId::new(entry.node).ok_or(bad("node id"))?;
        if entry.address == 0 {
            return Err(bad("node address"));
        }
        if nodes
            .iter()
            .any(|(other, address)| *other == id || *address == entry.address)
        {
            return Err(bad("a node or an address twice"));
        }
        nodes.push((id, entry.address), GFP_KERNEL)?;
    }
    Ok(nodes)
}

#[inline(never)]
fn config(args: &JoinArgs) -> Outcome<Config> {
    let node = NodeId::new(args.node).ok_or(bad("node id"))?;
    let failure_ms = match args.failure_ms {
        0 => limits::FAILURE_MS_DEFAULT,
        ms if (limits::FAILURE_MS_MIN..=limits::FAILURE_MS_MAX).contains(&ms) => ms,
        _ => return Err(bad("failure time")),
    };
    let config = Config {
        node,
        epoch: Epoch(thread::wall_ms()),
        port: u16::try_from(args.port).map_err(|_| bad("port"))?,
        failure_ms,
        nodes: nodes(args)?,
        group: NodeSet::of_words(args.group).ok_or(bad("group"))?,
        cluster: args.cluster,
        key: args.key,
    };
    match config.address_of(node) {
        Some(_) if config.port != 0 => Ok(config),
        _ => Err(bad("this node is not among the nodes, or there is no port")),
    }
}

#[inline(never)]
fn start(config: Config) -> Outcome<Arc<Joined>> {
    let (min, max) = config.node.pid_range();
    let first = config.node.first_pid(config.epoch);
    let address = config.address_of(config.node).ok_or(bad("node"))?;
    let port = config.port;
    let node = Joined::new(config)?;
    let sink = Arc::new(Sink(node.events.clone()), GFP_KERNEL)?;
    let unreachable = Failure::new(FailureCode::NodeUnreachable).node(node.config.node.raw());
    let listener = Listener::open(address, port, sink.clone())
        .map_err(|error| unreachable.errno(error).text(format_args!("port {port}")))?;
    let engine = Engine::new(node.clone(), listener, sink)?;
    entry::set_pid_range(min, max, first)?;
    // Detached: it ends when its queue is closed.
    drop(Thread::start(c_str!("ssi_engine"), engine)?);
    Ok(node)
}

/// Joins as the [`JoinArgs`] at `address` say.
///
/// # Errors
///
/// `BadArgument`, `Busy` where the node has joined, `NodeUnreachable` where it cannot listen.
#[inline(never)]
pub fn join(address: u64) -> Outcome {
    let args: JoinArgs = user::read(address)?;
    let config = config(&args)?;
    host::join_with(|| start(config))
}

/// Leaves the cluster.
///
/// # Errors
///
/// `NotJoined`; `Busy` while CHECKPOINTABLE processes run here.
pub fn leave() -> Outcome {
    host::joined()?;
    if caps::count() > 0 {
        return Err(Failure::new(FailureCode::Busy).text(format_args!("applications run here")));
    }
    let node = host::forget()?;
    let _ = node.events.put(Event::Leave);
    node.events.close();
    Ok(())
}
