// SPDX-License-Identifier: GPL-2.0
//! Every bound and time limit of the protocols, with what must hold between them.

/// Longest message between nodes, header included.
pub const MESSAGE_BYTES_MAX: usize = 1024;

/// Most bytes of a file in one chunk of a copy: seven pages, so that with what stands before them
/// they fit in eight.
pub const CHUNK_BYTES_MAX: usize = 28_672;

/// Most chunks of one copy that are on their way: bounds memory, and how long a heartbeat waits.
pub const COPY_WINDOW: u32 = 16;

/// Nodes have this long to say what they hold of a version.
pub const LOCATE_MS_MAX: u32 = 20_000;

/// Longest path in a message, in bytes, without a terminating NUL.
pub const PATH_BYTES_MAX: usize = 255;

/// Longest name of a thing in the way of an operation, in bytes.
pub const FAILURE_TEXT_MAX: usize = crate::abi::FAILURE_TEXT;

/// Most effects of one `step` of any state machine: what a host reserves before it takes its lock.
pub const STEP_EFFECTS_MAX: usize = 8;

/// Most links that one node reports in one operation.
pub const LINKS_MAX: u32 = 131_072;

/// Most nodes that one agent of a checkpoint enlists itself; its children enlist the others.
pub const FANOUT_MAX: usize = 8;

/// Most links in one batch for a child: with what stands before them they fit in 16 KiB.
pub const RELAY_MAX: usize = 512;

/// Most links that one agent has its host keep.
pub const HELD_MAX: u32 = 4 * LINKS_MAX;

/// Aborted operations that a node remembers.
pub const HISTORY_MAX: usize = 64;

/// Most PIDs in one question of a restart whether they are in use.
pub const CLAIM_MAX: usize = 128;

/// Longest chain of fathers that is climbed.
pub const DEPTH_MAX: u32 = 65_536;

/// Silence after which a peer counts as dead, unless the join says otherwise.
pub const FAILURE_MS_DEFAULT: u32 = 3_000;
/// Shortest silence that a join may ask for.
pub const FAILURE_MS_MIN: u32 = 300;
/// Longest silence that a join may ask for.
pub const FAILURE_MS_MAX: u32 = 600_000;
/// Shortest time between two ticks of the host.
pub const TICK_MS: u32 = 25;
/// Longest time between two ticks of the host.
pub const TICK_MS_MAX: u32 = 250;
/// Heartbeats in one failure time.
pub const HEARTBEATS_PER_FAILURE: u32 = 6;
/// A handshake that takes longer is given up.
pub const HANDSHAKE_MS_MAX: u32 = 2_000;
/// First pause before connecting again; doubled each time.
pub const RECONNECT_MS_MIN: u32 = 100;
/// Longest pause before connecting again.
pub const RECONNECT_MS_MAX: u32 = 2_000;

/// A node that has just joined waits this long for a peer that it has not heard of: the peer may
/// still believe in the node's earlier life, may stand still as long without counting as dead, and
/// then pauses and connects.
pub const fn settle_ms(failure_ms: u32) -> u32 {
    let silence_ms = failure_ms.saturating_mul(2);
    silence_ms.saturating_add(RECONNECT_MS_MAX + HANDSHAKE_MS_MAX)
}

/// A coordinator waits this long for all processes to stop.
pub const STOP_MS_MAX: u32 = 20_000;
/// A coordinator waits this long for all send queues to be saved.
pub const SAVE_SEND_MS_MAX: u32 = 20_000;
/// A coordinator waits this long for the snapshot of all processes.
pub const SNAPSHOT_MS_MAX: u32 = 60_000;
/// A coordinator waits this long for a version's folder.
pub const OPEN_MS_MAX: u32 = 60_000;
/// A coordinator waits this long until all processes have got a signal.
pub const SIGNAL_MS_MAX: u32 = 20_000;
/// A coordinator waits this long until all parts are durable.
pub const WRITE_MS_MAX: u32 = 3_600_000;
/// A coordinator waits this long until the commit record is durable.
pub const COMMIT_MS_MAX: u32 = 60_000;
/// An abort or a taking back that is not answered within this time ends anyway.
pub const ABORT_MS_MAX: u32 = 20_000;
/// A participant waits this much longer than the coordinator, who so decides first.
pub const PATIENCE_MS: u32 = 10_000;

/// Pause before a participant of a restart that holds other nodes for alive is asked again.
pub const AGREE_MS: u32 = 250;
/// How often it is asked again, and a silent one waited for: all together 10 s.
pub const AGREE_MAX: u32 = 39;
/// A coordinator waits this long until all parts are restored.
pub const CREATE_MS_MAX: u32 = 3_600_000;
/// A coordinator waits this long until every process runs again.
pub const GO_MS_MAX: u32 = 20_000;
/// Pause before a participant whose connection broke is told `Go` again.
pub const GO_AGAIN_MS: u32 = 250;
/// How often it is told again.
pub const GO_AGAIN_MAX: u32 = 7;
/// A participant that lost its coordinator waits this long for a `Go` that others pass on.
pub const ORPHAN_MS: u32 = 2_000;

/// Most streams of one restart whose ends meet at one home.
pub const STREAMS_MAX: usize = 16_384;

/// Time between two ticks of a host whose peers may be silent for `failure_ms`: a quarter of the
/// time between two heartbeats, as an idle node should sleep.
pub const fn tick_ms(failure_ms: u32) -> u32 {
    let quarter = failure_ms / (4 * HEARTBEATS_PER_FAILURE);
    if quarter < TICK_MS {
        TICK_MS
    } else if quarter > TICK_MS_MAX {
        TICK_MS_MAX
    } else {
        quarter
    }
}

const _: () = assert!(FAILURE_MS_MIN <= FAILURE_MS_DEFAULT && FAILURE_MS_DEFAULT <= FAILURE_MS_MAX);
const _: () = assert!(FAILURE_MS_MIN / HEARTBEATS_PER_FAILURE >= 2 * tick_ms(FAILURE_MS_MIN));
const _: () = assert!(tick_ms(FAILURE_MS_DEFAULT) == 125);
const _: () = assert!(RECONNECT_MS_MIN < RECONNECT_MS_MAX);
const _: () = assert!(HANDSHAKE_MS_MAX < FAILURE_MS_DEFAULT);
const _: () = assert!(RECONNECT_MS_MAX < FAILURE_MS_DEFAULT);
const _: () = assert!(FAILURE_MS_DEFAULT < STOP_MS_MAX && FAILURE_MS_DEFAULT < ABORT_MS_MAX);
const _: () = assert!(GO_AGAIN_MS * GO_AGAIN_MAX < ORPHAN_MS);
const _: () = assert!(ORPHAN_MS < FAILURE_MS_DEFAULT);
const _: () = assert!(PATIENCE_MS > FAILURE_MS_DEFAULT && PATIENCE_MS < ABORT_MS_MAX);
const _: () = assert!(FANOUT_MAX > 0 && RELAY_MAX > 0);
const _: () = assert!(crate::wire::relay::BYTES_MAX <= 16_384);
const _: () = assert!(COPY_WINDOW >= 2);
const _: () = assert!(crate::wire::LONGEST <= MESSAGE_BYTES_MAX);
