// SPDX-License-Identifier: GPL-2.0
//! What the tools say when a call fails: one text per kind, with a name and a way out.
use crate::call::CallError;
use crate::exit::{is_full, Exit, Fault};
use ssi_core::abi::{Failure, FailureCode};

/// What was being done, for messages whose failure does not name it.
#[derive(Clone, Default)]
pub struct Subject {
    /// The process that the user named.
    pub pid: Option<u32>,
    /// The application and version that the user named.
    pub version: Option<(u64, u32)>,
    /// The store in use.
    pub store: String,
}

/// The fault behind a failed call.
pub fn explain(error: &CallError, subject: &Subject) -> Fault {
    match FailureCode::new(error.failure.code) {
        Some(code) => {
            // CAST: errno values are small; anything else is printed as unknown.
            let errno = i32::try_from(error.failure.errno).unwrap_or(0);
            Fault::new(
                Exit::of(code, errno),
                of_code(code, &error.failure, subject),
            )
        }
        None => of_errno(error, subject),
    }
}

/// The fault behind a failed call that sets or shows capabilities.
pub fn explain_caps(error: &CallError, subject: &Subject) -> Fault {
    if error.errno != libc::EINVAL {
        return explain(error, subject);
    }
    let process = process(0, subject);
    let text = format!(
        "{process} was born before this node joined its cluster and cannot get the capability: \
         start it anew"
    );
    Fault::new(Exit::BadArgument, text)
}

/// The fault behind a failed call that is about the node, not about an application.
pub fn explain_control(error: &CallError) -> Fault {
    let text = text(&error.failure);
    match FailureCode::new(error.failure.code) {
        Some(FailureCode::NotPermitted) => Fault::new(
            Exit::NotPermitted,
            "not permitted: only root may join and leave",
        ),
        Some(FailureCode::Busy) => Fault::new(Exit::Busy, format!("refused: {text}")),
        _ => explain(error, &Subject::default()),
    }
}

const NOT_JOINED: &str = "this node has not joined a cluster: ssictl join";

fn of_errno(error: &CallError, subject: &Subject) -> Fault {
    let process = process(0, subject);
    match error.errno {
        libc::ENOSYS => Fault::new(
            Exit::NoModule,
            "the kernel module ssi is not loaded: modprobe ssi (on a kernel with its patches)",
        ),
        libc::ESRCH => Fault::new(Exit::NoSuchProcess, no_such_process(&process)),
        libc::EPERM | libc::EACCES => Fault::new(Exit::NotPermitted, not_permitted(&process)),
        libc::ENODEV => Fault::new(Exit::NotJoined, NOT_JOINED),
        libc::ENOMEM => Fault::new(Exit::NoMemory, "the kernel has not enough memory"),
        libc::E2BIG => Fault::new(
            Exit::Incompatible,
            "the kernel module ssi is older than this tool: install both from one release",
        ),
        libc::EINVAL => Fault::new(Exit::BadArgument, "the kernel refused the arguments"),
        errno => Fault::new(Exit::System, unknown_code(&error.failure, errno)),
    }
}

