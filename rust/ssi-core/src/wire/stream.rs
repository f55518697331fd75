// SPDX-License-Identifier: GPL-2.0
//! Messages of a restart by which the two ends of a stream find each other.

use crate::failure::Failure;
use crate::record;
use crate::stream::{Side, StreamId};

record! {
    /// To the home of the stream: this end is here, and can be reached there.
    pub struct Bind {
        /// The stream.
        pub id: StreamId,
        /// Which of its ends.
        pub side: Side,
        /// IPv4 address of the sender's listener, host byte order.
        pub address: u32,
        /// Its port.
        pub port: u32,
    }
}

record! {
    /// Answer to the first end: create the stream, and wait for the other end.
    pub struct Create {
        /// The stream.
        pub id: StreamId,
        /// The end that is meant.
        pub side: Side,
    }
}

record! {
    /// Answer to the second end: the first one waits there.
    pub struct Found {
        /// The stream.
        pub id: StreamId,
        /// The end that is meant.
        pub side: Side,
        /// IPv4 address of the other end's listener, host byte order.
        pub address: u32,
        /// Its port.
        pub port: u32,
    }
}

record! {
    /// Answer where the table cannot take the end.
    pub struct Unbound {
        /// The stream.
        pub id: StreamId,
        /// The end that is meant.
        pub side: Side,
        /// Why.
        pub failure: Failure,
    }
}

protocol! {
    /// The remap table of a restart.
    pub enum Message {
        /// Here is an end.
        Bind = 64,
        /// It is the first.
        Create = 65,
        /// The other one is there.
        Found = 66,
        /// It is refused.
        Unbound = 67,
    }
}
