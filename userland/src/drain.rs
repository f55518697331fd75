// SPDX-License-Identifier: GPL-2.0
//! Empties a node: every application with a process here is saved, ended, and restarted elsewhere.
use crate::exit::{Exit, Fault};
use crate::message::explain_control;
use crate::{call, checkpoint, restart};
use nix::sys::signal::Signal;
use serde::Serialize;
use ssi_core::abi::{
    node_state, ProcessStatus, RestartReport, CHECKPOINT_EXTERNAL_ENDS, CHECKPOINT_HOLD,
};
use ssi_core::node::{ClusterPid, NodeId, NodeSet};
use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

/// Most applications that are moved.
const APPLICATIONS_MAX: usize = 4096;

/// Killed processes keep their PIDs until their fathers have waited for them: so long at most.
const GONE_MAX: Duration = Duration::from_secs(20);

/// Between two tries meanwhile.
const TRY_AGAIN: Duration = Duration::from_millis(100);

/// An application that has moved.
#[derive(Serialize)]
pub struct Moved {
    application: u64,
    version: u32,
    processes: u32,
    nodes: u32,
}

impl std::fmt::Display for Moved {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Moved {
            application,
            version,
            processes,
            nodes,
        } = self;
        write!(
            out,
            "application {application} moved with version {version}: {processes} processes on \
             {nodes} other nodes"
        )
    }
}

/// The nodes that are up, without this one: the one that gave this process its PID.
fn others() -> Result<NodeSet, Fault> {
    let own = ClusterPid::new(std::process::id()).map(ClusterPid::birth);
    let nodes = call::nodes().map_err(|error| explain_control(&error))?;
    let mut others = NodeSet::EMPTY;
    for node in nodes.iter().filter(|node| node.state == node_state::UP) {
        if let Some(id) = NodeId::new(node.node).filter(|id| Some(*id) != own) {
            others.insert(id);
        }
    }
    match others.is_empty() {
        true => Err(Fault::new(
            Exit::NodeUnreachable,
            "no other node is up: ssictl status",
        )),
        false => Ok(others),
    }
}

/// Moves all applications that have a process on this node, and returns when none is left of them;
/// `tell` hears of each.
pub fn drain(store: &Path, tell: &mut dyn FnMut(&Moved) -> Result<(), Fault>) -> Result<(), Fault> {
    let mut moved = BTreeSet::new();
    let mut ended = BTreeSet::new();
    let mut deadline = Instant::now() + GONE_MAX;
    loop {
        let (processes, _) = call::processes().map_err(|error| explain_control(&error))?;
        let Some(last) = processes.last() else {
            return Ok(());
        };
        // Those that were killed are listed until their fathers have waited for them.
        let is_over = |process: &&ProcessStatus| {
            moved.contains(&process.application) || ended.contains(&process.pid)
        };
        let Some(process) = processes.iter().find(|process| !is_over(process)) else {
            if Instant::now() > deadline {
                let why = format!(
                    "process {} has ended, and its father does not wait",
                    last.pid
                );
                return Err(Fault::new(Exit::StopTimeout, why));
            }
            std::thread::sleep(TRY_AGAIN);
            continue;
        };
        if moved.len() + ended.len() >= APPLICATIONS_MAX {
            let why = format!("more than {APPLICATIONS_MAX} applications");
            return Err(Fault::new(Exit::Limit, why));
        }
        match move_one(process.pid, store) {
            Err(fault) if fault.exit == Exit::NoSuchProcess => {
                ended.insert(process.pid);
            }
            done => {
                let done = done?;
                tell(&done)?;
                moved.insert(done.application);
            }
        }
        deadline = Instant::now() + GONE_MAX;
    }
}

fn move_one(pid: u32, store: &Path) -> Result<Moved, Fault> {
    let nodes = others()?;
    let saved = checkpoint::take(&call::Checkpoint {
        flags: CHECKPOINT_HOLD | CHECKPOINT_EXTERNAL_ENDS,
        pid,
        store,
        description: "drained",
        // CAST: signals are small.
        signal: Signal::SIGKILL as u32,
        keep: 0,
    })?;
    let (application, version) = (saved.application, saved.version);
    let report = restart_elsewhere(store, application, version, nodes).map_err(|fault| {
        let text = format!(
            "application {application} was ended; version {version} of it is in {}, and could \
             not be restarted: {}",
            store.display(),
            fault.text
        );
        Fault::new(fault.exit, text)
    })?;
    Ok(Moved {
        application,
        version,
        processes: report.processes,
        nodes: report.nodes,
    })
}

fn restart_elsewhere(
    store: &Path,
    application: u64,
    version: u32,
    nodes: NodeSet,
) -> Result<RestartReport, Fault> {
    let what = call::Restart {
        application,
        version,
        store,
        output: None,
        flags: 0,
        nodes,
    };
    let deadline = Instant::now() + GONE_MAX;
    loop {
        match restart::run(&what) {
            Err(fault) if fault.exit == Exit::PidInUse && Instant::now() < deadline => {
                std::thread::sleep(TRY_AGAIN);
            }
            done => return done,
        }
    }
}