fn of_code(code: FailureCode, failure: &Failure, subject: &Subject) -> String {
    let process = process(failure.pid, subject);
    let text = text(failure);
    let node = node(failure);
    let version = version(subject);
    match code {
        FailureCode::NotJoined => NOT_JOINED.into(),
        FailureCode::NoSuchProcess => no_such_process(&process),
        FailureCode::NotCheckpointable => not_checkpointable(&process),
        FailureCode::NotPermitted if !text.is_empty() => format!(
            "not permitted: {process} had higher {text} than its restart may give it; restart it \
             where they are not lowered (ulimit -H), or as root"
        ),
        FailureCode::NotPermitted => not_permitted(&process),
        FailureCode::Unsupported => unsupported(failure, &process, &text),
        FailureCode::OutsideEnd => outside_end(failure, &process, &text),
        FailureCode::NodeUnreachable if failure.node == 0 && !text.is_empty() => {
            format!("{text}: ssictl status")
        }
        FailureCode::NodeUnreachable => {
            format!("{node} cannot be reached{}: ssictl status", detail(&text))
        }
        FailureCode::PartUnreachable => format!(
            "no node that is up and may be used has the parts that these nodes wrote: {text}; wait \
             for one that has, or choose another version with restart --list"
        ),
        FailureCode::NodeDied => format!(
            "{node} died during the operation; nothing was changed, earlier versions are intact"
        ),
        FailureCode::StopTimeout => format!(
            "{process} did not come to rest in time{}; it goes on, try again",
            detail(&text)
        ),
        FailureCode::Media => media(failure, &node, &text, subject),
        FailureCode::Busy => format!(
            "another checkpoint or restart of this application runs{}; wait for its end",
            detail(&text)
        ),
        FailureCode::NoMemory => {
            format!(
                "{node} has not enough memory{}; free some and try again",
                detail(&text)
            )
        }
        FailureCode::NoSuchVersion => {
            format!(
                "{version} does not exist in {}: see restart --list",
                subject.store
            )
        }
        FailureCode::Damaged => format!(
            "{version} is damaged{}{}; choose another with restart --list",
            place(failure),
            detail(&text)
        ),
        FailureCode::PidInUse => pid_in_use(failure, &node),
        FailureCode::FileGone => format!(
            "a file that the application had open is missing or has changed on {node}{}; put it \
             back as it was",
            detail(&text)
        ),
        FailureCode::Incompatible => incompatible(failure, &node, &text),
        FailureCode::Limit => format!("a limit was reached on {node}{}", detail(&text)),
        FailureCode::BadArgument => format!("the kernel refused the arguments{}", detail(&text)),
        FailureCode::Internal => {
            format!(
                "internal error on {node}{}; its kernel log has more",
                detail(&text)
            )
        }
    }
}

fn no_such_process(process: &str) -> String {
    format!("no process of the cluster is {process}: see ssictl status --processes")
}

fn not_checkpointable(process: &str) -> String {
    format!(
        "{process} has no CHECKPOINTABLE capability: start it with ssi-run, or give it the \
         capability with ssi-cap --set"
    )
}

fn not_permitted(process: &str) -> String {
    format!("not permitted: {process} is somebody else's; ask its owner or root")
}

fn unsupported(failure: &Failure, process: &str, text: &str) -> String {
    let what = if text.is_empty() { "something" } else { text };
    let place = match failure.fd {
        ..0 => String::new(),
        fd => format!(" as descriptor {fd}"),
    };
    format!(
        "{process} holds {what}{place}, which cannot be saved; the application goes on. \
         Close it, or end what needs it"
    )
}

fn outside_end(failure: &Failure, process: &str, text: &str) -> String {
    let place = match failure.fd {
        ..0 => String::new(),
        fd => format!(" (descriptor {fd})"),
    };
    format!(
        "a stream of {process}{place} leads out of the application{}; give the other end the \
         capability, or close the stream",
        detail(text)
    )
}

fn media(failure: &Failure, node: &str, text: &str, subject: &Subject) -> String {
    let errno = i32::try_from(failure.errno).unwrap_or(0);
    let (what, advice) = if is_full(errno) {
        (
            "is full",
            "remove old versions or choose another with --store",
        )
    } else {
        (
            "cannot be used",
            "is it a writable directory on every node?",
        )
    };
    let why = if is_full(errno) {
        String::new()
    } else {
        because(errno)
    };
    format!(
        "the store {} {what} on {node}{why}{}; {advice}",
        subject.store,
        detail(text)
    )
}

/// What the image needs, and the node has not, or not for it.
fn incompatible(failure: &Failure, node: &str, text: &str) -> String {
    match i32::try_from(failure.errno) {
        Ok(libc::EADDRINUSE) => format!(
            "{text} is in use on {node}: end what uses it, or restart elsewhere with --avoid"
        ),
        Ok(libc::EADDRNOTAVAIL) => format!(
            "the address of {text} is not on {node}: give it that address, or restart elsewhere \
             with --avoid"
        ),
        Ok(_) | Err(_) => format!(
            "{node} lacks a feature that the image needs{}",
            detail(text)
        ),
    }
}

fn pid_in_use(failure: &Failure, node: &str) -> String {
    match failure.pid {
        0 => format!("a PID of the application is in use on {node}: end that process first"),
        pid => format!("PID {pid} is in use on {node}: end that process first"),
    }
}

fn unknown_code(failure: &Failure, errno: i32) -> String {
    let system = std::io::Error::from_raw_os_error(errno);
    match failure.code {
        0 => system.to_string(),
        code => format!(
            "failure {code}, unknown to this tool{}: {system}",
            detail(&text(failure))
        ),
    }
}

