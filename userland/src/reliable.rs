// SPDX-License-Identifier: GPL-2.0
//! Jobs that survive: a command that is checkpointed by a pattern and restarted when a node dies.
//!
//! Decisions are pure functions (`period`, `daly`, `members`, `share`, `succession`, `decide`,
//! `versions`); the rest does what they say.

pub mod args;
pub mod attend;
pub mod commands;
pub mod daly;
pub mod decide;
pub mod folder;
mod images;
pub mod launch;
pub mod members;
pub mod output;
pub mod period;
pub mod record;
pub mod share;
pub mod succession;
pub mod supervise;
pub mod task;
pub mod versions;
pub mod watch;
