// SPDX-License-Identifier: GPL-2.0
//! Socket options between the kernel's struct and the image's record.

use crate::sys::tcp::Options;
use ssi_core::image::socket::TcpOptions;

macro_rules! convert {
    ($from:expr => $to:ident { $($field:ident),* $(,)? }) => {
        $to { $($field: $from.$field),* }
    };
}

macro_rules! every_option {
    ($from:expr => $to:ident) => {
        convert!($from => $to {
            sndbuf, rcvbuf, locks, flags, keep_idle_s, keep_interval_s, keep_count, linger_s, tos,
            ttl, priority, mark, user_timeout_ms, rcvlowat, rcvtimeo_ms, sndtimeo_ms,
            defer_accept_s, syn_count, congestion,
        })
    };
}

/// As the image has them.
pub(in crate::object) fn to_image(options: &Options) -> TcpOptions {
    every_option!(options => TcpOptions)
}

/// As the kernel takes them; it checks each where it is set.
pub(in crate::object) fn from_image(options: &TcpOptions) -> Options {
    every_option!(options => Options)
}
