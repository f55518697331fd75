// SPDX-License-Identifier: GPL-2.0
//! A job's folder in the store, `<store>/jobs/<name>`: files that are whole or absent.
use super::record::{Claim, Job, Report, Request, State};
use crate::exit::{Exit, Fault};
use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use serde::{de::DeserializeOwned, Serialize};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Result, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Longest file of a job that is read.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// Most entries of a folder that are looked at.
const ENTRIES_MAX: usize = 4096;
/// Longest name of a job.
pub const NAME_MAX: usize = 64;
/// Terms whose files are kept: a reader may still be at the one before.
const TERMS_KEPT: u64 = 2;

/// Tells apart the files that one process writes aside.
static ASIDE: AtomicU64 = AtomicU64::new(0);

/// A job's folder.
#[derive(Clone, Debug)]
pub struct Folder {
    path: PathBuf,
}

/// The newest term of a job with who supervises it, and its newest state.
pub struct Term {
    /// The term.
    pub number: u64,
    /// Who supervises it.
    pub claim: Claim,
    /// The newest state: of this term, or of one before.
    pub state: State,
}

/// Folder of all jobs of a store.
pub fn jobs(store: &Path) -> PathBuf {
    store.join("jobs")
}

/// Makes the folder of all jobs. One that root makes is open to all users, each for its own jobs.
pub fn make_jobs(store: &Path) -> Result<()> {
    let jobs = jobs(store);
    if jobs.is_dir() {
        return Ok(());
    }
    std::fs::create_dir_all(&jobs)?;
    if nix::unistd::geteuid().is_root() {
        std::fs::set_permissions(&jobs, std::fs::Permissions::from_mode(0o1777))?;
    }
    Ok(())
}

/// Whether `name` can be a job's: it is also the name of a folder.
pub fn is_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    (1..=NAME_MAX).contains(&name.len()) && !name.starts_with('.') && name.bytes().all(plain)
}

/// The names of the jobs in `store`.
pub fn names(store: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(jobs(store))?.take(ENTRIES_MAX) {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            names.extend(
                entry
                    .file_name()
                    .to_str()
                    .filter(|name| is_name(name))
                    .map(str::to_owned),
            );
        }
    }
    names.sort_by_key(|name| (name.parse::<u64>().ok(), name.clone()));
    Ok(names)
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let mut bytes = Vec::new();
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
        .open(path)?;
    if !file.metadata()?.is_file() {
        return Err(ErrorKind::InvalidData.into());
    }
    file.take(FILE_BYTES_MAX).read_to_end(&mut bytes)?;
    serde_json::from_slice(&bytes).map_err(Into::into)
}

