// SPDX-License-Identifier: GPL-2.0
//! The memory of a node for checkpoints: a store on a tmpfs of its own, which is its bound.
use crate::exit::{Exit, Fault};
use nix::errno::Errno;
use nix::mount::{mount as mount_at, umount, MsFlags};
use serde::Deserialize;
use std::fmt;
use std::fs::DirBuilder;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::Path;
use std::str::FromStr;

/// Where it is, on every node.
pub const STORE: &str = "/run/ssi/memory";

/// Versions of an application that stay in it unless the user says otherwise: the new one is
/// written while the old ones are there.
pub const KEEP: u32 = 2;

/// How much of it there may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(try_from = "String")]
pub enum Limit {
    /// None.
    Nothing,
    /// Hundredths of all memory.
    Percent(u32),
    /// Bytes.
    Bytes(u64),
}

impl Default for Limit {
    fn default() -> Self {
        Limit::Percent(25)
    }
}

impl FromStr for Limit {
    type Err = String;

    fn from_str(text: &str) -> Result<Limit, String> {
        let wrong = || format!("{text:?} is no size: a share as 25%, or one as 512MiB, 4GiB");
        if text == "0" {
            return Ok(Limit::Nothing);
        }
        if let Some(share) = text.strip_suffix('%') {
            let share = share.parse().map_err(|_| wrong())?;
            return match share {
                1..=90 => Ok(Limit::Percent(share)),
                _ => Err(format!("{text}: between 1% and 90% are possible")),
            };
        }
        let digits = text.trim_end_matches(|letter: char| !letter.is_ascii_digit());
        let unit = match &text[digits.len()..] {
            "MiB" | "M" => 20,
            "GiB" | "G" => 30,
            "TiB" | "T" => 40,
            _ => return Err(wrong()),
        };
        let count: u64 = digits.parse().map_err(|_| wrong())?;
        let bytes = count.checked_mul(1 << unit).filter(|bytes| *bytes > 0);
        bytes.map(Limit::Bytes).ok_or_else(wrong)
    }
}

impl TryFrom<String> for Limit {
    type Error = String;

    fn try_from(text: String) -> Result<Limit, String> {
        text.parse()
    }
}

/// As tmpfs takes it.
impl fmt::Display for Limit {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Limit::Nothing => out.write_str("0"),
            Limit::Percent(share) => write!(out, "{share}%"),
            Limit::Bytes(bytes) => write!(out, "{bytes}"),
        }
    }
}

fn wrong(what: &str, error: Errno) -> Fault {
    let exit = match error {
        Errno::EPERM | Errno::EACCES => {
            let why = "not permitted: only root may set the memory of a node for checkpoints";
            return Fault::new(Exit::NotPermitted, why);
        }
        Errno::EBUSY | Errno::EINVAL => Exit::Busy,
        _ => Exit::System,
    };
    Fault::new(exit, format!("{STORE}: {what}: {error}"))
}

fn from_io(error: &std::io::Error) -> Errno {
    Errno::from_raw(error.raw_os_error().unwrap_or(libc::EIO))
}

/// Whether there is such a memory on this node.
pub fn is_there() -> bool {
    let device = |path: &Path| std::fs::metadata(path).map(|found| found.dev()).ok();
    let store = Path::new(STORE);
    let around = store.parent().and_then(device);
    device(store).is_some_and(|own| Some(own) != around)
}

/// Fails where there is none.
///
/// # Errors
/// There is none, and what to do.
pub fn check() -> Result<(), Fault> {
    if is_there() {
        return Ok(());
    }
    let why = "this node has no memory for checkpoints: ssictl limits --memory SIZE";
    Err(Fault::new(Exit::Config, why))
}

/// Makes the memory, or changes its bound.
///
/// # Errors
/// The system refuses: too little for what is there, or nobody but root may.
pub fn mount(limit: &Limit) -> Result<(), Fault> {
    if *limit == Limit::Nothing {
        return match is_there() {
            true => umount(STORE).map_err(|error| wrong("cannot be unmounted", error)),
            false => Ok(()),
        };
    }
    std::fs::create_dir_all(STORE).map_err(|error| wrong("cannot be made", from_io(&error)))?;
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    let again = match is_there() {
        true => MsFlags::MS_REMOUNT,
        false => MsFlags::empty(),
    };
    // Every user has folders of his own in it, as in /tmp.
    let options = format!("size={limit},mode=1777");
    mount_at(
        Some("ssi-memory"),
        STORE,
        Some("tmpfs"),
        flags | again,
        Some(options.as_str()),
    )
    .map_err(|error| wrong("cannot be mounted", error))
}

/// A version of the application lives again from another store, whose newest has this number:
/// the next one in memory gets a higher number, so that it can be written to that store, too.
/// Where it cannot be said, it is found out then.
pub fn reserve(application: u64, number: u32) {
    if is_there() {
        // As the kernel leaves it where a version is removed.
        let mark = Path::new(STORE).join(format!("{application}/.v{number}"));
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&mark);
        if let Err(error) = made {
            crate::tool::note(format_args!("{}: {error}", mark.display()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        let size = |text: &str| text.parse::<Limit>();
        assert_eq!(size("0"), Ok(Limit::Nothing));
        assert_eq!(size("25%"), Ok(Limit::Percent(25)));
        assert_eq!(size("512MiB"), Ok(Limit::Bytes(512 << 20)));
        assert_eq!(size("4G"), Ok(Limit::Bytes(4 << 30)));
        for wrong in [
            "",
            "%",
            "0%",
            "91%",
            "100",
            "-1M",
            "1.5G",
            "0M",
            "99999999999T",
            "G",
        ] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
        assert_eq!(Limit::Percent(25).to_string(), "25%");
        assert_eq!(Limit::Bytes(1 << 20).to_string(), "1048576");
    }
}
