// SPDX-License-Identifier: GPL-2.0
//! The supervisor of a job in one term: looks, decides, acts.
use super::attend::Here;
use super::decide::{Act, Checkpointed, Facts, Level, Outcome, RestartError, Rules};
use super::folder::Folder;
use super::images;
use super::launch;
use super::members::{idle, seen};
use super::output::Log;
use super::record::{Job, Lives, Phase, Report, Request, State, Version};
use super::task::{Finished, Task};
use super::versions;
use crate::store::{self, Content};
use chrono::Local;
use serde::Deserialize;
use ssi_core::abi::NodeStatus;
use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Result;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Most time of a checkpoint or a restart: the kernel bounds its steps, not the media's speed.
const OPERATION_MAX: Duration = Duration::from_secs(3600);
/// Most time of a user's command.
const HOOK_MAX: Duration = Duration::from_secs(60);
/// Commands of the user that may run side by side; past that one is left out.
const HOOKS_MAX: usize = 4;

/// What an attendant sees at one look.
pub struct Sight<'a> {
    /// What the kernel says of the nodes.
    pub nodes: &'a [NodeStatus],
    /// Those that live.
    pub alive: &'a Lives,
    /// What attendants wrote.
    pub reports: &'a BTreeMap<u32, Report>,
    /// This node.
    pub here: Here,
}

/// What is under way.
enum Work {
    Checkpoint,
    Restart(Version, Level),
    Flush(Version),
}

/// The supervisor.
pub struct Supervisor {
    /// Where its images are.
    store: PathBuf,
    /// Where the job is, and versions that were flushed.
    disk: PathBuf,
    folder: Folder,
    job: Job,
    rules: Rules,
    term: u64,
    state: State,
    written: Option<State>,
    work: Option<(Work, Task)>,
    hooks: Vec<Task>,
    /// The root, while it is a child of this process: somebody has to wait for it.
    root: Option<Child>,
    /// Requests that were taken and not yet decided on.
    asked: Asked,
    /// Where it says what it does.
    pub log: Log,
}

#[derive(Default, Clone, Copy)]
struct Asked {
    checkpoint: bool,
    stop: bool,
}

/// What `checkpoint --json` says, as far as it matters here.
#[derive(Deserialize)]
struct CheckpointJson {
    application: u64,
    version: u32,
    pause_ns: u64,
    total_ns: u64,
}

/// Milliseconds since 1970.
pub fn now_ms() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

impl Supervisor {
    /// The supervisor of a term, from the newest state.
    pub fn new(
        store: &Path,
        folder: &Folder,
        job: Job,
        begin: (u64, State),
        log: Log,
    ) -> Supervisor {
        let (term, state) = begin;
        let rules = Rules {
            periodicity: job.periodicity.clone(),
            mtbf_ms: job.mtbf_ms,
            keep: job.keep,
            max_restarts: job.max_restarts,
            flush_every: job.flush_every.filter(|_| images::are_in_memory(&job)),
        };
        Supervisor {
            store: images::store(&job, store),
            disk: store.into(),
            folder: folder.clone(),
            job,
            rules,
            term,
            state,
            written: None,
            work: None,
            hooks: Vec::new(),
            root: None,
            asked: Asked::default(),
            log,
        }
    }

    /// Its term.
    pub fn term(&self) -> u64 {
        self.term
    }

    /// Takes over what another supervisor left.
    pub fn inherit(&mut self, sight: &Sight<'_>) -> Result<()> {
        if self.state.root == 0 {
            self.state.root = self.folder.root_pid().unwrap_or(0);
        }
        self.decide(sight, |state, _, facts| state.inherit(facts))
    }

    /// Begins to run a job again that was stopped.
    pub fn resume(&mut self, sight: &Sight<'_>) -> Result<()> {
        self.decide(sight, |state, _, facts| state.resume(facts))
    }

