// SPDX-License-Identifier: GPL-2.0
//! The only unsafe code: safe wrappers of the C shims and of the kernel, one file per noun.

pub mod crypto;
pub mod gate;
pub mod global;
pub mod net;
pub mod thread;
pub mod user;
