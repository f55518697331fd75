// SPDX-License-Identifier: GPL-2.0
//! Named steps of a checkpoint at which a test may have the machine lose its power, or a thread
//! wait.

extern "C" {
    fn ssi_powercut_at(step: u32);
}

/// A step that this node has just done; `shim/powercut.c` has the names in the same order.
#[derive(Clone, Copy)]
#[repr(u32)]
pub enum Step {
    /// All that was found is stopped.
    Stopped,
    /// Send queues are saved.
    SendSaved,
    /// Everything is saved in memory.
    Snapped,
    /// The application goes on.
    Released,
    /// The version's folder is there.
    Opened,
    /// The part's folder is there.
    PartMade,
    /// Pages are written, not durable.
    PagesWritten,
    /// The part file is written, not durable.
    PartWritten,
    /// The part is durable, the names of its files are not.
    PartDurable,
    /// The names are durable, too; nobody has been told.
    FoldersDurable,
    /// The commit record is written under its temporary name, not durable.
    CommitWritten,
    /// It is durable under that name.
    CommitDurable,
    /// It has its final name, which is not durable.
    CommitRenamed,
    /// The version exists; nobody has been told.
    CommitDone,
}

/// Cuts the power, or waits, where a test has armed this step; costs nothing otherwise.
pub fn at(step: Step) {
    // SAFETY: A plain number.
    unsafe { ssi_powercut_at(step as u32) }
}
