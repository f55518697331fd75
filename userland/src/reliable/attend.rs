// SPDX-License-Identifier: GPL-2.0
//! A job's attendant on one node: says what runs here, obeys orders, and supervises if need be.
use super::folder::{Folder, Term};
use super::images;
use super::members::Beats;
use super::output::{Log, Tail};
use super::record::{Claim, Job, Phase, Report, Request, State};
use super::share::{self, duty, standing, Duty, Share, Standing};
use super::succession::View;
use super::supervise::{Sight, Supervisor};
use crate::call;
use crate::exit::{Exit, Fault};
use crate::message::explain_control;
use nix::fcntl::Flock;
use nix::sys::signal::Signal;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1};
use ssi_core::abi::NodeStatus;
use ssi_core::node::ClusterPid;
use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Between two looks.
const TICK: Duration = Duration::from_millis(250);
/// Between two reports that say nothing new, milliseconds: a third of what counts as silence.
const BEAT_MS: u64 = 1000;
/// How long a store that fails is tried again.
const STORE_MAX: Duration = Duration::from_secs(600);

/// This node, in this life.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Here {
    /// The node.
    pub node: u32,
    /// Its epoch.
    pub epoch: u64,
}

/// Signals of the user who waits for the job.
struct Wishes {
    stop: Arc<AtomicBool>,
    checkpoint: Arc<AtomicBool>,
    /// Caught, so that the end of a terminal is not the end of the job.
    _hang_up: Arc<AtomicBool>,
}

/// The attendant of one job.
pub struct Attendant {
    folder: Folder,
    here: Here,
    beats: Beats,
    share: Share,
    report: Report,
    reported_ms: Option<u64>,
    clock: Instant,
    supervisor: Option<Supervisor>,
    log: Log,
    job: Job,
    store: std::path::PathBuf,
    /// Two on one node would take each other for dead.
    _lock: Flock<File>,
}

fn store_fault(folder: &Folder, error: &std::io::Error) -> Fault {
    Fault::new(Exit::Media, format!("{}: {error}", folder.path().display()))
}

/// This node as the cluster knows it.
pub fn here() -> Result<(Here, Vec<NodeStatus>), Fault> {
    let nodes = call::nodes().map_err(|error| explain_control(&error))?;
    // A process is born with its node's number in its PID.
    let node = ClusterPid::new(std::process::id()).map(|pid| pid.birth().raw());
    let own = nodes.iter().find(|status| Some(status.node) == node);
    let own = own.ok_or_else(|| {
        Fault::new(
            Exit::NotJoined,
            "this process was born before its node joined: start it anew",
        )
    })?;
    Ok((
        Here {
            node: own.node,
            epoch: own.epoch,
        },
        nodes,
    ))
}

impl Wishes {
    fn new() -> std::io::Result<Wishes> {
        let flag = |signals: &[i32]| {
            let flag = Arc::new(AtomicBool::new(false));
            for signal in signals {
                signal_hook::flag::register(*signal, flag.clone())?;
            }
            Ok::<_, std::io::Error>(flag)
        };
        Ok(Wishes {
            stop: flag(&[SIGTERM, SIGINT])?,
            checkpoint: flag(&[SIGUSR1])?,
            _hang_up: flag(&[SIGHUP])?,
        })
    }

    /// Whoever supervises the job, on whatever node, hears of it.
    fn pass_on(&self, folder: &Folder) -> std::io::Result<()> {
        for (flag, request) in [
            (&self.stop, Request::Stop),
            (&self.checkpoint, Request::Checkpoint),
        ] {
            if flag.swap(false, Ordering::Relaxed) {
                folder.ask(request)?;
            }
        }
        Ok(())
    }
}

