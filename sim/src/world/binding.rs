// SPDX-License-Identifier: GPL-2.0
//! How the ends of a part find their other ends: questions to the homes of streams, connections.
use super::helpers::{Bound, Helper};
use super::image::EndImage;
use super::join::{alone, damaged, join};
use super::streams::{address_of, node_at};
use super::World;
use crate::cost::Act;
use crate::event::{At, Event, HelperStep};
use ssi_core::abi::FailureCode;
use ssi_core::failure::Failure;
use ssi_core::node::{NodeId, OpId};
use ssi_core::stream::{bind, Side, Slot, StreamId};
use ssi_core::wire::stream::{Bind, Message};
use ssi_core::wire::Body;

/// Slots of the remap table.
const SLOTS: usize = 128;

type Outcome<T> = Result<T, Failure>;

/// The name of an end's stream, and which side of it the end is.
pub(super) fn name_of(end: &EndImage, on: NodeId) -> Outcome<(StreamId, Side)> {
    let (near, far) = end.names();
    StreamId::new(near, far, on).ok_or(damaged(b"a connection with itself"))
}

impl World {
    /// The next end asks for its other end; when all have it, the processes are made.
    pub(super) fn bind_next(&mut self, at: At, op: OpId, part: NodeId) -> Outcome<()> {
        if !self.goes(at, op, part) {
            return Ok(());
        }
        let Some((image, bound)) = self.helper(at, op, part).and_then(Helper::ready) else {
            return Ok(());
        };
        if bound.contains(&Bound::Asked) {
            return Ok(());
        }
        for (number, end) in image.ends.iter().enumerate() {
            if bound[number] != Bound::Not {
                continue;
            }
            if end.alone || end.local {
                self.join_local(at, op, (part, number), end);
                return self.bind_next(at, op, part);
            }
            let (id, side) = name_of(end, part)?;
            if let Some(helper) = self.helper(at, op, part) {
                helper.bound[number] = Bound::Asked;
            }
            return self.ask_home(at, op, (id, side));
        }
        if bound.iter().all(|bound| matches!(bound, Bound::To(..))) {
            let bytes = image.processes.iter().map(|process| process.memory).sum();
            let time = self.cost.of(Act::Create {
                processes: image.processes.len() as u64,
                bytes,
            });
            let event = Event::Help(at, op, HelperStep::Created(part));
            self.queue.after(time, event);
        }
        Ok(())
    }

    fn ask_home(&mut self, at: At, op: OpId, end: (StreamId, Side)) -> Outcome<()> {
        let (id, side) = end;
        let Some(participant) = self.participant(at, op) else {
            return Ok(());
        };
        let home = id.home(participant.agent.participants());
        let home = home.ok_or(Failure::new(FailureCode::Internal))?;
        let question = Bind {
            id,
            side,
            address: address_of(at.node),
            port: 1,
        };
        self.send(at, home, Body::Stream(op, Message::Bind(question)));
        Ok(())
    }

    /// A message about a stream of a restart came.
    pub(super) fn stream_message(&mut self, at: At, op: OpId, from: NodeId, message: Message) {
        let Some(side) = self.participant(at, op) else {
            return;
        };
        let (id, end, answer) = match message {
            Message::Bind(question) => {
                side.team.slots.resize(SLOTS, Slot::Empty);
                let answer = bind(&mut side.team.slots, at.node, &question);
                return self.send(at, from, Body::Stream(op, answer));
            }
            Message::Create(create) => (create.id, create.side, Ok(None)),
            Message::Found(found) => (found.id, found.side, Ok(Some(found.address))),
            Message::Unbound(unbound) => (unbound.id, unbound.side, Err(unbound.failure)),
        };
        let Some((part, number)) = side.team.asking(id, end) else {
            return;
        };
        match answer {
            Ok(None) => {
                if let Some(helper) = self.helper(at, op, part) {
                    helper.bound[number] = Bound::Waits;
                }
                let event = Event::Help(at, op, HelperStep::Bind(part));
                self.queue.after(0, event);
            }
            Ok(Some(address)) => self.connect_end(at, op, (part, number), address),
            Err(why) => self.not_built(at, op, part, why),
        }
    }

    /// Connects an end to the node where the other one waits.
    fn connect_end(&mut self, at: At, op: OpId, end: (NodeId, usize), address: u32) {
        let there = node_at(address).filter(|node| self.node(*node).up);
        let Some(there) = there else {
            let why = Failure::new(FailureCode::NodeUnreachable);
            return self.not_built(at, op, end.0, why);
        };
        let time = self.message_time(at.node, there) * 2;
        let step = HelperStep::Connect {
            part: end.0,
            end: end.1,
            from: self.node(there).at,
        };
        self.queue.after(time, Event::Help(at, op, step));
    }

    /// The connection reaches the end that waits: both are joined, and refilled.
    pub(super) fn connected(
        &mut self,
        at: At,
        op: OpId,
        end: (NodeId, usize),
        there: At,
    ) -> Outcome<()> {
        let (part, number) = end;
        if !self.goes(at, op, part) {
            return Ok(());
        }
        let unreachable = Failure::new(FailureCode::NodeUnreachable);
        let Some((image, _)) = self.helper(at, op, part).and_then(Helper::ready) else {
            return Ok(());
        };
        let mine = image.ends[number].clone();
        let cut = !self.reaches(at.node, there.node) || !self.reaches(there.node, at.node);
        if cut || !self.is_alive(there) {
            return Err(unreachable);
        }
        let other = self.participant(there, op);
        let other = other
            .and_then(|side| side.team.waiting(&mine))
            .ok_or(unreachable)?;
        let Some((theirs, _)) = self.helper(there, op, other.0).and_then(Helper::ready) else {
            return Err(unreachable);
        };
        let theirs = theirs.ends[other.1].clone();
        let mut stream = join((&mine, at.node), (&theirs, there.node))?;
        for end in &mut stream.ends {
            end.real = self.new_name(end.node);
        }
        let stream = self.new_stream(stream);
        for (at, (part, number), which) in [(at, end, 0), (there, other, 1)] {
            if let Some(helper) = self.helper(at, op, part) {
                helper.bound[number] = Bound::To(stream, which);
            }
            let event = Event::Help(at, op, HelperStep::Bind(part));
            self.queue.after(0, event);
        }
        Ok(())
    }

    /// Joins both ends of a local stream, or an end that has no other.
    fn join_local(&mut self, at: At, op: OpId, end: (NodeId, usize), mine: &EndImage) {
        let (part, number) = end;
        let Some((image, _)) = self.helper(at, op, part).and_then(Helper::ready) else {
            return;
        };
        let other = mine.other.map(|other| &image.ends[other]);
        let mut stream = alone(mine, at.node);
        if let Some(other) = other {
            stream.ways[1].read = other.send_first;
            stream.ways[0] = alone(other, at.node).ways[1].clone();
            stream.ways[0].una = mine.send_first;
        }
        let which = self.new_stream(stream);
        if let Some(helper) = self.helper(at, op, part) {
            helper.bound[number] = Bound::To(which, 0);
            if let Some(other) = mine.other {
                helper.bound[other] = Bound::To(which, 1);
            }
        }
    }
}
