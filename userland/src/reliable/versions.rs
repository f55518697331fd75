// SPDX-License-Identifier: GPL-2.0
//! The versions of a job: which to restart, which to remove, and their removal.
use super::record::{State, Version};
use crate::store::{self, Content};
use std::collections::BTreeMap;
use std::io::{ErrorKind, Result};
use std::path::Path;

/// Most entries of a version's folder that are removed.
const ENTRIES_MAX: usize = 1 << 16;

/// The newest of `all` that is not in `bad`.
pub fn newest(all: &[Version], bad: &[Version]) -> Option<Version> {
    let is_bad = |one: &Version| {
        bad.iter()
            .any(|bad| (bad.application, bad.version) == (one.application, one.version))
    };
    all.iter()
        .filter(|one| !is_bad(one))
        .max_by_key(|one| (one.cut_ms, one.version))
        .copied()
}

/// Takes out of `versions`, which are sorted by age, all but the `keep` newest; never the last.
pub fn excess(versions: &mut Vec<Version>, keep: usize) -> Vec<Version> {
    let excess = versions.len().saturating_sub(keep.max(1));
    versions.drain(..excess).collect()
}

/// Every version that the job has: its own, and those that somebody took of its application.
pub fn all(store: &Path, state: &State) -> Vec<Version> {
    let mut all: BTreeMap<(u64, u32), Version> = BTreeMap::new();
    let applications: std::collections::BTreeSet<u64> = state
        .versions
        .iter()
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
    // These are exact to the millisecond, and may be on media that the store does not list.
    all.extend(
        state
            .versions
            .iter()
            .map(|one| ((one.application, one.version), *one)),
    );
    all.into_values().collect()
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
    fn the_newest_that_is_good() {
        let all = [version(1, 10), version(3, 30), version(2, 20)];
        assert_eq!(newest(&all, &[]), Some(version(3, 30)));
        assert_eq!(newest(&all, &[version(3, 0)]), Some(version(2, 20)));
        assert_eq!(newest(&[], &[]), None);
        assert_eq!(newest(&all[..1], &all[..1]), None);
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
