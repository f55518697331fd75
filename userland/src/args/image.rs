// SPDX-License-Identifier: GPL-2.0
//! The arguments of ssi-image.
use super::{exits, STORE};
use crate::exit::Exit;
use clap::{Parser, Subcommand};
use std::path::PathBuf;

/// Print, check and compare images of checkpoints.
///
/// IMAGE is ID or ID:VERSION for a version of the store, or a path: of a version's folder, of a
/// node's part, of a commit record, or, only to verify, of what checkpoint --exportable wrote.
/// Nothing in an image is believed: the first byte that is wrong is named. The kernel module is
/// not needed.
#[derive(Parser, Debug)]
#[command(name = "ssi-image", version, disable_help_subcommand = true)]
#[command(max_term_width = 100, after_help = exits(&[READ, DIFF]))]
#[command(propagate_version = true, arg_required_else_help = false)]
pub struct Image {
    /// As JSON, one object per line.
    #[arg(long, global = true)]
    pub json: bool,
    /// Folder of the checkpoints.
    #[arg(long, global = true, value_name = "DIR", default_value = STORE)]
    pub store: PathBuf,
    /// What to do.
    #[command(subcommand)]
    pub command: ImageCommand,
}

/// What ssi-image does.
#[derive(Subcommand, Debug)]
pub enum ImageCommand {
    /// Print every record: its place, its kind, what it is about, what it says.
    #[command(after_help = exits(&[READ]))]
    Print {
        /// The image.
        #[arg(value_name = "IMAGE")]
        image: String,
    },
    /// Check whole versions: every record, every digest, every page, every sum.
    #[command(after_help = exits(&[READ]))]
    Verify {
        /// The versions.
        #[arg(value_name = "IMAGE", required = true)]
        images: Vec<String>,
    },
    /// Show what differs between two images; exit status 6 where something does.
    #[command(after_help = exits(&[READ, DIFF]))]
    Diff {
        /// The image before.
        #[arg(value_name = "OLD")]
        old: String,
        /// The image after.
        #[arg(value_name = "NEW")]
        new: String,
    },
}

const DIFF: &[Exit] = &[Exit::Differs];

const READ: &[Exit] = &[
    Exit::NotPermitted,
    Exit::Media,
    Exit::NoSuchVersion,
    Exit::Damaged,
];
