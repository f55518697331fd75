// SPDX-License-Identifier: GPL-2.0
//! What reliable_run is asked to do: start a job, resume it, wait for it, ask it, list them.
use super::args::ReliableRun;
use super::attend::{here, verdict, Attendant};
use super::folder::{self, Folder, Term};
use super::members::Beats;
use super::output::Tail;
use super::record::{Job, Phase, Request, State};
use super::supervise::{now_ms, Sight};
use crate::args::{absolute, Media};
use crate::exit::{Exit, Fault};
use crate::made::{wrong, Made};
use crate::{memory, status, tool};
use clap::ValueEnum;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Between two looks at a job that is waited for.
const LOOK: Duration = Duration::from_millis(500);
/// Most bytes of a job's environment.
const ENVIRONMENT_MAX: usize = 1 << 18;

fn media(folder: &Folder) -> impl Fn(std::io::Error) -> Fault + '_ {
    |error| Fault::new(Exit::Media, format!("{}: {error}", folder.path().display()))
}

/// An existing job of the store.
fn existing(store: &Path, name: &str) -> Result<(Folder, Term), Fault> {
    let folder = Folder::of(store, name);
    let missing = || {
        let store = store.display();
        Fault::new(
            Exit::NoSuchVersion,
            format!("no job {name} in {store}: reliable_run --list"),
        )
    };
    match folder.term() {
        Ok(Some(term)) => Ok((folder, term)),
        Ok(None) => Err(missing()),
        Err(error) if error.kind() == ErrorKind::NotFound => Err(missing()),
        Err(error) => Err(media(&folder)(error)),
    }
}

fn environment() -> Result<Vec<(String, String)>, Fault> {
    let own: Vec<(String, String)> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let bytes: usize = own
        .iter()
        .map(|(name, value)| name.len() + value.len())
        .sum();
    if bytes > ENVIRONMENT_MAX {
        let text = format!("the environment has {bytes} bytes: {ENVIRONMENT_MAX} are possible");
        return Err(Fault::new(Exit::Limit, text));
    }
    Ok(own)
}

fn job(args: &ReliableRun, folder: &Folder) -> Result<Job, Fault> {
    let path = |given: &Option<PathBuf>, own: &str| match given {
        Some(path) => absolute(path),
        None => Ok(folder.path().join(own)),
    };
    let mtbf_ms = args
        .mtbf
        .map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
    Ok(Job {
        command: args.command.clone(),
        folder: std::env::current_dir()
            .map_err(|error| Fault::new(Exit::System, error.to_string()))?,
        environment: environment()?,
        output: path(&args.output, "output")?,
        log: path(&args.log, "log")?,
        periodicity: args.periodicity.clone(),
        mtbf_ms,
        media: args
            .media
            .to_possible_value()
            .map_or_else(String::new, |media| media.get_name().into()),
        // CAST: at most 1000.
        keep: args.keep as usize,
        max_restarts: args.max_restarts,
        flush_every: args.flush_every,
        on_checkpoint: args.on_checkpoint.clone(),
        on_restart: args.on_restart.clone(),
    })
}

/// Starts a job and attends to it until it is over.
pub fn start(args: &ReliableRun, store: &Path) -> Result<u8, Fault> {
    match args.media {
        Media::Memory => memory::check()?,
        Media::Disk if args.flush_every.is_some() => {
            return Err(Fault::new(
                Exit::Usage,
                "--flush-every needs --media=memory",
            ));
        }
        Media::Disk => {}
    }
    // Before anything is left behind.
    for path in [&args.output, &args.log].into_iter().flatten() {
        Made::appended(path).map_err(|error| wrong(path, &error))?;
    }
    here()?;
    let folder = Folder::create(store, args.name.as_deref())?;
    let written = job(args, &folder)
        .and_then(|job| folder.write_job(&job).map_err(media(&folder)).map(|()| job));
    let job = written.inspect_err(|_| {
        // Nothing but an unfinished job is in it.
        let _ = std::fs::remove_dir_all(folder.path());
    })?;
    let mut attendant = Attendant::new(store, &folder)?;
    let state = State::new(now_ms());
    folder.write_state(1, &state).map_err(media(&folder))?;
    attendant.claim(1, state).map_err(media(&folder))?;
    let name = folder.name();
    let log = job.log.display();
    tool::note(format_args!("reliable_run: job {name}, log {log}"));
    let tail = args.output.is_none().then(|| Tail::new(&job.output, 0));
    verdict(&name, &attendant.foreground(tail)?)
}

