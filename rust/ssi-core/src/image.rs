// SPDX-License-Identifier: GPL-2.0
//! The records of a checkpoint image: one file per kind of record, and the frame around each.

pub mod commit;
pub mod frame;
pub mod memory;
pub mod part;
