// SPDX-License-Identifier: GPL-2.0
//! Starts the restart helper: a process whose context restored processes begin in.

use kernel::error::to_result;
use kernel::prelude::*;

extern "C" {
    fn ssi_usermode_helper(number: u64) -> i32;
}

/// Runs `/usr/bin/ssi-restart-helper NUMBER` and returns when it has ended.
///
/// # Errors
///
/// That of its exec; `EIO` where it ended with an error of its own.
pub fn run_helper(number: u64) -> Result {
    // SAFETY: A plain number; the callee copies it.
    to_result(unsafe { ssi_usermode_helper(number) })
}
