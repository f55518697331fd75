// SPDX-License-Identifier: GPL-2.0
//! Pairs that an agent has an answer to and that no run brings about, each with its proof.

/// What stands at the head of the table.
pub(super) const PROOFS: &str = "\
A line with (never: x) says what the agent would do; why the event does not come there says x:
a: the caller sits at the root; elsewhere a host cancels only after a pair that is impossible.
b: to get there the host has answered all that it was asked for, so nothing of it is under way.
   What it is asked for on the way in cannot fail, or has a failure event of its own.
c: an Abort goes to children and to those who owe an Ack. Whoever is owed an Ack is busy, so it
   owes one itself, or is the root; when it aborts it never gives that, so its creditor stays
   busy, and so on up to the root, which never leaves Stopping. So where all is stopped, only
   parents send an Abort.
d: who has said Signal aborts no more, and what it said before came before.
e: who has said Written fails no more: nothing is under way in its host, the loss of a child does
   not matter to it any more, that of its parent ends it without a word, and an Abort comes from
   its parent only (c).
f: who has stopped has heard of all whom it enlisted whose children they are. A child tells its
   parent that it has failed before it sends an Abort.
";

/// The proof for a line of the table.
pub(super) fn proof(who: &str, state: &str, event: &str) -> Option<char> {
    let stopped = matches!(
        state,
        "SavingSend"
            | "SendSaved"
            | "Snapshotting"
            | "Snapped"
            | "Released"
            | "Writing"
            | "Written"
            | "Signalling"
    );
    match (who, state, event) {
        ("agent", _, "Cancel") => Some('a'),
        (_, "Stopped" | "SendSaved" | "Snapped" | "Released" | "Signalling", "HostFailed") => {
            Some('b')
        }
        (_, _, "child: Abort" | "stranger: Abort") | ("root", _, "parent: Abort") if stopped => {
            Some('c')
        }
        ("agent", "Signalling", "parent: Abort") => Some('d'),
        (_, "Written", "child: Failed") => Some('e'),
        (_, "Stopped", "child: Abort") => Some('f'),
        _ => None,
    }
}
