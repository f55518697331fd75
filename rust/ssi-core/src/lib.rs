// SPDX-License-Identifier: GPL-2.0
//! The protocols of cluster checkpoint/restart: pure state machines, wire and image formats.
//!
//! No I/O, clock, thread, lock, allocation, float, `unsafe` or panic: time and randomness are
//! arguments, and every act on the world is an effect handed to the host. The kernel module
//! (`rust/kernel-ssi`) and the simulator (`sim`) are the two hosts of this one source.
#![cfg_attr(not(test), no_std)]

pub mod abi;
pub mod codec;
pub mod image;
pub mod node;
