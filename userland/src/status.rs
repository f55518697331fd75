// SPDX-License-Identifier: GPL-2.0
//! How nodes and processes are shown: as a table for people, as JSON for programs.
use crate::exit::{Exit, Fault};
use crate::message::printable;
use serde::Serialize;
use ssi_core::abi::{cap, node_state, NodeStatus, ProcessStatus};
use std::net::Ipv4Addr;

/// A node, in words.
#[derive(Serialize)]
pub struct Node {
    node: u32,
    state: &'static str,
    address: Ipv4Addr,
    epoch: u64,
    processes: u32,
}

/// A process, in words.
#[derive(Serialize)]
pub struct Process {
    pid: u32,
    ppid: u32,
    pgid: u32,
    sid: u32,
    uid: u32,
    capabilities: &'static str,
    application: u64,
    command: String,
}

/// The name of a node's state.
fn state(number: u32) -> &'static str {
    match number {
        node_state::ABSENT => "absent",
        node_state::JOINING => "joining",
        node_state::UP => "up",
        node_state::DOWN => "down",
        node_state::REFUSED => "refused",
        node_state::ESTRANGED => "estranged",
        _ => "unknown",
    }
}

/// The names of a process's capability bits.
pub fn capabilities(bits: u32) -> &'static str {
    match bits & (cap::CHECKPOINTABLE | cap::INHERITABLE) {
        0 => "none",
        cap::CHECKPOINTABLE => "checkpointable",
        cap::INHERITABLE => "inheritable",
        _ => "checkpointable,inheritable",
    }
}

impl From<&NodeStatus> for Node {
    fn from(status: &NodeStatus) -> Node {
        Node {
            node: status.node,
            state: state(status.state),
            address: Ipv4Addr::from(status.address),
            epoch: status.epoch,
            processes: status.processes,
        }
    }
}

impl From<&ProcessStatus> for Process {
    fn from(status: &ProcessStatus) -> Process {
        let command = status
            .comm
            .split(|&byte| byte == 0)
            .next()
            .unwrap_or_default();
        Process {
            pid: status.pid,
            ppid: status.ppid,
            pgid: status.pgid,
            sid: status.sid,
            uid: status.uid,
            capabilities: capabilities(status.caps),
            application: status.application,
            command: printable(&String::from_utf8_lossy(command)),
        }
    }
}

/// The nodes as a table.
pub fn node_table(nodes: &[Node]) -> String {
    let mut text = format!(
        "{:>4} {:<8} {:<15} {:>9} EPOCH\n",
        "NODE", "STATE", "ADDRESS", "PROCS"
    );
    for node in nodes {
        let Node {
            node,
            state,
            address,
            epoch,
            processes,
        } = node;
        let address = address.to_string();
        text.push_str(&format!(
            "{node:>4} {state:<8} {address:<15} {processes:>9} {epoch}\n"
        ));
    }
    text
}

/// What the user has to do about the nodes, where that is anything.
pub fn advice(nodes: &[NodeStatus]) -> Option<String> {
    let estranged = |node: &&NodeStatus| node.state == node_state::ESTRANGED;
    let names = nodes.iter().filter(estranged);
    let names: Vec<_> = names.map(|node| node.node.to_string()).collect();
    (!names.is_empty()).then(|| {
        format!(
            "node {} and this node have given each other up; on one of them end the \
             applications, then: ssictl leave && ssictl join",
            names.join(", ")
        )
    })
}

/// The processes as a table.
pub fn process_table(processes: &[Process]) -> String {
    let mut text = format!(
        "{:>10} {:>10} {:>10} {:>10} {:>6} {:<26} {:>8} COMMAND\n",
        "PID", "PPID", "PGID", "SID", "UID", "CAPABILITIES", "APP"
    );
    for process in processes {
        let Process {
            pid,
            ppid,
            pgid,
            sid,
            uid,
            capabilities,
            application,
            command,
        } = process;
        text.push_str(&format!(
            "{pid:>10} {ppid:>10} {pgid:>10} {sid:>10} {uid:>6} {capabilities:<26} \
             {application:>8} {command}\n"
        ));
    }
    text
}

/// Anything as JSON, on one line.
pub fn json<T: Serialize + ?Sized>(value: &T) -> Result<String, Fault> {
    serde_json::to_string(value).map_err(|error| Fault::new(Exit::System, error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_shown_in_words() {
        let up = NodeStatus {
            node: 3,
            state: node_state::UP,
            address: 0x0a4d_0003,
            processes: 2,
            epoch: 9,
        };
        let nodes = [Node::from(&up)];
        assert!(node_table(&nodes).contains("   3 up       10.77.0.3               2 9\n"));
        assert_eq!(
            json(&nodes).unwrap(),
            r#"[{"node":3,"state":"up","address":"10.77.0.3","epoch":9,"processes":2}]"#
        );
    }

    #[test]
    fn advice_is_given_to_the_estranged_alone() {
        let node = |node, state| NodeStatus {
            node,
            state,
            ..NodeStatus::default()
        };
        assert_eq!(
            advice(&[node(1, node_state::UP), node(2, node_state::DOWN)]),
            None
        );
        let said = advice(&[node(1, node_state::UP), node(2, node_state::ESTRANGED)]).unwrap();
        assert!(said.starts_with("node 2 and this node") && said.contains("ssictl join"));
    }

    #[test]
    fn a_command_name_stops_at_its_end() {
        let process = ProcessStatus {
            pid: 1 << 22 | 300,
            ppid: 1,
            pgid: 1,
            sid: 1,
            caps: 3,
            uid: 0,
            application: 0,
            comm: *b"sort\0garbage\x1b\0\0\0",
        };
        let table = process_table(&[Process::from(&process)]);
        assert!(table.contains("checkpointable,inheritable"));
        assert!(table.ends_with(" sort\n"));
    }
}
