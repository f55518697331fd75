// SPDX-License-Identifier: GPL-2.0
//! Messages about where processes are: announcements to the home of a PID, and questions to it.

use crate::node::ClusterPid;
use crate::record;

record! {
    /// To the home of `pid`: the process runs on the sender.
    pub struct Hosts {
        /// A CHECKPOINTABLE process that was born elsewhere.
        pub pid: ClusterPid,
    }
}

record! {
    /// To the home of `pid`: the process ran on the sender and has ended.
    pub struct Exited {
        /// The process.
        pub pid: ClusterPid,
    }
}

record! {
    /// To the home of `pid`: where does it run?
    pub struct Where {
        /// The process.
        pub pid: ClusterPid,
        /// Comes back in the answer.
        pub token: u32,
    }
}

record! {
    /// Answer to [`Where`].
    pub struct At {
        /// The process.
        pub pid: ClusterPid,
        /// As in the question.
        pub token: u32,
        /// Raw id of the node that runs it, 0: the home knows of no such process.
        pub node: u32,
    }
}

protocol! {
    /// The global process table.
    pub enum Message {
        /// It runs here.
        Hosts = 16,
        /// It has ended here.
        Exited = 17,
        /// Where does it run?
        Where = 18,
        /// There.
        At = 19,
    }
}
