// SPDX-License-Identifier: GPL-2.0
//! A deterministic discrete-event cluster: the second host of `ssi-core`.
//!
//! Nothing of a protocol is written here: the world hands events to the state machines of the
//! core and does their effects, as the kernel does, with a network, clock, media and processes of
//! its own.
#![expect(
    clippy::result_large_err,
    reason = "a failure is made once in an operation, and travels as a value"
)]
#![expect(
    clippy::large_enum_variant,
    reason = "what passes through in one step is not kept"
)]
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test fails by panic"))]

pub mod check;
pub mod command;
pub mod cost;
pub mod coverage;
pub mod crash;
pub mod event;
pub mod explore;
pub mod plan;
pub mod queue;
pub mod random;
pub mod shrink;
pub mod story;
pub mod trace;
pub mod world;
