// SPDX-License-Identifier: GPL-2.0
//! The records of a checkpoint image: one file per kind of record, and the frame around each.

pub mod commit;
pub mod creds;
pub mod event;
pub mod file;
pub mod frame;
pub mod memory;
pub mod object;
pub mod pair;
pub mod part;
pub mod pipe;
pub mod process;
pub mod signal;
pub mod socket;
pub mod thread;
pub mod tree;
