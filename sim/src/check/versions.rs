// SPDX-License-Identifier: GPL-2.0
//! A version is whole or absent: what has a commit record has all its parts, durable and intact,
//! and what was committed stays.
use crate::plan::Media;
use crate::world::{Folder, PartImage, World};
use ssi_core::image::commit::Commit;
use ssi_core::image::socket::already_received;
use std::collections::BTreeSet;

/// Checks every version.
pub fn check(world: &World) -> Result<(), String> {
    for ((application, number), folder) in &world.shared.folders {
        if folder.commit.is_none() {
            continue;
        }
        let name = format!("version {number} of {application}");
        let commit = world.shared.committed(*application, *number);
        let commit = commit.ok_or(format!("{name} has a torn commit record"))?;
        whole(folder, &commit).map_err(|what| format!("{name}: {what}"))?;
    }
    let shared = world.commits.iter();
    for (_, version, _) in shared.filter(|(media, ..)| *media == Media::Shared) {
        if world
            .shared
            .committed(version.application, version.number)
            .is_none()
        {
            return Err(format!("{version:?} was committed, and is gone"));
        }
    }
    Ok(())
}

fn whole(folder: &Folder, commit: &Commit) -> Result<(), String> {
    let (mut digest, mut parts) = (0u64, Vec::new());
    for node in commit.nodes.iter() {
        let raw = node.raw();
        let file = folder
            .parts
            .get(&node)
            .ok_or(format!("no part of node {raw}"))?;
        let image = file
            .content
            .as_ref()
            .ok_or(format!("a torn part of node {raw}"))?;
        if !file.durable {
            return Err(format!("the part of node {raw} is not durable"));
        }
        digest = digest.wrapping_add(image.digest());
        parts.push(&**image);
    }
    let processes: usize = parts.iter().map(|part| part.processes.len()).sum();
    // CAST: 32 bits fit in a usize.
    if digest != commit.digest || processes != commit.processes as usize {
        return Err(format!(
            "{processes} processes, the record says {}",
            commit.processes
        ));
    }
    unique(&parts)?;
    streams(&parts)
}

fn unique(parts: &[&PartImage]) -> Result<(), String> {
    let mut pids = BTreeSet::new();
    let all = parts.iter().flat_map(|part| &part.processes);
    match all.into_iter().find(|process| !pids.insert(process.pid)) {
        Some(twice) => Err(format!("{:?} is in it twice", twice.pid)),
        None => Ok(()),
    }
}

/// Both ends of every stream are there, with every byte between them.
fn streams(parts: &[&PartImage]) -> Result<(), String> {
    let ends: Vec<_> = parts.iter().flat_map(|part| &part.ends).collect();
    for end in ends.iter().filter(|end| !end.alone && !end.local) {
        let others = ends
            .iter()
            .filter(|other| (other.far, other.near) == (end.near, end.far));
        let others: Vec<_> = others.collect();
        let [other] = others[..] else {
            return Err(format!("{:?} has {} other ends", end.near, others.len()));
        };
        // CAST: positions wrap as TCP's sequence numbers do.
        let (first, next) = (end.send_first as u32, other.recv_next as u32);
        let len = crate::world::length(&end.send) as u32;
        if already_received(first, len, next).is_none() {
            return Err(format!(
                "bytes from {:?} are missing: {first}+{len}, {next}",
                end.near
            ));
        }
    }
    Ok(())
}
