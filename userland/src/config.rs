// SPDX-License-Identifier: GPL-2.0
//! The file that names a cluster: /etc/ssi/cluster.toml.
use crate::exit::{Exit, Fault};
use crate::memory::Limit;
use crate::message::printable;
use serde::Deserialize;
use ssi_core::abi::{JoinArgs, NodeAddress, CLUSTER_KEY, CLUSTER_NAME, NODES_MAX};
use ssi_core::node::{NodeId, NodeSet};
use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::path::Path;

/// Where the file is unless the user says otherwise.
pub const PATH: &str = "/etc/ssi/cluster.toml";

/// Port of the transport unless the file says otherwise.
const PORT: u16 = 7788;

/// The file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: String,
    key: String,
    node: Option<u32>,
    #[serde(default = "default_port")]
    port: u16,
    #[serde(default)]
    failure_ms: u32,
    #[serde(default)]
    memory: Limit,
    nodes: Vec<FileNode>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileNode {
    id: u32,
    address: Ipv4Addr,
    group: Option<String>,
}

/// A cluster that this node can join.
pub struct Cluster {
    /// Everything but the addresses.
    pub join: JoinArgs,
    /// The addresses of all nodes.
    pub nodes: Vec<NodeAddress>,
    /// Memory of this node for checkpoints.
    pub memory: Limit,
}

fn default_port() -> u16 {
    PORT
}

/// Reads the cluster at `path`; `node` replaces the file's own `node`.
pub fn read(path: &Path, node: Option<u32>) -> Result<Cluster, Fault> {
    let wrong = |why: String| Fault::new(Exit::Config, format!("{}: {why}", path.display()));
    let text = std::fs::read_to_string(path)
        .map_err(|error| wrong(format!("{error}; name another file with --config")))?;
    parse(&text, node).map_err(wrong)
}

fn parse(text: &str, node: Option<u32>) -> Result<Cluster, String> {
    let file: File = toml::from_str(text).map_err(|error| at_line(text, &error))?;
    let nodes = addresses(&file.nodes)?;
    let node = node
        .or(file.node)
        .ok_or("`node` is missing: which of the nodes is this one?")?;
    if !nodes.iter().any(|known| known.node == node) {
        return Err(format!("node {node} is not among the [[nodes]]"));
    }
    if file.port == 0 {
        return Err("port 0 is no port".into());
    }
    let join = JoinArgs {
        node,
        port: u32::from(file.port),
        addresses_len: 0,
        failure_ms: file.failure_ms,
        addresses: 0,
        cluster: cluster_name(&file.name)?,
        key: cluster_key(&file.key)?,
        group: group_of(&file.nodes, node).words(),
    };
    Ok(Cluster {
        join,
        nodes,
        memory: file.memory,
    })
}

/// What is wrong with the file, and in which line.
fn at_line(text: &str, error: &toml::de::Error) -> String {
    let before = error.span().and_then(|span| text.get(..span.start));
    let line = before.map_or(1, |before| before.matches('\n').count() + 1);
    printable(&format!("line {line}: {}", error.message()))
}

/// The nodes of the same failure group, none where the file names none for this one.
fn group_of(nodes: &[FileNode], node: u32) -> NodeSet {
    let own = nodes.iter().find(|known| known.id == node);
    let Some(group) = own.and_then(|own| own.group.as_ref()) else {
        return NodeSet::EMPTY;
    };
    let mut set = NodeSet::EMPTY;
    for other in nodes
        .iter()
        .filter(|other| other.group.as_ref() == Some(group))
    {
        set = NodeId::new(other.id).map_or(set, |id| set.union(&NodeSet::only(id)));
    }
    set
}

fn addresses(nodes: &[FileNode]) -> Result<Vec<NodeAddress>, String> {
    if nodes.is_empty() || nodes.len() > NODES_MAX {
        return Err(format!(
            "{} nodes: between 1 and {NODES_MAX} are possible",
            nodes.len()
        ));
    }
    let mut ids = BTreeSet::new();
    let mut places = BTreeSet::new();
    for node in nodes {
        if NodeId::new(node.id).is_none() {
            return Err(format!(
                "node id {}: between 1 and 254 are possible",
                node.id
            ));
        }
        if !ids.insert(node.id) {
            return Err(format!("node id {} is there twice", node.id));
        }
        if !places.insert(node.address) {
            return Err(format!("address {} is there twice", node.address));
        }
    }
    let address = |node: &FileNode| NodeAddress {
        node: node.id,
        address: node.address.into(),
    };
    Ok(nodes.iter().map(address).collect())
}