/// Runs a stopped job again and attends to it until it is over.
pub fn resume(store: &Path, name: &str) -> Result<u8, Fault> {
    let (here, nodes) = here()?;
    let (folder, term) = existing(store, name)?;
    match term.state.phase {
        Phase::Ended => {
            let status = term.state.status.unwrap_or_default();
            return Err(Fault::new(
                Exit::Busy,
                format!("job {name} has ended, with status {status}"),
            ));
        }
        Phase::Preempted | Phase::Failed => {}
        _ => {
            let text =
                format!("job {name} runs, or is about to on another node: reliable_run --list");
            return Err(Fault::new(Exit::Busy, text));
        }
    }
    let mut attendant = Attendant::new(store, &folder)?;
    let job = folder.job().map_err(media(&folder))?;
    // A request that came too late for the job's earlier run is not for this one.
    for request in Request::ALL {
        folder.take(request).map_err(media(&folder))?;
    }
    if !attendant
        .claim(term.number.saturating_add(1), term.state)
        .map_err(media(&folder))?
    {
        return Err(Fault::new(
            Exit::Busy,
            format!("job {name} was resumed by somebody else"),
        ));
    }
    let reports = folder.reports().map_err(media(&folder))?;
    let alive = Beats::default().alive(&nodes, 0);
    let sight = Sight {
        nodes: &nodes,
        alive: &alive,
        reports: &reports,
        here,
    };
    if let Some(supervisor) = attendant.supervisor() {
        supervisor.resume(&sight).map_err(media(&folder))?;
    }
    let shown = std::fs::metadata(&job.output).map_or(0, |meta| meta.len());
    let tail = (job.output.parent() == Some(folder.path())).then(|| Tail::new(&job.output, shown));
    verdict(name, &attendant.foreground(tail)?)
}

/// Attends to a job on this node until it is over, unless somebody does.
pub fn attend(store: &Path, name: &str) -> Result<u8, Fault> {
    match Attendant::new(store, &Folder::of(store, name)) {
        Ok(mut attendant) => attendant.background().map(|_| 0),
        Err(fault) if fault.exit == Exit::Busy => Ok(0),
        Err(fault) => Err(fault),
    }
}

/// Waits until a job is over.
pub fn wait(store: &Path, name: &str) -> Result<u8, Fault> {
    existing(store, name)?;
    let mut failing: Option<Instant> = None;
    loop {
        match existing(store, name) {
            Ok((_, term)) if term.state.phase.is_final() => return verdict(name, &term.state),
            Ok(_) => failing = None,
            Err(fault) if fault.exit == Exit::NoSuchVersion => return Err(fault),
            // A store that was there may be away for a while.
            Err(fault) => {
                if failing.get_or_insert_with(Instant::now).elapsed() > Duration::from_secs(600) {
                    return Err(fault);
                }
            }
        }
        std::thread::sleep(LOOK);
    }
}

/// Asks the supervisor of a job for something.
pub fn ask(store: &Path, name: &str, request: Request) -> Result<u8, Fault> {
    let (folder, term) = existing(store, name)?;
    if term.state.phase.is_final() {
        return Err(Fault::new(
            Exit::Busy,
            format!("job {name} does not run: reliable_run --list"),
        ));
    }
    folder.ask(request).map_err(media(&folder))?;
    Ok(0)
}

/// A job in the list.
#[derive(serde::Serialize)]
struct Line {
    job: String,
    term: u64,
    node: u32,
    #[serde(flatten)]
    state: State,
    command: Vec<String>,
}

/// Shows the jobs of a store.
pub fn list(store: &Path, json: bool) -> Result<u8, Fault> {
    let names = match folder::names(store) {
        Ok(names) => names,
        Err(error) if error.kind() == ErrorKind::NotFound && store.exists() => Vec::new(),
        Err(error) => return Err(crate::store::wrong(store, &error)),
    };
    let mut lines = Vec::new();
    for job in names {
        // Others' jobs are theirs.
        let Ok((folder, term)) = existing(store, &job) else {
            continue;
        };
        let Ok(Job { command, .. }) = folder.job() else {
            continue;
        };
        lines.push(Line {
            job,
            term: term.number,
            node: term.claim.node,
            state: term.state,
            command,
        });
    }
    match json {
        true => tool::say(status::json(&lines)?)?,
        false => tool::say(table(&lines))?,
    }
    Ok(0)
}

fn table(lines: &[Line]) -> String {
    let mut text = format!(
        "{:<12} {:<10} {:>6} {:>4} {:>8} {:>8} {:>8} COMMAND\n",
        "JOB", "PHASE", "STATUS", "NODE", "APP", "VERSIONS", "RESTARTS"
    );
    for line in lines {
        let state = &line.state;
        let phase = format!("{:?}", state.phase).to_lowercase();
        let status = state
            .status
            .map_or_else(|| "-".into(), |status| status.to_string());
        let counters = &state.counters;
        let command = crate::message::printable(&line.command.join(" "));
        text.push_str(&format!(
            "{:<12} {phase:<10} {status:>6} {:>4} {:>8} {:>8} {:>8} {command}\n",
            line.job, line.node, state.application, counters.checkpoints, counters.restarts
        ));
    }
    text
}
