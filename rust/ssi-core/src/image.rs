// SPDX-License-Identifier: GPL-2.0
//! The records of a checkpoint image: one file per kind of record, and the frame around each.

pub mod commit;
pub mod creds;
pub mod frame;
pub mod memory;
pub mod part;
pub mod process;
pub mod signal;
pub mod thread;
pub mod tree;
