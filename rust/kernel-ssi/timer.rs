// SPDX-License-Identifier: GPL-2.0
//! The one timer of a state machine: a newer one replaces it, and the tick finds it due.

/// A deadline that the core asked for.
pub struct Timer {
    number: u32,
    due_ms: u64,
}

impl Timer {
    /// Due `ms` after `now_ms`.
    pub fn new(number: u32, ms: u32, now_ms: u64) -> Timer {
        let due_ms = now_ms + u64::from(ms);
        Timer { number, due_ms }
    }

    /// Takes out a timer that is due, and gives its number.
    pub fn take_due(place: &mut Option<Timer>, now_ms: u64) -> Option<u32> {
        place
            .take_if(|timer| timer.due_ms <= now_ms)
            .map(|timer| timer.number)
    }
}
