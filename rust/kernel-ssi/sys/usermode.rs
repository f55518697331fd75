// SPDX-License-Identifier: GPL-2.0
//! Starts the restart helper: a process whose context restored processes begin in.

use kernel::error::to_result;
use kernel::prelude::*;

extern "C" {
    fn ssi_usermode_helper(number: u64) -> i32;
}

/// Starts `/usr/bin/ssi-restart-helper NUMBER` and returns once it runs.
pub fn start_helper(number: u64) -> Result {
    // SAFETY: A plain number; the callee copies it.
    to_result(unsafe { ssi_usermode_helper(number) })
}
