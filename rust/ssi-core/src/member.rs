// SPDX-License-Identifier: GPL-2.0
//! Membership: one state machine per peer; handshake, heartbeats, suspicion, epochs.
//!
//! See docs/protocol/membership.md.

pub mod transcript;

pub use transcript::{Role, Transcript, TRANSCRIPT_BYTES};
