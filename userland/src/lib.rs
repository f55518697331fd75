// SPDX-License-Identifier: GPL-2.0
//! What the tools share: arguments, system calls, messages, exit codes, the store.
#![deny(unsafe_code)]

pub mod args;
pub mod call;
pub mod checkpoint;
pub mod config;
pub mod drain;
pub mod exit;
pub mod export;
pub mod flush;
pub mod image;
pub mod limits;
pub mod made;
pub mod memory;
pub mod message;
pub mod picker;
pub mod progress;
pub mod proxy;
pub mod reliable;
pub mod report;
pub mod restart;
pub mod status;
pub mod store;
pub mod tool;
