// SPDX-License-Identifier: GPL-2.0
//! The agent of a checkpoint: one table of states and events, and a function per transition.

mod abort;
mod relay;
mod save;
mod signal;
mod stop;

use super::near::Near;
use super::state::{Opening, State};
use super::{Counts, Effect, Event, Found, Options, Seed, Violation};
use crate::failure::Failure;
use crate::limits;
use crate::node::{NodeId, OpId};
use crate::wire::checkpoint::Message;

/// Where effects go, in order.
pub type Sink<'a, const F: usize = { limits::FANOUT_MAX }> = &'a mut dyn FnMut(Effect<F>);

/// One node's share of a checkpoint. It enlists at most `F` nodes itself.
#[derive(Clone, Debug)]
pub struct Agent<const F: usize = { limits::FANOUT_MAX }> {
    me: NodeId,
    root: NodeId,
    options: Options,
    /// Who engaged this agent; `None` at the root.
    parent: Option<NodeId>,
    /// The parent is dead, or the connection with it broke.
    parent_gone: bool,
    /// Nodes that were enlisted. Their death matters, the parent's too, nobody else's: whoever
    /// else sent something has a parent of its own that will notice.
    near: Near<F>,
    /// The seed of the one local stop under way.
    looking: Option<Seed>,
    found: Found,
    counts: Counts,
    opening: Opening,
    links: u32,
    /// Number of the timer that counts.
    timer: u32,
    pub(in crate::checkpoint) state: State<F>,
}

/// [`Agent::step`] for the fan-out of kernels. It stands here so that the core's own object holds
/// the code, and the linker can show that it never panics (tests/core_no_panic.sh).
///
/// # Errors
/// As [`Agent::step`].
pub fn step(agent: &mut Agent, event: Event, out: Sink<'_>) -> Result<(), Violation> {
    agent.step(event, out)
}

impl<const F: usize> Agent<F> {
    /// The agent of node `me` in operation `op`. At the root the first event is
    /// [`Event::Start`], elsewhere the Enlist that `options` came with.
    pub fn new(me: NodeId, op: OpId, options: Options) -> Self {
        Agent {
            me,
            root: op.root,
            options,
            parent: None,
            parent_gone: false,
            near: Near::EMPTY,
            looking: None,
            found: Found::NOTHING,
            counts: Counts::ZERO,
            opening: Opening::Absent,
            links: 0,
            timer: 0,
            state: State::Fresh,
        }
    }

    /// What was asked for.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// How far the agent is: a number of [`crate::abi::step`].
    pub fn progress(&self) -> u32 {
        use crate::abi::step;
        match self.state {
            State::Fresh | State::Ended => step::IDLE,
            State::Locating(_) | State::Stopping(_) | State::Stopped => step::STOP,
            State::SavingSend(_)
            | State::SendSaved
            | State::Snapshotting(_)
            | State::Snapped
            | State::Aborting(_) => step::SNAPSHOT,
            State::Released | State::Writing(_) => step::WRITE,
            State::Written | State::Committing(_) | State::Signalling(_) => step::COMMIT,
        }
    }

    /// Name of the state, as in the golden table.
    pub fn state(&self) -> &'static str {
        self.state.name()
    }

    /// What `node` is to this agent, as in the golden table.
    pub fn relation(&self, node: NodeId) -> &'static str {
        if self.is_parent(node) {
            "parent"
        } else if self.has_enlisted(node) || self.state == State::Locating(node) {
            "child"
        } else {
            "stranger"
        }
    }

    /// Takes an event and says what to do: at most [`limits::STEP_EFFECTS_MAX`] effects.
    ///
    /// # Errors
    /// A [`Violation`] where the event cannot happen; the agent is as it was.
    pub fn step(&mut self, event: Event, out: Sink<'_, F>) -> Result<(), Violation> {
        super::table::step(self, event, out)
    }

    pub(in crate::checkpoint) fn me(&self) -> NodeId {
        self.me
    }

    pub(in crate::checkpoint) fn is_root(&self) -> bool {
        self.me == self.root
    }

    /// The root decides first; others wait longer.
    fn arm(&mut self, ms: u32, out: Sink<'_, F>) {
        let ms = if self.is_root() {
            ms
        } else {
            ms.saturating_add(limits::PATIENCE_MS)
        };
        self.timer = self.timer.wrapping_add(1);
        out(Effect::Timer {
            number: self.timer,
            ms,
        });
    }

    fn end(&mut self, failure: Option<Failure>, out: Sink<'_, F>) {
        self.state = State::Ended;
        out(Effect::End { failure });
    }

    fn tell_children(&self, message: Message, out: Sink<'_, F>) {
        let to = self.near.children();
        if !to.is_empty() {
            out(Effect::Multicast { to, message });
        }
    }

    fn tell_parent(&mut self, message: Message, out: Sink<'_, F>) {
        if let Some(to) = self.parent {
            out(Effect::Send { to, message });
        }
    }

    pub(in crate::checkpoint) fn is_parent(&self, node: NodeId) -> bool {
        self.parent == Some(node)
    }

    pub(in crate::checkpoint) fn has_enlisted(&self, node: NodeId) -> bool {
        self.near.contains(node)
    }

    pub(in crate::checkpoint) fn is_current(&self, timer: u32) -> bool {
        self.timer == timer
    }
}
