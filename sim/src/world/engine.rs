// SPDX-License-Identifier: GPL-2.0
//! The protocol thread of a node: what the kernel's engine does, event by event.
use super::peers::News;
use super::World;
use crate::event::At;
use ssi_core::checkpoint;
use ssi_core::limits::tick_ms;
use ssi_core::node::{NodeId, OpId};
use ssi_core::restart::AgentEvent;
use ssi_core::wire::{copy, Body};
use std::rc::Rc;

/// What one event leads to ends after so many rounds.
const ROUNDS_MAX: u32 = 10_000;

impl World {
    /// Works on what the last event led to, until nothing is left.
    pub(super) fn settle(&mut self, at: At) {
        let mut rounds = 0;
        while self.is_alive(at) && self.broken.is_none() {
            rounds += 1;
            if rounds > ROUNDS_MAX {
                self.breaks("bounds", format!("{at:?} never comes to rest"));
            }
            let engine = &mut self.node_mut(at.node).engine;
            let news = std::mem::take(&mut engine.news);
            let own = std::mem::take(&mut engine.own);
            if news.is_empty() && own.is_empty() {
                return;
            }
            for news in news {
                self.hear(at, news);
            }
            for body in own {
                self.deliver(at, at.node, &body);
            }
        }
    }

    fn hear(&mut self, at: At, news: News) {
        match news {
            News::Up => self.announce(at),
            News::Down(peer) => {
                let dead = !self.up_from(at.node).contains(peer);
                if dead {
                    self.forget(at, peer);
                }
                self.checkpoints_peer_down(at, peer);
                self.copies_peer_down(at, peer);
                self.stakes_peer_down(at, peer);
                self.restarts_peer_down(at, peer);
                // Homes have moved. Where only the connection is lost, a new one makes `Up`.
                if dead {
                    self.announce(at);
                }
            }
            News::Message(from, message) => self.deliver(at, from, &message.body),
            News::Relay(batch) => self.checkpoint_relay(at, &batch),
            News::Chunk(chunk) => self.chunk(at, &chunk),
            News::Expelled => self.node_mut(at.node).engine.expelled = true,
        }
    }

    pub(super) fn deliver(&mut self, at: At, from: NodeId, body: &Body) {
        match *body {
            Body::Member(_) => {}
            Body::Process(message) => self.process_message(at, from, message),
            Body::Checkpoint(op, message) => self.checkpoint_message(at, op, from, message),
            Body::Copy(op, message) => self.copy_message(at, op, from, message),
            // No workload asks for a version on another store.
            Body::Flush(_, message) => self.violated("flush", ("none", message.name())),
            Body::Restart(op, message) => self.restart_message(at, op, from, message),
            Body::Stream(op, message) => self.stream_message(at, op, from, message),
        }
    }

    fn copy_message(&mut self, at: At, op: OpId, from: NodeId, message: copy::Message) {
        use copy::Message as M;
        match message {
            M::Accept(_)
            | M::Took(_)
            | M::Kept(_)
            | M::Refused(_)
            | M::Recorded(_)
            | M::Unrecorded(_) => self.said(at, op, from, message),
            M::Offer(_) | M::Finish(_) | M::Settled(_) | M::Forget(_) => {
                self.keeper_message(at, op, from, message);
            }
            M::Record(_) | M::Locate(_) => self.run_errand(at, op, from, message),
            M::Located(_) | M::NotLocated(_) if self.find_checkpoint(at, op).is_some() => {
                self.said(at, op, from, message);
            }
            M::Located(_) | M::NotLocated(_) => self.holds(at, op, from, message),
        }
    }

    pub(super) fn direct(&mut self, from: NodeId, to: At, body: &Rc<Body>) {
        self.deliver(to, from, body);
        self.settle(to);
    }

    /// Timers of operations that are over.
    pub(super) fn timers(&mut self, at: At) {
        let now_ms = self.now_ms(at.node);
        let engine = &mut self.node_mut(at.node).engine;
        let mut due: Vec<(OpId, u32)> = Vec::new();
        for operation in &mut engine.checkpoints {
            let timer = operation.timer.take_if(|timer| timer.due_ms <= now_ms);
            due.extend(timer.map(|timer| (operation.op, timer.number)));
        }
        for (op, number) in due {
            self.step_checkpoint(at, op, checkpoint::Event::Deadline(number));
        }
        self.number_timers(at, now_ms);
        self.survey_timers(at, now_ms);
        self.restart_timers(at, now_ms);
        self.settle(at);
    }

    /// Arms a timer; the event that looks at it comes when the node's clock says so.
    pub(super) fn timer(&mut self, at: At, number: u32, ms: u32) -> Timer {
        let now = self.queue.now();
        let clock = self.node(at.node).clock;
        let due_ms = clock.ms(now) + u64::from(ms);
        // The kernel looks at its timers once in a tick.
        let wait_ms = u64::from(ms) + 1 + self.random.below(self.tick_ms());
        let event = crate::event::Event::Timers(at);
        self.queue.at(now + clock.real_ns(wait_ms), event);
        Timer { number, due_ms }
    }

    /// Milliseconds between two ticks of a node.
    pub(super) fn tick_ms(&self) -> u64 {
        u64::from(tick_ms(self.plan.failure_ms))
    }

    pub(super) fn now_ms(&self, node: NodeId) -> u64 {
        self.node(node).clock.ms(self.queue.now())
    }

    /// Notes a pair of state and event, and a violation if it is one.
    pub(super) fn violated(&mut self, protocol: &str, violation: (&str, &str)) {
        let (state, event) = violation;
        self.breaks("violation", format!("{protocol}: {event} in state {state}"));
    }

    /// A part of a restart's agent has told something.
    pub(super) fn tell_restart(&mut self, at: At, op: OpId, event: AgentEvent) {
        self.step_restart(at, op, event);
        self.settle(at);
    }
}

/// A timer of an operation.
#[derive(Clone, Copy, Debug)]
pub struct Timer {
    /// Comes back in the event.
    pub number: u32,
    /// On the node's clock.
    pub due_ms: u64,
}