impl Attendant {
    /// An attendant of the job in `folder`.
    pub fn new(store: &Path, folder: &Folder) -> Result<Attendant, Fault> {
        let (here, _) = here()?;
        let wrong = |error: &std::io::Error| store_fault(folder, error);
        let lock = folder
            .lock(here.node)
            .map_err(|error| wrong(&error))?
            .ok_or_else(|| {
                Fault::new(
                    Exit::Busy,
                    format!("job {} is attended already", folder.name()),
                )
            })?;
        let job = folder.job().map_err(|error| store_fault(folder, &error))?;
        // What an attendant of this life has done before need not be done again.
        let before = folder
            .report(here.node)
            .ok()
            .flatten()
            .filter(|report| report.epoch == here.epoch);
        let report = Report {
            epoch: here.epoch,
            pid: std::process::id(),
            beat: before.as_ref().map_or(0, |report| report.beat),
            probe: 0,
            stopped: before.as_ref().map_or(0, |report| report.stopped),
            killed: before.as_ref().map_or(0, |report| report.killed),
            processes: 0,
            one: 0,
            lists: 0,
        };
        Ok(Attendant {
            folder: folder.clone(),
            here,
            beats: Beats::default(),
            share: Share::default(),
            report,
            reported_ms: None,
            clock: Instant::now(),
            supervisor: None,
            log: Log::new(&job.log, here.node),
            job,
            store: store.into(),
            _lock: lock,
        })
    }

    /// Claims `term` for this process. False where somebody else was faster.
    pub fn claim(&mut self, term: u64, state: State) -> std::io::Result<bool> {
        let claim = Claim {
            node: self.here.node,
            epoch: self.here.epoch,
            pid: std::process::id(),
        };
        if !self.folder.claim(term, &claim)? {
            return Ok(false);
        }
        let job = self.folder.job()?;
        let mut log = Log::new(&job.log, self.here.node);
        log.aloud = self.log.aloud;
        self.supervisor = Some(Supervisor::new(
            &self.store,
            &self.folder,
            job,
            (term, state),
            log,
        ));
        Ok(true)
    }

    /// The supervisor, while this process is it.
    pub fn supervisor(&mut self) -> Option<&mut Supervisor> {
        self.supervisor.as_mut()
    }

    /// Attends until the job is over, for a user who looks at `tail` and sends signals.
    pub fn foreground(&mut self, mut tail: Option<Tail>) -> Result<State, Fault> {
        let wishes = Wishes::new().map_err(|error| Fault::new(Exit::System, error.to_string()))?;
        self.log.aloud = true;
        if let Some(supervisor) = &mut self.supervisor {
            supervisor.log.aloud = true;
        }
        let folder = self.folder.clone();
        self.until_over(&mut || {
            if let Some(tail) = &mut tail {
                // Who does not want to see it any more does not end the job by that.
                let _ = tail.show(&mut std::io::stdout());
            }
            wishes.pass_on(&folder)
        })
    }

    /// Attends until the job is over.
    pub fn background(&mut self) -> Result<State, Fault> {
        self.until_over(&mut || Ok(()))
    }

    fn until_over(
        &mut self,
        besides: &mut dyn FnMut() -> std::io::Result<()>,
    ) -> Result<State, Fault> {
        let mut failing: Option<Instant> = None;
        loop {
            match besides().and_then(|()| self.tick()) {
                Ok(Some(state)) => {
                    besides().map_err(|error| store_fault(&self.folder, &error))?;
                    return Ok(state);
                }
                Ok(None) => failing = None,
                Err(error) => {
                    let since = *failing.get_or_insert_with(Instant::now);
                    if since.elapsed() > STORE_MAX || !self.folder.path().exists() {
                        return Err(store_fault(&self.folder, &error));
                    }
                }
            }
            std::thread::sleep(TICK);
        }
    }

    /// One look at everything; the state once the job is over.
    fn tick(&mut self) -> std::io::Result<Option<State>> {
        let (here, nodes) = here().map_err(|fault| std::io::Error::other(fault.text))?;
        if here != self.here {
            return Err(std::io::Error::other("this node has joined anew"));
        }
        let now_ms = u64::try_from(self.clock.elapsed().as_millis()).unwrap_or(u64::MAX);
        let reports = self.folder.reports()?;
        self.beats.note(&reports, now_ms);
        let alive = self.beats.alive(&nodes, now_ms);
        let Some(term) = self.folder.term()? else {
            return Err(std::io::Error::other("nobody supervises the job"));
        };
        self.step_down(&term);
        let sight = Sight {
            nodes: &nodes,
            alive: &alive,
            reports: &reports,
            here: self.here,
        };
        if self.supervisor.is_none() {
            self.succeed(&term, &sight, now_ms)?;
        }
        let state = match &mut self.supervisor {
            Some(supervisor) => supervisor.work(&sight)?.clone(),
            None => term.state,
        };
        self.serve(&state, now_ms)?;
        Ok(state.phase.is_final().then_some(state))
    }