fn cluster_name(name: &str) -> Result<[u8; CLUSTER_NAME], String> {
    let mut bytes = [0; CLUSTER_NAME];
    let Some(front) = bytes
        .get_mut(..name.len())
        .filter(|front| !front.is_empty())
    else {
        return Err(format!(
            "name: between 1 and {CLUSTER_NAME} bytes are possible"
        ));
    };
    front.copy_from_slice(name.as_bytes());
    Ok(bytes)
}

fn cluster_key(key: &str) -> Result<[u8; CLUSTER_KEY], String> {
    let wrong = || format!("key: {} hexadecimal digits are needed", 2 * CLUSTER_KEY);
    if key.len() != 2 * CLUSTER_KEY || !key.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Err(wrong());
    }
    let mut bytes = [0; CLUSTER_KEY];
    for (byte, digits) in bytes.iter_mut().zip(key.as_bytes().chunks(2)) {
        let digits = std::str::from_utf8(digits).map_err(|_| wrong())?;
        *byte = u8::from_str_radix(digits, 16).map_err(|_| wrong())?;
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(changes: &[(&str, &str)]) -> String {
        let key = "0123456789abcdef".repeat(4);
        let mut text = format!(
            "name = \"lab\"\nkey = \"{key}\"\nnode = 2\n\
             [[nodes]]\nid = 1\naddress = \"10.77.0.1\"\n\
             [[nodes]]\nid = 2\naddress = \"10.77.0.2\"\n"
        );
        for (from, to) in changes {
            assert!(text.contains(from));
            text = text.replacen(from, to, 1);
        }
        text
    }

    fn why(changes: &[(&str, &str)], node: Option<u32>) -> String {
        parse(&file(changes), node)
            .err()
            .expect("the file must be refused")
    }

    #[test]
    fn a_file_becomes_a_join() {
        let cluster = parse(&file(&[]), None).unwrap();
        assert_eq!((cluster.join.node, cluster.join.port), (2, 7788));
        assert_eq!(&cluster.join.cluster[..4], b"lab\0");
        assert_eq!(&cluster.join.key[..3], &[0x01, 0x23, 0x45]);
        assert_eq!(cluster.nodes[1].address, 0x0a4d_0002);
        assert_eq!(parse(&file(&[]), Some(1)).unwrap().join.node, 1);
    }

    #[test]
    fn who_may_fail_together() {
        let grouped = |one: &str, two: &str| {
            let one = format!("\"10.77.0.1\"\n{one}");
            let two = format!("\"10.77.0.2\"\n{two}");
            let changes = [("\"10.77.0.1\"\n", &*one), ("\"10.77.0.2\"\n", &*two)];
            parse(&file(&changes), None).unwrap().join.group[0]
        };
        let (rack1, rack2) = ("group = \"rack1\"\n", "group = \"rack2\"\n");
        assert_eq!(grouped(rack1, rack1), 0b110);
        assert_eq!(grouped(rack1, rack2), 0b100);
        assert_eq!(grouped(rack1, ""), 0);
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert!(why(&[("id = 2", "id = 1")], None).contains("id 1 is there twice"));
        assert!(why(&[("id = 2", "id = 255")], None).contains("node id 255"));
        assert!(why(&[("0.77.0.2", "0.77.0.1")], None).contains("10.77.0.1 is there twice"));
        assert!(why(&[("node = 2\n", "")], None).contains("`node` is missing"));
        assert!(why(&[], Some(9)).contains("node 9 is not among"));
        assert!(why(&[("abcdef\"", "abcdeg\"")], None).contains("64 hexadecimal digits"));
        assert!(why(&[("\"lab\"", "\"\"")], None).contains("name:"));
        assert!(why(&[("node = 2", "nood = 2")], None).contains("nood"));
    }
}
