// SPDX-License-Identifier: GPL-2.0
//! The daemon: on every node, an attendant for every job that is not over.
use super::attend::{here, Here};
use super::folder::{self, Folder};
use super::share::{standing, Standing};
use crate::exit::Fault;
use crate::tool::note;
use nix::unistd::geteuid;
use std::collections::BTreeMap;
use std::fs::Metadata;
use std::io::{Error, ErrorKind, Result};
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime};

/// Between two looks at the stores.
const LOOK: Duration = Duration::from_secs(1);
/// Jobs that are attended on one node.
const JOBS_MAX: usize = 256;
/// Where an attendant looks for programs.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What this node's daemon knows of jobs.
#[derive(Default)]
struct Watch {
    attendants: BTreeMap<PathBuf, Child>,
    /// Jobs that were over when their folders were last changed: who resumes one changes it.
    over: BTreeMap<PathBuf, SystemTime>,
}

/// Attends to the jobs of `stores` until this process is killed.
pub fn watch(stores: &[PathBuf]) -> std::result::Result<(), Fault> {
    here()?;
    let mut watch = Watch::default();
    loop {
        // A node that has left its cluster may come back, as another.
        if let Ok((here, _)) = here() {
            for store in stores {
                watch.look(store, here);
            }
        }
        std::thread::sleep(LOOK);
    }
}

impl Watch {
    fn look(&mut self, store: &Path, here: Here) {
        self.attendants
            .retain(|_, child| matches!(child.try_wait(), Ok(None)));
        match self.look_at_all(store, here) {
            Ok(()) => {}
            // A store that is not there yet, or away for a while, is looked at again.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => note(format_args!("reliable_run: {}: {error}", store.display())),
        }
    }

    fn look_at_all(&mut self, store: &Path, here: Here) -> Result<()> {
        if store.is_dir() {
            folder::make_jobs(store)?;
        }
        let names = folder::names(store)?;
        let there: Vec<PathBuf> = names
            .iter()
            .map(|name| folder::jobs(store).join(name))
            .collect();
        self.over
            .retain(|path, _| !path.starts_with(store) || there.contains(path));
        for name in names {
            let folder = Folder::of(store, &name);
            // One job that cannot be read does not keep the others from being attended.
            if let Err(error) = self.look_at(store, &folder, here) {
                note(format_args!("reliable_run: job {name}: {error}"));
            }
        }
        Ok(())
    }

    fn look_at(&mut self, store: &Path, folder: &Folder, here: Here) -> Result<()> {
        let path = folder.path();
        let meta = std::fs::symlink_metadata(path)?;
        let changed = meta.modified()?;
        let is_ours = geteuid().is_root() || meta.uid() == geteuid().as_raw();
        if !is_ours || self.attendants.contains_key(path) || self.over.get(path) == Some(&changed) {
            return Ok(());
        }
        let Some(term) = folder.term()? else {
            return Ok(());
        };
        if term.state.phase.is_final() {
            self.over.insert(path.into(), changed);
            return Ok(());
        }
        let report = folder
            .report(here.node)?
            .filter(|report| report.epoch == here.epoch);
        let is_gone = |pid| matches!(standing(pid), Standing::Gone | Standing::Zombie);
        if report.is_some_and(|report| !is_gone(report.pid)) {
            return Ok(());
        }
        if self.attendants.len() >= JOBS_MAX {
            return Err(Error::other(format!("left out: {JOBS_MAX} are attended")));
        }
        self.attendants
            .insert(path.into(), attend(store, folder, &meta)?);
        Ok(())
    }
}

/// Starts an attendant with the rights of the job's owner, and no others.
fn attend(store: &Path, folder: &Folder, owner: &Metadata) -> Result<Child> {
    let mut command = Command::new(std::env::current_exe()?);
    command
        .arg("--store")
        .arg(store)
        .arg("--attend")
        .arg(folder.name());
    command.env_clear().env("PATH", PATH).current_dir("/");
    command.stdin(Stdio::null()).stdout(Stdio::null());
    if geteuid().is_root() {
        // With a user id, the supplementary groups of root are dropped, too.
        command.gid(owner.gid()).uid(owner.uid());
    }
    command.spawn()
}