    /// Another term has begun: what this one would do must not be done any more.
    fn step_down(&mut self, term: &Term) {
        let is_old = |own: &mut Supervisor| own.term() < term.number;
        if self.supervisor.as_mut().is_some_and(is_old) {
            self.log
                .say(&format!("node {} supervises the job now", term.claim.node));
            self.supervisor = None;
        }
    }

    fn succeed(&mut self, term: &Term, sight: &Sight<'_>, now_ms: u64) -> std::io::Result<()> {
        let view = View {
            alive: sight.alive,
            reports: sight.reports,
            beats: &self.beats,
            now_ms,
        };
        if term.state.phase.is_final() || view.successor(&term.claim) != Some(self.here.node) {
            return Ok(());
        }
        let number = term.number.saturating_add(1);
        if self.claim(number, term.state.clone())? {
            self.log.say(&format!(
                "node {} is gone; this node supervises the job",
                term.claim.node
            ));
            if let Some(supervisor) = &mut self.supervisor {
                supervisor.inherit(sight)?;
            }
        }
        Ok(())
    }

    /// Obeys the orders, and reports.
    fn serve(&mut self, state: &State, now_ms: u64) -> std::io::Result<()> {
        let before = self.report.clone();
        let (list, _) =
            call::processes().map_err(|error| std::io::Error::from_raw_os_error(error.errno))?;
        let found = self.share.find(state, &list);
        let there: BTreeMap<u32, Standing> = found
            .iter()
            .map(|pid| (*pid, standing(*pid)))
            .filter(|(_, of)| *of != Standing::Gone)
            .collect();
        let alive = || {
            there
                .iter()
                .filter(|(_, of)| **of != Standing::Zombie)
                .map(|(pid, _)| *pid)
        };
        match duty(&state.orders, self.here.node, self.here.epoch, &self.report) {
            Duty::Nothing => {}
            Duty::Stop(number) if there.values().all(|of| *of != Standing::Live) => {
                self.report.stopped = number;
            }
            Duty::Stop(_) => share::signal(&alive().collect(), Signal::SIGSTOP),
            Duty::Kill(number) if there.is_empty() => {
                (self.report.stopped, self.report.killed) = (number, number);
                self.share.clear();
            }
            Duty::Kill(_) => share::signal(&alive().collect(), Signal::SIGKILL),
        }
        self.report.lists = images::newest_here(&self.job, &state.versions);
        self.report.probe = state.orders.probe;
        self.report.processes = u32::try_from(alive().count()).unwrap_or(u32::MAX);
        self.report.one = alive().next().unwrap_or(0);
        let beats = self
            .reported_ms
            .is_none_or(|at| now_ms.saturating_sub(at) >= BEAT_MS);
        if beats || self.report != before {
            self.report.beat = self.report.beat.wrapping_add(1);
            self.folder.write_report(self.here.node, &self.report)?;
            self.reported_ms = Some(now_ms);
        }
        Ok(())
    }
}

/// What a job's end means for who waits for it: the command's own status, or a reason.
pub fn verdict(name: &str, state: &State) -> Result<u8, Fault> {
    match (state.phase, state.status) {
        (Phase::Ended, status) => Ok(status.unwrap_or_default()),
        (Phase::Preempted, _) => Err(Fault::new(
            Exit::Preempted,
            format!("job {name} was stopped on request: reliable_run --resume {name}"),
        )),
        (_, Some(status)) => Ok(status),
        _ => Err(Fault::new(
            Exit::GivenUp,
            format!("job {name} was given up: {}", state.why),
        )),
    }
}
