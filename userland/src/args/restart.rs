// SPDX-License-Identifier: GPL-2.0
//! The arguments of restart.
use super::{exits, number, Media, CALL};
use crate::exit::{Exit, Fault};
use clap::Parser;
use ssi_core::node::{NodeId, NodeSet};
use std::path::PathBuf;

/// Restart a checkpointed application.
///
/// Without ID, restart shows what was checkpointed and asks which version to restart. Every
/// process comes back on its old node if that is up, else on another. Either all run again, or
/// none does and the message says why.
#[derive(Parser, Debug)]
#[command(name = "restart", version, max_term_width = 100)]
#[command(after_help = exits(&[CALL, RESTART, EXITS]))]
pub struct Restart {
    /// Only show what was checkpointed.
    #[arg(short, long)]
    pub list: bool,
    /// Report, or list, as JSON; a failure is a line on standard error all the same.
    #[arg(long)]
    pub json: bool,
    /// Where images are kept.
    #[arg(long, value_enum, default_value = "disk")]
    pub media: Media,
    /// Folder of the checkpoints, the same on every node [default: /var/lib/ssi/checkpoints].
    #[arg(long, value_name = "DIR")]
    pub store: Option<PathBuf>,
    /// Wait for the processes that came back on this node, pass signals on to the first one and
    /// end with its exit status: 128 and its number where a signal ended it.
    #[arg(short, long, conflicts_with_all = ["list", "stopped"])]
    pub foreground: bool,
    /// Leave the processes stopped, for a debugger; checkpoint --unfreeze PID lets them go on.
    #[arg(long, conflicts_with = "list")]
    pub stopped: bool,
    /// Use only these nodes, as in 1,4-6.
    #[arg(long, value_name = "LIST", value_parser = nodes, conflicts_with_all = ["list", "avoid"])]
    pub nodes: Option<NodeSet>,
    /// Use all nodes but these.
    #[arg(long, value_name = "LIST", value_parser = nodes, conflicts_with = "list")]
    pub avoid: Option<NodeSet>,
    /// File that takes what was written to standard streams outside the application.
    #[arg(long, value_name = "FILE", conflicts_with = "list")]
    pub output: Option<PathBuf>,
    /// Open FILE in place of standard stream FD (0, 1 or 2), where that led out of the
    /// application, for processes that come back on this node. Once for each FD.
    #[arg(long, value_name = "FD=FILE", value_parser = substitute, conflicts_with = "list")]
    pub substitute: Vec<Substitute>,
    /// The application; or a file that checkpoint --exportable wrote, - for standard input.
    #[arg(value_name = "ID|FILE")]
    pub what: Option<String>,
    /// The version [default: the newest].
    #[arg(value_name = "VERSION", conflicts_with = "list",
          value_parser = number(1..=u32::MAX))]
    pub version_number: Option<u32>,
}

/// A file in place of a standard stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Substitute {
    /// 0, 1 or 2.
    pub descriptor: u32,
    /// The file.
    pub file: PathBuf,
}

const EXITS: &[Exit] = &[Exit::Cancelled, Exit::Elsewhere];

/// What any restart of a version can fail with.
pub(super) const RESTART: &[Exit] = &[
    Exit::Unsupported,
    Exit::NodeUnreachable,
    Exit::NodeDied,
    Exit::Media,
    Exit::Busy,
    Exit::NoSuchVersion,
    Exit::Damaged,
    Exit::PidInUse,
    Exit::FileGone,
    Exit::Limit,
    Exit::MediaFull,
    Exit::PartUnreachable,
];

/// `1,4-6`: nodes 1, 4, 5 and 6.
fn nodes(list: &str) -> Result<NodeSet, String> {
    let node = |text: &str| {
        let number = text.parse().ok().and_then(NodeId::new);
        number.ok_or_else(|| format!("{text:?} is no node: 1 to 254, as in 1,4-6"))
    };
    let mut set = NodeSet::EMPTY;
    for range in list.split(',') {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last) = (node(first)?, node(last)?);
        if first > last {
            return Err(format!("{range} goes backwards"));
        }
        for node in NodeId::all().filter(|node| (first..=last).contains(node)) {
            set.insert(node);
        }
    }
    Ok(set)
}

fn substitute(text: &str) -> Result<Substitute, String> {
    match text.split_once('=') {
        Some((fd @ ("0" | "1" | "2"), file)) if !file.is_empty() => Ok(Substitute {
            // One of the three digits above.
            descriptor: fd.parse().unwrap_or(0),
            file: file.into(),
        }),
        _ => Err("0=FILE, 1=FILE or 2=FILE is needed".into()),
    }
}

impl Restart {
    /// The nodes that may be used; empty: all.
    ///
    /// # Errors
    /// [`Exit::Usage`] where every node is to be avoided.
    pub fn usable(&self) -> Result<NodeSet, Fault> {
        let mut all = NodeSet::EMPTY;
        for node in NodeId::all() {
            all.insert(node);
        }
        match (self.nodes, self.avoid.map(|avoid| all.without(&avoid))) {
            (Some(nodes), _) => Ok(nodes),
            (None, Some(left)) if left.is_empty() => {
                Err(Fault::new(Exit::Usage, "--avoid leaves no node"))
            }
            (None, Some(left)) => Ok(left),
            (None, None) => Ok(NodeSet::EMPTY),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(list: &str) -> Vec<u32> {
        nodes(list).unwrap().iter().map(NodeId::raw).collect()
    }

    #[test]
    fn lists_of_nodes() {
        assert_eq!(numbers("3"), [3]);
        assert_eq!(numbers("1,4-6,5"), [1, 4, 5, 6]);
        assert_eq!(numbers("1-254").len(), 254);
        for bad in ["", "0", "255", "x", "1,", "6-4", "1-", "-1", "1-2-3"] {
            assert!(nodes(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn nodes_that_are_avoided() {
        let args = Restart::parse_from(["restart", "--avoid", "1-252", "7"]);
        let usable = args.usable().unwrap();
        let usable: Vec<u32> = usable.iter().map(NodeId::raw).collect();
        assert_eq!(usable, [253, 254]);
        let args = Restart::parse_from(["restart", "--avoid", "1-254", "7"]);
        assert!(args.usable().is_err_and(|fault| fault.exit == Exit::Usage));
    }
}
