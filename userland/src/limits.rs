// SPDX-License-Identifier: GPL-2.0
//! The bounds of this implementation, for people who plan.
use serde::Serialize;
use ssi_core::image::{commit, memory, object, tree};
use ssi_core::{abi, limits};

/// One bound.
#[derive(Serialize)]
pub struct Limit {
    what: &'static str,
    most: u64,
    unit: &'static str,
}

/// Every bound that a user may meet.
pub fn all() -> Vec<Limit> {
    let limit = |what, most, unit| Limit { what, most, unit };
    vec![
        limit("nodes of a cluster", abi::NODES_MAX as u64, ""),
        limit("processes of a part", tree::PROCESSES_MAX as u64, ""),
        limit(
            "descriptors of a process",
            object::DESCRIPTORS_MAX.into(),
            "",
        ),
        limit("open files of a part", object::OBJECTS_MAX.into(), ""),
        limit(
            "mappings of an address space",
            memory::MAPPINGS_MAX.into(),
            "",
        ),
        limit("one shared memory", memory::SHARED_BYTES_MAX, "bytes"),
        limit(
            "streams of a restart that meet on one node",
            limits::STREAMS_MAX as u64,
            "",
        ),
        limit(
            "links to other nodes that a node reports",
            limits::LINKS_MAX.into(),
            "",
        ),
        limit(
            "path of a store or an output file",
            limits::PATH_BYTES_MAX as u64,
            "bytes",
        ),
        limit("description", commit::DESCRIPTION_MAX as u64, "bytes"),
        limit("stopping all processes", limits::STOP_MS_MAX.into(), "ms"),
        limit(
            "snapshot of all processes",
            limits::SNAPSHOT_MS_MAX.into(),
            "ms",
        ),
        limit("writing all parts", limits::WRITE_MS_MAX.into(), "ms"),
        limit("restoring all parts", limits::CREATE_MS_MAX.into(), "ms"),
        limit(
            "silence of a node before it counts as dead",
            limits::FAILURE_MS_MAX.into(),
            "ms",
        ),
    ]
}

/// The bounds as a table.
pub fn table(limits: &[Limit]) -> String {
    let line = |limit: &Limit| {
        let Limit { what, most, unit } = limit;
        format!("{:<45} at most {most} {unit}", what)
            .trim_end()
            .to_owned()
            + "\n"
    };
    limits.iter().map(line).collect()
}
