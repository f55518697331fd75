// SPDX-License-Identifier: GPL-2.0
//! The protocols of cluster checkpoint/restart: pure state machines, wire and image formats.
//!
//! No I/O, clock, thread, lock, allocation, float, `unsafe` or panic: time and randomness are
//! arguments, and every act on the world is an effect handed to the host. The kernel module
//! (`rust/kernel-ssi`) and the simulator (`sim`) are the two hosts of this one source.
#![cfg_attr(not(test), no_std)]
#![expect(
    clippy::large_enum_variant,
    reason = "without allocation there is no box to put it in"
)]
#![cfg_attr(
    test,
    allow(
        clippy::arithmetic_side_effects,
        clippy::expect_used,
        clippy::identity_op,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unwrap_used,
        clippy::wildcard_enum_match_arm,
        reason = "a test fails by panic, and names only what it is about"
    )
)]

pub mod abi;
pub mod checkpoint;
pub mod codec;
pub mod copy;
pub mod failure;
pub mod flush;
pub mod frontier;
pub mod image;
pub mod limits;
pub mod member;
pub mod node;
pub mod place;
pub mod process;
pub mod restart;
pub mod sort;
pub mod stream;
pub mod survey;
pub mod text;
#[cfg(test)]
mod trial;
pub mod wire;