fn process(pid: u32, subject: &Subject) -> String {
    match (pid, subject.pid) {
        (0, None) => "the process".into(),
        (0, Some(pid)) | (pid, _) => format!("process {pid}"),
    }
}

fn node(failure: &Failure) -> String {
    match failure.node {
        0 => "this node".into(),
        node => format!("node {node}"),
    }
}

/// The part and the process of an image that a failure is about.
fn place(failure: &Failure) -> String {
    match (failure.node, failure.pid) {
        (0, 0) => String::new(),
        (node, 0) => format!(", as node {node} found"),
        (0, pid) => format!(" (process {pid})"),
        (node, pid) => format!(", as node {node} found (process {pid})"),
    }
}

fn version(subject: &Subject) -> String {
    match subject.version {
        Some((application, version)) => format!("version {version} of application {application}"),
        None => "the version".into(),
    }
}

fn because(errno: i32) -> String {
    match errno {
        0 => String::new(),
        errno => format!(" ({})", std::io::Error::from_raw_os_error(errno)),
    }
}

/// What the kernel said, without anything that a terminal would obey.
fn text(failure: &Failure) -> String {
    let used = (failure.text_len as usize).min(failure.text.len());
    printable(&String::from_utf8_lossy(&failure.text[..used]))
}

/// `text` with every control character replaced.
pub fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}

fn detail(text: &str) -> String {
    if text.is_empty() {
        String::new()
    } else {
        format!(": {text}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ssi_core::abi::FAILURE_TEXT;

    fn error(code: u32, errno: u32, words: &str) -> CallError {
        let mut text = [0; FAILURE_TEXT];
        text[..words.len()].copy_from_slice(words.as_bytes());
        let text_len = words.len() as u32;
        let failure = Box::new(Failure {
            code,
            node: 3,
            pid: 12582999,
            fd: 7,
            errno,
            text_len,
            text,
        });
        CallError {
            errno: libc::EIO,
            failure,
        }
    }

    fn subject() -> Subject {
        Subject {
            pid: Some(5),
            version: Some((37143, 2)),
            store: "/var/x".into(),
        }
    }

    #[test]
    fn every_failure_has_its_own_text() {
        let texts: std::collections::BTreeSet<String> = (1..=20)
            .map(|code| explain(&error(code, 0, ""), &subject()).text)
            .collect();
        assert_eq!(texts.len(), 20);
    }

    #[test]
    fn what_cannot_be_saved_is_named_with_its_place() {
        let fault = explain(&error(5, 0, "a UNIX socket"), &subject());
        assert_eq!(fault.exit, Exit::Unsupported);
        assert!(fault
            .text
            .contains("process 12582999 holds a UNIX socket as descriptor 7"));
    }

    #[test]
    fn a_full_store_is_named() {
        let fault = explain(&error(10, libc::ENOSPC as u32, ""), &subject());
        assert_eq!(fault.exit, Exit::MediaFull);
        assert!(fault.text.contains("the store /var/x is full on node 3"));
    }

    #[test]
    fn a_port_that_is_in_use_is_no_missing_feature() {
        let fault = explain(
            &error(17, libc::EADDRINUSE as u32, "TCP port 7"),
            &subject(),
        );
        assert_eq!(fault.exit, Exit::Incompatible);
        assert!(fault.text.starts_with("TCP port 7 is in use on node 3"));
        let fault = explain(
            &error(17, libc::EADDRNOTAVAIL as u32, "TCP port 7"),
            &subject(),
        );
        assert!(fault
            .text
            .starts_with("the address of TCP port 7 is not on node 3"));
    }

    #[test]
    fn without_a_failure_the_errno_decides() {
        let mut bare = error(0, 0, "");
        bare.errno = libc::ENOSYS;
        assert_eq!(explain(&bare, &subject()).exit, Exit::NoModule);
        bare.errno = libc::ESRCH;
        assert!(!explain(&bare, &subject()).text.contains("12582999"));
        assert!(explain(&bare, &subject()).text.contains("process 5"));
    }

    #[test]
    fn a_terminal_obeys_nothing_that_the_kernel_repeats() {
        let fault = explain(&error(5, 0, "\x1b[2J"), &subject());
        assert!(!fault.text.contains('\x1b'));
    }

    #[test]
    fn a_length_from_the_kernel_is_not_believed() {
        let mut long = error(5, 0, "x");
        long.failure.text_len = u32::MAX;
        assert!(explain(&long, &subject()).text.contains('x'));
    }
}
