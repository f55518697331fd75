// SPDX-License-Identifier: GPL-2.0
//! The files that a version consists of: no other name is read, or written.
use ssi_core::image::memory::SHARED_IDS;
use ssi_core::node::NodeId;
use std::fmt;
use std::path::Path;

/// A file of a version, relative to its folder.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Name {
    /// `commit`.
    Commit,
    /// `node-<n>/part`.
    Part(NodeId),
    /// `node-<n>/mm-<k>`: the pages of address space k.
    Space(NodeId, u64),
    /// `node-<n>/shm-<k>`: the pages of shared memory k.
    Shared(NodeId, u64),
}

impl Name {
    /// The file of that name, if a version can have it.
    pub fn parse(text: &str) -> Option<Name> {
        if text == "commit" {
            return Some(Name::Commit);
        }
        let (node, file) = text.strip_prefix("node-")?.split_once('/')?;
        let node = NodeId::new(u32::try_from(number(node)?).ok()?)?;
        if file == "part" {
            return Some(Name::Part(node));
        }
        if let Some(id) = file.strip_prefix("mm-") {
            return Some(Name::Space(node, number(id)?));
        }
        Some(Name::Shared(node, number(file.strip_prefix("shm-")?)?))
    }

    /// The node that wrote the file; none wrote the commit record alone.
    pub fn node(&self) -> Option<NodeId> {
        match self {
            Name::Commit => None,
            Name::Part(node) | Name::Space(node, _) | Name::Shared(node, _) => Some(*node),
        }
    }

    /// The page file of the memory with this id.
    pub fn of_memory(node: NodeId, id: u64) -> Name {
        match id.checked_sub(SHARED_IDS) {
            Some(shared) if shared > 0 => Name::Shared(node, shared),
            _ => Name::Space(node, id),
        }
    }

    /// The files that stand in the folder of a version, the commit record last, as far as they
    /// are a version's.
    pub fn all(folder: &Path) -> std::io::Result<Vec<Name>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            let Some(name) = entry.file_name().to_str().map(str::to_owned) else {
                continue;
            };
            if name == "commit" {
                names.push(Name::Commit);
            } else if entry.file_type()?.is_dir() && name.starts_with("node-") {
                for file in std::fs::read_dir(entry.path())? {
                    let file = file?.file_name();
                    names.extend(Name::parse(&format!("{name}/{}", file.to_string_lossy())));
                }
            }
        }
        names.sort_by_key(|name| (name.node().map_or(u32::MAX, NodeId::raw), *name));
        Ok(names)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Name::Commit => write!(out, "commit"),
            Name::Part(node) => write!(out, "node-{}/part", node.raw()),
            Name::Space(node, id) => write!(out, "node-{}/mm-{id}", node.raw()),
            Name::Shared(node, id) => write!(out, "node-{}/shm-{id}", node.raw()),
        }
    }
}

/// A number as the kernel writes it: from 1, no sign, no leading zero.
fn number(text: &str) -> Option<u64> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits || text.starts_with('0') {
        return None;
    }
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_there_and_back() {
        for text in ["commit", "node-1/part", "node-254/mm-7", "node-3/shm-1"] {
            assert_eq!(Name::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_name_of_a_version() {
        let bad = [
            "",
            "commit/",
            "../commit",
            "node-0/part",
            "node-255/part",
            "node-01/part",
            "node-1",
            "node-1/",
            "node-1/mm-",
            "node-1/mm-0",
            "node-1/mm-+1",
            "node-1/mm-1/x",
            "node-1/../part",
            "node-1/shm-18446744073709551616",
            "/commit",
            "node-1/part ",
        ];
        for text in bad {
            assert_eq!(Name::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn shared_memory_has_its_own_files() {
        let node = NodeId::new(2).unwrap();
        assert_eq!(Name::of_memory(node, 1).to_string(), "node-2/mm-1");
        assert_eq!(
            Name::of_memory(node, SHARED_IDS + 1).to_string(),
            "node-2/shm-1"
        );
    }
}
