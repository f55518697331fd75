// SPDX-License-Identifier: GPL-2.0
//! A version with second copies survives the loss of any one node: whoever held a part, or the
//! commit record, holds it as long as the node does not lose its memory and no newer versions
//! make this one go.
use crate::plan::{Media, Trouble};
use crate::world::{Sealed, SealedPart, World};
use ssi_core::node::NodeId;
use std::collections::BTreeSet;
use std::rc::Rc;

/// Checks every version with copies, and every store that is a node's own.
pub fn check(world: &World) -> Result<(), String> {
    for sealed in &world.sealed {
        let checked = alone(world, sealed).and_then(|()| stays(world, sealed));
        checked.map_err(|what| format!("{:?} in {:?}: {what}", sealed.version, sealed.media))?;
    }
    listed(world)
}

fn same(one: &Sealed, two: &Sealed) -> bool {
    (one.media, one.version.application) == (two.media, two.version.application)
}

/// No other version has its number, unless those who made them did not know of each other.
fn alone(world: &World, sealed: &Sealed) -> Result<(), String> {
    let parted = |trouble: &Trouble| {
        matches!(
            trouble,
            Trouble::Cut(..) | Trouble::Sleep(_) | Trouble::Break(..) | Trouble::Crash(..)
        )
    };
    if world.plan.faults.iter().any(|fault| parted(&fault.trouble)) {
        return Ok(());
    }
    let other = |other: &&Sealed| {
        (other.media, other.version) == (sealed.media, sealed.version)
            && other.digest != sealed.digest
    };
    match world.sealed.iter().find(other) {
        Some(_) => Err(String::from("another version has this number")),
        None => Ok(()),
    }
}

/// Newer versions of the application that exist.
fn newer(world: &World, sealed: &Sealed) -> usize {
    let newer = |other: &&Sealed| {
        same(sealed, other) && other.version.number > sealed.version.number && other.exists
    };
    let numbers = world.sealed.iter().filter(newer);
    let numbers: BTreeSet<u32> = numbers.map(|other| other.version.number).collect();
    numbers.len()
}

fn stays(world: &World, sealed: &Sealed) -> Result<(), String> {
    let newer = newer(world, sealed);
    // CAST: a small number.
    let keep = world.plan.keep as usize;
    if !sealed.exists || (keep > 0 && newer >= keep) {
        return Ok(());
    }
    for (part, at) in &sealed.parts {
        twice(world, sealed, at).map_err(|what| format!("part {} {what}", part.raw()))?;
        for holder in &at.holders {
            // Who has no record of it removes it with what is left of others, once there is a
            // newer one.
            let knows = newer == 0 || sealed.recorded.contains(holder);
            if knows && !has(world, sealed, (*part, at), *holder) {
                let (part, holder) = (part.raw(), holder.raw());
                return Err(format!("part {part} is gone from node {holder}"));
            }
        }
    }
    for node in &sealed.recorded {
        let store = world.store(*node, sealed.media);
        let version = &sealed.version;
        let record = store.committed(version.application, version.number);
        if record.is_none_or(|record| record.digest != sealed.digest) {
            let node = node.raw();
            return Err(format!("its record is gone from node {node}"));
        }
    }
    Ok(())
}

/// A part has two holders, but for those whose memory was lost since the checkpoint began.
fn twice(world: &World, sealed: &Sealed, part: &SealedPart) -> Result<(), String> {
    let lost = |(at, _): &&(u64, NodeId)| sealed.media == Media::Memory && *at >= sealed.since;
    let lost = world.crashes.iter().filter(lost).count();
    match part.holders.len() + lost >= 2 {
        true => Ok(()),
        false => Err(format!("is on {:?} only", part.holders)),
    }
}

fn has(world: &World, sealed: &Sealed, part: (NodeId, &SealedPart), holder: NodeId) -> bool {
    let key = (sealed.version.application, sealed.version.number);
    let folder = world.store(holder, sealed.media).folders.get(&key);
    let file = folder.and_then(|folder| folder.parts.get(&part.0));
    let content = file.filter(|file| file.durable).map(|file| &file.content);
    match (content, &part.1.image) {
        (Some(Some(there)), Some(image)) => Rc::ptr_eq(there, image),
        _ => false,
    }
}

/// What a node lists is a version that was sealed, and all its parts were durable then.
fn listed(world: &World) -> Result<(), String> {
    for node in &world.nodes {
        for media in [Media::Disk, Media::Memory] {
            let store = world.store(node.at.node, media);
            let folders = store.folders.iter();
            for ((application, number), _) in folders.filter(|(_, to)| to.commit.is_some()) {
                let name = format!("version {number} of {application} in {media:?}");
                let commit = store.committed(*application, *number);
                let commit = commit.ok_or(format!("{name} has a torn commit record"))?;
                let is = |sealed: &&Sealed| {
                    let version = (sealed.version.application, sealed.version.number);
                    (sealed.media, version) == (media, (*application, *number))
                        && sealed.digest == commit.digest
                };
                if world.sealed.iter().find(is).is_none() {
                    return Err(format!("{name} was never committed"));
                }
            }
        }
    }
    Ok(())
}