/// `None` where the file is absent; anything else that stands in the way is an error.
fn read_if_there<T: DeserializeOwned>(path: &Path) -> Result<Option<T>> {
    match read(path) {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn remove_if_there(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

impl Folder {
    /// The folder of the job `name`, which may or may not exist.
    pub fn of(store: &Path, name: &str) -> Folder {
        Folder {
            path: jobs(store).join(name),
        }
    }

    /// Makes the folder of a new job: of this name, or of the next free number.
    pub fn create(store: &Path, name: Option<&str>) -> std::result::Result<Folder, Fault> {
        let all = jobs(store);
        let wrong = |error: std::io::Error| {
            Fault::new(
                Exit::Media,
                format!(
                    "{}: {error}; name another store with --store",
                    all.display()
                ),
            )
        };
        make_jobs(store).map_err(wrong)?;
        let first: u64 = match name {
            Some(_) => 0,
            None => {
                names(store)
                    .map_err(wrong)?
                    .iter()
                    .filter_map(|name| name.parse().ok())
                    .max()
                    .unwrap_or(0)
                    + 1
            }
        };
        // As many may start a job at the same time.
        for number in first..first.saturating_add(ENTRIES_MAX as u64) {
            let folder = Folder::of(
                store,
                &name.map_or_else(|| number.to_string(), str::to_owned),
            );
            match std::fs::DirBuilder::new().mode(0o700).create(&folder.path) {
                Ok(()) => return Ok(folder),
                Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(wrong(error)),
                Err(_) => {}
            }
            if let Some(name) = name {
                let text = format!("job {name} exists: --resume {name}, or another --name");
                return Err(Fault::new(Exit::Busy, text));
            }
        }
        Err(Fault::new(
            Exit::Limit,
            format!("{ENTRIES_MAX} jobs in {}", all.display()),
        ))
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The name of the job.
    pub fn name(&self) -> String {
        self.path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned()
    }

    /// Writes a file so that any reader sees all of it or none.
    fn write<T: Serialize>(&self, name: &str, value: &T, durable: bool) -> Result<()> {
        let temporary = self.write_aside(name, value, durable)?;
        std::fs::rename(&temporary, self.path.join(name))?;
        if durable {
            File::open(&self.path)?.sync_all()?;
        }
        Ok(())
    }

    fn write_aside<T: Serialize>(&self, name: &str, value: &T, durable: bool) -> Result<PathBuf> {
        let number = ASIDE.fetch_add(1, Ordering::Relaxed);
        let temporary = self
            .path
            .join(format!(".{name}.{}.{number}", std::process::id()));
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&temporary)?;
        file.write_all(&serde_json::to_vec(value)?)?;
        if durable {
            file.sync_all()?;
        }
        Ok(temporary)
    }

    /// Writes the job itself.
    pub fn write_job(&self, job: &Job) -> Result<()> {
        self.write("job", job, true)
    }

    /// The job itself.
    pub fn job(&self) -> Result<Job> {
        read(&self.path.join("job"))
    }

    /// Makes `claim` the one of `term`, unless there is one: of many who try one succeeds.
    pub fn claim(&self, term: u64, claim: &Claim) -> Result<bool> {
        let name = format!("claim-{term}");
        let temporary = self.write_aside(&name, claim, true)?;
        let linked = std::fs::hard_link(&temporary, self.path.join(&name));
        remove_if_there(&temporary)?;
        match linked {
            Ok(()) => {
                File::open(&self.path)?.sync_all()?;
                self.forget(term)?;
                Ok(true)
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Removes what terms before left that nobody reads any more.
    fn forget(&self, term: u64) -> Result<()> {
        let (claims, states) = (self.numbers("claim-")?, self.numbers("state-")?);
        for old in claims.iter().filter(|old| **old + TERMS_KEPT <= term) {
            remove_if_there(&self.path.join(format!("claim-{old}")))?;
        }
        // The newest state is what the next supervisor goes on from, however old it is.
        let newest = states.iter().max().copied().unwrap_or(0);
        for old in states
            .iter()
            .filter(|old| **old + TERMS_KEPT <= term && **old != newest)
        {
            remove_if_there(&self.path.join(format!("state-{old}")))?;
        }
        Ok(())
    }

    /// The numbers in names of files that begin with `prefix`.
    fn numbers(&self, prefix: &str) -> Result<Vec<u64>> {
        let mut numbers = Vec::new();
        for entry in std::fs::read_dir(&self.path)?.take(ENTRIES_MAX) {
            let name = entry?.file_name();
            let number = name.to_str().and_then(|name| name.strip_prefix(prefix));
            numbers.extend(number.and_then(|digits| digits.parse::<u64>().ok()));
        }
        Ok(numbers)
    }

    /// The newest term, or nothing for a job that is just being made.
    pub fn term(&self) -> Result<Option<Term>> {
        let Some(number) = self.numbers("claim-")?.into_iter().max() else {
            return Ok(None);
        };
        let Some(claim) = read_if_there(&self.path.join(format!("claim-{number}")))? else {
            return Ok(None);
        };
        let Some(newest) = self
            .numbers("state-")?
            .into_iter()
            .filter(|of| *of <= number)
            .max()
        else {
            return Ok(None);
        };
        let state = read_if_there(&self.path.join(format!("state-{newest}")))?;
        Ok(state.map(|state| Term {
            number,
            claim,
            state,
        }))
    }

    /// Writes the state of `term`; only its supervisor does.
    pub fn write_state(&self, term: u64, state: &State) -> Result<()> {
        self.write(&format!("state-{term}"), state, true)
    }

    /// Writes the report of a node's attendant. It may be lost with the node.
    pub fn write_report(&self, node: u32, report: &Report) -> Result<()> {
        self.write(&format!("node-{node}"), report, false)
    }

    /// The report of a node's attendant.
    pub fn report(&self, node: u32) -> Result<Option<Report>> {
        read_if_there(&self.path.join(format!("node-{node}")))
    }

    /// The right to attend the job on a node, for as long as what is returned lives; nothing where
    /// another process of the node has it.
    pub fn lock(&self, node: u32) -> Result<Option<Flock<File>>> {
        let path = self.path.join(format!("lock-{node}"));
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)?;
        match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(lock) => Ok(Some(lock)),
            Err((_, Errno::EWOULDBLOCK)) => Ok(None),
            Err((_, errno)) => Err(errno.into()),
        }
    }

    /// The reports of all nodes.
    pub fn reports(&self) -> Result<BTreeMap<u32, Report>> {
        let mut reports = BTreeMap::new();
        for number in self.numbers("node-")? {
            let Ok(node) = u32::try_from(number) else {
                continue;
            };
            reports.extend(self.report(node)?.map(|report| (node, report)));
        }
        Ok(reports)
    }

    /// File in which the application's root leaves the exit status of the command.
    pub fn exit_path(&self) -> PathBuf {
        self.path.join("exit")
    }

    /// File with the PID of the application's root.
    pub fn pid_path(&self) -> PathBuf {
        self.path.join("pid")
    }

    /// The exit status of the command, once it is there.
    pub fn exit_status(&self) -> Result<Option<u8>> {
        match std::fs::read_to_string(self.exit_path()) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            // A line without its end is still being written.
            Ok(text) => Ok(text
                .strip_suffix('\n')
                .and_then(|status| status.parse().ok())),
            Err(error) => Err(error),
        }
    }

    /// Forgets how an earlier run of the command ended.
    pub fn clear_exit(&self) -> Result<()> {
        remove_if_there(&self.exit_path())
    }

    /// The PID that an earlier start of the command left.
    pub fn root_pid(&self) -> Option<u32> {
        std::fs::read_to_string(self.pid_path())
            .ok()?
            .trim()
            .parse()
            .ok()
    }

    /// Forgets that PID.
    pub fn clear_pid(&self) -> Result<()> {
        remove_if_there(&self.pid_path())
    }

    /// Asks the supervisor for something.
    pub fn ask(&self, request: Request) -> Result<()> {
        File::create(self.path.join(request.file())).map(drop)
    }

    /// Whether something was asked; once.
    pub fn take(&self, request: Request) -> Result<bool> {
        let path = self.path.join(request.file());
        if !path.try_exists()? {
            return Ok(false);
        }
        remove_if_there(&path).map(|()| true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Temporary(PathBuf);

    impl Temporary {
        fn new(test: &str) -> Temporary {
            let path = std::env::temp_dir().join(format!("ssi-job-{}-{test}", std::process::id()));
            std::fs::create_dir(&path).unwrap();
            Temporary(path)
        }
    }

    impl Drop for Temporary {
        fn drop(&mut self) {
            std::fs::remove_dir_all(&self.0).unwrap();
        }
    }

    fn claim(node: u32) -> Claim {
        Claim {
            node,
            epoch: 1,
            pid: 2,
        }
    }

    #[test]
    fn names_are_names_of_folders() {
        for name in ["1", "night-run_2.a"] {
            assert!(is_name(name));
        }
        for name in ["", ".", "..", ".x", "a/b", "a b", &"x".repeat(65)] {
            assert!(!is_name(name));
        }
    }

    #[test]
    fn jobs_get_the_next_number_or_their_own_name() {
        let store = Temporary::new("names");
        assert_eq!(Folder::create(&store.0, None).unwrap().name(), "1");
        assert_eq!(
            Folder::create(&store.0, Some("night")).unwrap().name(),
            "night"
        );
        assert_eq!(Folder::create(&store.0, None).unwrap().name(), "2");
        assert_eq!(
            Folder::create(&store.0, Some("night")).err().unwrap().exit,
            Exit::Busy
        );
        assert_eq!(names(&store.0).unwrap(), ["night", "1", "2"]);
    }

    #[test]
    fn one_of_many_gets_a_term() {
        let store = Temporary::new("claim");
        let folder = Folder::create(&store.0, None).unwrap();
        assert!(folder.term().unwrap().is_none());
        assert!(folder.claim(1, &claim(1)).unwrap());
        assert!(!folder.claim(1, &claim(2)).unwrap());
        folder.write_state(1, &State::new(7)).unwrap();
        assert_eq!(folder.term().unwrap().unwrap().claim, claim(1));
        let won = std::thread::scope(|scope| {
            let tries: Vec<_> = (1..=8)
                .map(|node| (node, folder.clone()))
                .map(|(node, folder)| scope.spawn(move || folder.claim(2, &claim(node)).unwrap()))
                .collect();
            tries
                .into_iter()
                .map(|one| one.join().unwrap())
                .filter(|won| *won)
                .count()
        });
        assert_eq!(won, 1);
    }

    #[test]
    fn a_new_supervisor_goes_on_from_the_newest_state() {
        let store = Temporary::new("terms");
        let folder = Folder::create(&store.0, None).unwrap();
        folder.claim(1, &claim(1)).unwrap();
        folder.write_state(1, &State::new(7)).unwrap();
        for term in 2..=5 {
            assert!(folder.claim(term, &claim(2)).unwrap());
        }
        let term = folder.term().unwrap().unwrap();
        assert_eq!((term.number, term.state.started_ms), (5, 7));
        folder.write_state(5, &State::new(8)).unwrap();
        assert_eq!(folder.term().unwrap().unwrap().state.started_ms, 8);
        assert!(folder.numbers("claim-").unwrap().len() <= 2);
    }

    #[test]
    fn a_status_counts_when_its_line_is_whole() {
        let store = Temporary::new("exit");
        let folder = Folder::create(&store.0, None).unwrap();
        assert_eq!(folder.exit_status().unwrap(), None);
        for (text, status) in [("", None), ("1", None), ("13\n", Some(13)), ("x\n", None)] {
            std::fs::write(folder.exit_path(), text).unwrap();
            assert_eq!(folder.exit_status().unwrap(), status);
        }
        folder.clear_exit().unwrap();
        folder.clear_exit().unwrap();
    }

    #[test]
    fn a_node_has_one_attendant() {
        let store = Temporary::new("lock");
        let folder = Folder::create(&store.0, None).unwrap();
        let first = folder.lock(1).unwrap();
        assert!(first.is_some());
        assert!(folder.lock(1).unwrap().is_none());
        assert!(folder.lock(2).unwrap().is_some());
        drop(first);
        assert!(folder.lock(1).unwrap().is_some());
    }

    #[test]
    fn a_request_is_taken_once() {
        let store = Temporary::new("ask");
        let folder = Folder::create(&store.0, None).unwrap();
        assert!(!folder.take(Request::Stop).unwrap());
        folder.ask(Request::Stop).unwrap();
        assert!(!folder.take(Request::Checkpoint).unwrap());
        assert!(folder.take(Request::Stop).unwrap());
        assert!(!folder.take(Request::Stop).unwrap());
    }

    #[test]
    fn a_link_or_a_pipe_in_place_of_a_file_is_not_read() {
        let store = Temporary::new("link");
        let folder = Folder::create(&store.0, None).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", folder.path().join("job")).unwrap();
        assert!(folder.job().is_err());
        nix::unistd::mkfifo(&folder.path().join("node-1"), nix::sys::stat::Mode::S_IRUSR).unwrap();
        assert!(folder.report(1).is_err());
    }
}
