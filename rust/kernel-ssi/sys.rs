// SPDX-License-Identifier: GPL-2.0
//! The only unsafe code: safe wrappers of the C shims and of the kernel, one file per noun.

pub mod caps;
pub mod crypto;
pub mod entry;
pub mod event;
pub mod file;
pub mod flush;
pub mod fsio;
pub mod gate;
pub mod global;
pub mod lock;
pub mod mm;
pub mod net;
pub mod pages;
pub mod pair;
pub mod pipe;
pub mod powercut;
pub mod revive;
pub mod spawn;
pub mod stop;
pub mod tcp;
pub mod tcpmake;
pub mod thread;
pub mod user;
pub mod usermode;
pub mod vec;