    /// One round: what was done, what is to be done, and the state written down.
    pub fn work(&mut self, sight: &Sight<'_>) -> Result<&State> {
        self.reap()?;
        if let Some(outcome) = self.finished()? {
            self.decide(sight, |state, rules, facts| {
                state.conclude(rules, facts, outcome)
            })?;
        }
        self.listen()?;
        self.decide(sight, |state, rules, facts| {
            state.step(rules, facts, &Local)
        })?;
        self.asked = Asked::default();
        Ok(&self.state)
    }

    /// Takes what was asked for, where the next step can heed it.
    fn listen(&mut self) -> Result<()> {
        let phase = self.state.phase;
        if phase == Phase::Running && self.work.is_none() {
            self.asked.checkpoint = self.folder.take(Request::Checkpoint)?;
        }
        let starts = phase == Phase::Restoring && self.work.is_some();
        if phase != Phase::Starting && !starts && !phase.is_final() {
            self.asked.stop = self.folder.take(Request::Stop)?;
        }
        Ok(())
    }

    /// Decides on what is seen now; the new state is written before anything is done.
    fn decide(
        &mut self,
        sight: &Sight<'_>,
        step: impl FnOnce(&mut State, &Rules, &Facts<'_>) -> Vec<Act>,
    ) -> Result<()> {
        // An exit status that is there before a report is read is not missed.
        let running = matches!(self.state.phase, Phase::Running);
        let restoring = self.state.phase == Phase::Restoring && self.work.is_none();
        let facts = Facts {
            now_ms: now_ms(),
            alive: sight.alive,
            seen: &seen(sight.nodes),
            idle: &idle(sight.nodes),
            reports: sight.reports,
            exit: if running {
                self.folder.exit_status()?
            } else {
                None
            },
            busy: self.work.is_some(),
            asked_checkpoint: self.asked.checkpoint,
            asked_stop: self.asked.stop,
            versions: &match restoring {
                true => versions::all(&self.store, &self.state),
                false => Vec::new(),
            },
            flushed: &match restoring && images::are_in_memory(&self.job) {
                true => versions::flushed(&self.disk, &self.state),
                false => Vec::new(),
            },
        };
        let acts = step(&mut self.state, &self.rules, &facts);
        self.save()?;
        for act in acts {
            self.act(act, sight)?;
        }
        Ok(())
    }

    fn save(&mut self) -> Result<()> {
        if self.written.as_ref() != Some(&self.state) {
            self.folder.write_state(self.term, &self.state)?;
            self.written = Some(self.state.clone());
        }
        Ok(())
    }

    fn act(&mut self, act: Act, sight: &Sight<'_>) -> Result<()> {
        match act {
            Act::Say(text) => self.log.say(&text),
            Act::Start => {
                let outcome = self.start(sight);
                self.decide(sight, |state, rules, facts| {
                    state.conclude(rules, facts, outcome)
                })?;
            }
            Act::Checkpoint(pid) => {
                let mut command = images::checkpoint(&self.job, &self.disk, self.rules.keep);
                command.args(["-d", &self.description(), &pid.to_string()]);
                self.begin(Work::Checkpoint, command)?;
            }
            Act::Restart(version, level) => {
                self.folder.clear_exit()?;
                let command = images::restart(&self.job, &self.disk, version, level);
                self.begin(Work::Restart(version, level), command)?;
            }
            Act::Flush(version) => {
                self.begin(Work::Flush(version), images::flush(&self.disk, version))?;
            }
            // The kernel has let it go, on all nodes.
            Act::Remove(_) if images::are_in_memory(&self.job) => {}
            Act::Remove(version) | Act::RemoveFlushed(version) => {
                if let Err(error) = versions::remove(&self.disk, version) {
                    let version = version.version;
                    self.log
                        .say(&format!("version {version} is not removed: {error}"));
                }
            }
            Act::CheckpointHook => self.hook(self.job.on_checkpoint.clone()),
            Act::RestartHook => self.hook(self.job.on_restart.clone()),
        }
        Ok(())
    }

    fn description(&self) -> String {
        // A description has at most 255 bytes, a name 64 and a character 4.
        let command: String = self.job.command.join(" ").chars().take(40).collect();
        format!("job {}: {command}", self.folder.name())
    }

    fn begin(&mut self, work: Work, mut command: Command) -> Result<()> {
        self.work = Some((work, Task::start(&mut command, OPERATION_MAX)?));
        Ok(())
    }

    fn start(&mut self, sight: &Sight<'_>) -> Outcome {
        match launch::launch(&self.folder, &self.job) {
            Ok(child) => {
                let root = child.id();
                self.root = Some(child);
                Outcome::Started(root, Lives::from([(sight.here.node, sight.here.epoch)]))
            }
            Err(error) => Outcome::NotStarted(error.to_string()),
        }
    }

    fn hook(&mut self, command: Option<String>) {
        let Some(text) = command else { return };
        if self.hooks.len() >= HOOKS_MAX {
            self.log
                .say(&format!("left out, {HOOKS_MAX} commands still run: {text}"));
            return;
        }
        let version = self
            .state
            .versions
            .last()
            .map_or(0, |version| version.version);
        let mut command = Command::new("sh");
        command
            .args(["-c", &text])
            .stdin(Stdio::null())
            .current_dir(&self.job.folder);
        command.env_clear().envs(
            self.job
                .environment
                .iter()
                .map(|(name, value)| (name, value)),
        );
        command
            .env("SSI_JOB", self.folder.name())
            .env("SSI_STORE", &self.store);
        command.env("SSI_APPLICATION", self.state.application.to_string());
        command.env("SSI_VERSION", version.to_string());
        let log = OpenOptions::new()
            .append(true)
            .create(true)
            .open(&self.job.log);
        if let Ok((out, err)) = log.and_then(|log| Ok((log.try_clone()?, log))) {
            command.stdout(out).stderr(err);
        }
        match Task::start(&mut command, HOOK_MAX) {
            Ok(task) => self.hooks.push(task),
            Err(error) => self.log.say(&format!("{text}: {error}")),
        }
    }

    /// Waits for children that have ended.
    fn reap(&mut self) -> Result<()> {
        if let Some(root) = &mut self.root {
            if root.try_wait()?.is_some() {
                self.root = None;
            }
        }
        let mut running = Vec::new();
        for mut hook in self.hooks.drain(..) {
            match hook.poll()? {
                None => running.push(hook),
                Some(end) if end.status.success() => {}
                Some(end) => self
                    .log
                    .say(&format!("a command of the job failed: {}", end.status)),
            }
        }
        self.hooks = running;
        Ok(())
    }

    fn finished(&mut self) -> Result<Option<Outcome>> {
        let Some((_, task)) = &mut self.work else {
            return Ok(None);
        };
        let Some(end) = task.poll()? else {
            return Ok(None);
        };
        Ok(self.work.take().map(|(work, _)| match work {
            Work::Checkpoint => self.checkpointed(&end),
            Work::Flush(version) if end.status.success() => Outcome::Flushed(version),
            Work::Flush(_) => Outcome::NotFlushed(said(&end)),
            Work::Restart(version, _) if end.status.success() => Outcome::Restarted(version),
            Work::Restart(version, level) => Outcome::NotRestarted(RestartError {
                version,
                level,
                code: end.status.code().unwrap_or(-1),
                text: said(&end),
            }),
        }))
    }

    fn checkpointed(&self, end: &Finished) -> Outcome {
        let report = serde_json::from_str::<CheckpointJson>(&end.out);
        let Some(report) = report.ok().filter(|_| end.status.success()) else {
            return Outcome::NotCheckpointed(said(end));
        };
        let (application, version) = (report.application, report.version);
        let nodes = match store::choose(&self.store, application, Some(version))
            .map(|found| found.content)
        {
            Ok(Content::Whole(summary)) => summary.nodes,
            // Not on the disk: any node may have a part.
            _ => self.state.orders.lives.keys().copied().collect(),
        };
        Outcome::Checkpointed(Checkpointed {
            application,
            version,
            nodes,
            total_ms: report.total_ns / 1_000_000,
            pause_us: report.pause_ns / 1000,
        })
    }
}

/// What a tool said before it failed.
fn said(end: &Finished) -> String {
    match end.err.trim() {
        "" => end.status.to_string(),
        text => text.lines().last().unwrap_or_default().to_owned(),
    }
}
