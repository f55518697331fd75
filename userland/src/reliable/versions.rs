// SPDX-License-Identifier: GPL-2.0
//! The versions of a job: which there are, which to remove, and their removal.
use super::record::{State, Version};
use crate::store::{self, Content};
use std::collections::BTreeMap;
use std::io::{ErrorKind, Result};
use std::path::Path;

/// Most entries of a version's folder that are removed.
const ENTRIES_MAX: usize = 1 << 16;

/// Takes out of `versions`, which are sorted by age, all but the `keep` newest; never the last.
pub fn excess(versions: &mut Vec<Version>, keep: usize) -> Vec<Version> {
    let excess = versions.len().saturating_sub(keep.max(1));
    versions.drain(..excess).collect()
}

/// Every version that the job has: its own, and those that somebody took of its application.
pub fn all(store: &Path, state: &State) -> Vec<Version> {
    let mut all = listed(store, state);
    // These are exact to the millisecond, and may be on media that the store does not list.
    all.extend(state.versions.iter().map(|one| (key(one), *one)));
    all.into_values().collect()
}

/// Those that are in a store to which they were written from memory.
pub fn flushed(store: &Path, state: &State) -> Vec<Version> {
    let mut all = listed(store, state);
    for one in state.versions.iter().chain(&state.flushed) {
        if let Some(found) = all.get_mut(&key(one)) {
            *found = *one;
        }
    }
    all.into_values().collect()
}

fn key(one: &Version) -> (u64, u32) {
    (one.application, one.version)
}

/// What the store lists of the job's applications.
fn listed(store: &Path, state: &State) -> BTreeMap<(u64, u32), Version> {
    let mut all: BTreeMap<(u64, u32), Version> = BTreeMap::new();
    let applications: std::collections::BTreeSet<u64> = state
        .versions
        .iter()
        .chain(&state.flushed)
        .map(|one| one.application)
        .chain([state.application])
        .collect();
    for found in store::list(store).unwrap_or_default() {
        // Of another life of the command, before it was started anew, nothing is taken.
        let Content::Whole(summary) = &found.content else {
            continue;
        };
        let cut_ms = summary.date.saturating_mul(1000);
        if applications.contains(&found.application) && cut_ms + 1000 > state.started_ms {
            let key = (found.application, found.version);
            all.insert(
                key,
                Version {
                    application: key.0,
                    version: key.1,
                    cut_ms,
                    status: None,
                },
            );
        }
    }
    all
}

/// Removes a version from the store: its commit record first, so that it is never half there.
pub fn remove(store: &Path, version: Version) -> Result<()> {
    let folder = store
        .join(version.application.to_string())
        .join(format!("v{}", version.version));
    match std::fs::remove_file(folder.join("commit")) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    for part in std::fs::read_dir(&folder)?.take(ENTRIES_MAX) {
        let part = part?;
        if !part.file_type()?.is_dir() {
            std::fs::remove_file(part.path())?;
            continue;
        }
        for file in std::fs::read_dir(part.path())?.take(ENTRIES_MAX) {
            std::fs::remove_file(file?.path())?;
        }
        std::fs::remove_dir(part.path())?;
    }
    std::fs::remove_dir(&folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(version: u32, cut_ms: u64) -> Version {
        Version {
            application: 7,
            version,
            cut_ms,
            status: None,
        }
    }

    #[test]
    fn the_last_version_stays() {
        let mut versions = vec![version(1, 10), version(2, 20), version(3, 30)];
        assert_eq!(excess(&mut versions, 2), [version(1, 10)]);
        assert_eq!(excess(&mut versions, 2), []);
        assert_eq!(excess(&mut versions, 0), [version(2, 20)]);
        assert_eq!(versions, [version(3, 30)]);
    }

    #[test]
    fn a_version_is_removed_with_all_its_parts() {
        let store = std::env::temp_dir().join(format!("ssi-versions-{}", std::process::id()));
        let folder = store.join("7/v1");
        std::fs::create_dir_all(folder.join("node-1")).unwrap();
        std::fs::create_dir_all(store.join("7/v2")).unwrap();
        for file in ["commit", "node-1/part", "node-1/mm-1"] {
            std::fs::write(folder.join(file), "x").unwrap();
        }
        remove(&store, version(1, 0)).unwrap();
        assert!(!folder.exists() && store.join("7/v2").exists());
        assert!(remove(&store, version(1, 0)).is_err());
        std::fs::remove_dir_all(&store).unwrap();
    }
}
