// SPDX-License-Identifier: GPL-2.0
//! The helper processes of a restart on a node: each reads, binds and builds one part.
use super::image::{EndImage, PartImage};
use super::population::{Hold, Process, State};
use super::streams::{address_of, length, take, Point, Stream, Way};
use super::{StreamIx, World};
use crate::cost::Act;
use crate::event::{At, EndIx, Event, HelperStep};
use crate::queue::{Nanos, MS};
use ssi_core::abi::FailureCode;
use ssi_core::failure::Failure;
use ssi_core::image::socket::already_received;
use ssi_core::node::{NodeId, OpId};
use ssi_core::restart::{AgentEvent, Restored};
use ssi_core::stream::{bind, End, Side, Slot, StreamId};
use ssi_core::wire::stream::{Bind, Message};
use ssi_core::wire::Body;
use std::rc::Rc;

/// For all ends on other nodes to connect.
const ACCEPT_MS: Nanos = 30_000 * MS;
/// Slots of the remap table.
const SLOTS: usize = 128;

/// How far one end of a part is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Bound {
    /// It has not asked yet.
    Not,
    /// It has asked.
    Asked,
    /// It waits for the other end to connect.
    Waits,
    /// It is connected: the stream and its end.
    To(StreamIx, EndIx),
}

/// One part that is being built.
pub(super) struct Helper {
    pub(super) part: NodeId,
    image: Option<Rc<PartImage>>,
    bound: Vec<Bound>,
    pub(super) made: Vec<u32>,
    built: bool,
    failed: bool,
    pub(super) owes: bool,
}

/// All helpers of a restart on this node, and its share of the remap table.
#[derive(Default)]
pub struct Team {
    pub(super) helpers: Vec<Helper>,
    slots: Vec<Slot>,
    pub(super) cancelled: bool,
}

type Outcome<T> = Result<T, Failure>;

fn damaged(what: &'static [u8]) -> Failure {
    Failure::new(FailureCode::Damaged).named(what)
}

/// The name of an end's stream, and which side of it the end is.
fn name_of(end: &EndImage, on: NodeId) -> Outcome<(StreamId, Side)> {
    let (near, far) = end.names();
    StreamId::new(near, far, on).ok_or(damaged(b"a connection with itself"))
}

impl World {
    fn helper(&mut self, at: At, op: OpId, part: NodeId) -> Option<&mut Helper> {
        let team = &mut self.participant(at, op)?.team;
        team.helpers.iter_mut().find(|helper| helper.part == part)
    }

    /// Has a part built.
    pub(super) fn build(&mut self, at: At, op: OpId, part: NodeId) {
        let Some(side) = self.participant(at, op) else {
            return;
        };
        side.team.helpers.push(Helper {
            part,
            image: None,
            bound: Vec::new(),
            made: Vec::new(),
            built: false,
            failed: false,
            owes: false,
        });
        let time = self.cost.of(Act::Read {
            node: at.node,
            bytes: 4096,
        });
        let event = Event::Help(at, op, HelperStep::Read(part));
        self.queue.after(time, event);
    }

    /// A helper goes on.
    pub(super) fn help(&mut self, at: At, op: OpId, step: HelperStep) {
        let outcome = match step {
            HelperStep::Read(part) => self.read_part(at, op, part),
            HelperStep::Bind(part) => self.bind_next(at, op, part),
            HelperStep::Connect { part, end, from } => self.connected(at, op, (part, end), from),
            HelperStep::Created(part) => self.create(at, op, part),
            HelperStep::Lonely(part) => self.lonely(at, op, part),
            HelperStep::Running(part) => {
                self.run_part(at, op, part);
                Ok(())
            }
            HelperStep::TakenBack(part) => {
                self.remove_part(at, op, part);
                Ok(())
            }
        };
        if let Err(why) = outcome {
            self.not_built(at, op, step.part(), why);
        }
        self.settle(at);
    }

    fn not_built(&mut self, at: At, op: OpId, part: NodeId, why: Failure) {
        if let Some(helper) = self.helper(at, op, part) {
            helper.failed = true;
            self.undo(at, op, part);
            self.tell_restart(at, op, AgentEvent::HostFailed(why.on(at.node)));
        }
    }

    /// Whether the helper of a part is to go on.
    fn goes(&mut self, at: At, op: OpId, part: NodeId) -> bool {
        let cancelled = self
            .participant(at, op)
            .is_none_or(|side| side.team.cancelled);
        let helper = self.helper(at, op, part);
        !cancelled && helper.is_some_and(|helper| !helper.failed && !helper.built)
    }

    fn read_part(&mut self, at: At, op: OpId, part: NodeId) -> Outcome<()> {
        if !self.goes(at, op, part) {
            return Ok(());
        }
        if self.node_mut(at.node).act_fails() {
            return Err(Failure::new(FailureCode::NoMemory));
        }
        let Some(side) = self.participant(at, op) else {
            return Ok(());
        };
        let options = *side.agent.options();
        let key = (options.application, options.version);
        let folder = self.store.folders.get(&key);
        let file = folder.and_then(|folder| folder.parts.get(&part));
        let file = file.ok_or(Failure::new(FailureCode::Media))?;
        let image = file.content.clone().ok_or(damaged(b"torn part"))?;
        if let Some(helper) = self.helper(at, op, part) {
            helper.bound = vec![Bound::Not; image.ends.len()];
            helper.image = Some(image);
        }
        let lonely = Event::Help(at, op, HelperStep::Lonely(part));
        self.queue.after(ACCEPT_MS, lonely);
        self.bind_next(at, op, part)
    }

    /// The next end asks for its other end; when all have it, the processes are made.
    fn bind_next(&mut self, at: At, op: OpId, part: NodeId) -> Outcome<()> {
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
        let there = super::streams::node_at(address).filter(|node| self.node(*node).up);
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
    fn connected(&mut self, at: At, op: OpId, end: (NodeId, usize), there: At) -> Outcome<()> {
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

    /// Every end has its other end: the processes are made, and held.
    fn create(&mut self, at: At, op: OpId, part: NodeId) -> Outcome<()> {
        if !self.goes(at, op, part) {
            return Ok(());
        }
        if self.node_mut(at.node).act_fails() {
            return Err(Failure::new(FailureCode::NoMemory));
        }
        let Some((image, bound)) = self.helper(at, op, part).and_then(Helper::ready) else {
            return Ok(());
        };
        let brood = self.broods.get(&op).copied().unwrap_or(0);
        let mut head_root = 0;
        let mut made = Vec::new();
        for image_of in &image.processes {
            if self.here(at.node, image_of.pid).is_some() {
                self.note_made(at, op, part, &made);
                return Err(Failure::new(FailureCode::PidInUse).of(image_of.pid.raw()));
            }
            let holds = image_of.holds.iter().filter_map(|hold| {
                let Bound::To(stream, end) = bound[hold.stream as usize] else {
                    return None;
                };
                Some(Hold {
                    stream,
                    end,
                    ..*hold
                })
            });
            let process = Process {
                pid: image_of.pid,
                brood,
                at,
                father: image_of.father,
                capable: true,
                application: image.application,
                memory: image_of.memory,
                steps: image_of.steps,
                state: State::Held(op),
                holds: holds.collect(),
                next: 0,
            };
            let holds = process.holds.clone();
            let which = self.born(process);
            for hold in holds {
                self.stream_mut(hold.stream).ends[hold.end].holder = Some(which);
            }
            made.push(which);
            let pid = image_of.pid.raw();
            head_root = if head_root == 0 {
                pid
            } else {
                head_root.min(pid)
            };
        }
        self.note_made(at, op, part, &made);
        let totals = Restored {
            // CAST: a list in memory.
            processes: made.len() as u32,
            streams: bound.len() as u32,
            head_root,
            digest: image.digest(),
        };
        if let Some(helper) = self.helper(at, op, part) {
            helper.built = true;
        }
        self.seen.entry(op).or_default().built.insert(part);
        self.tell_restart(at, op, AgentEvent::Built { part, totals });
        Ok(())
    }

    fn note_made(&mut self, at: At, op: OpId, part: NodeId, made: &[u32]) {
        if let Some(helper) = self.helper(at, op, part) {
            helper.made = made.to_vec();
        }
    }

    fn lonely(&mut self, at: At, op: OpId, part: NodeId) -> Outcome<()> {
        match self.goes(at, op, part) {
            true => Err(Failure::new(FailureCode::NodeUnreachable)),
            false => Ok(()),
        }
    }
}

impl Helper {
    fn ready(&mut self) -> Option<(Rc<PartImage>, Vec<Bound>)> {
        Some((self.image.clone()?, self.bound.clone()))
    }

    /// The end that asked for this side of a stream, or waits for its other end.
    fn find(&self, wanted: impl Fn(usize, &EndImage) -> bool) -> Option<(NodeId, usize)> {
        let image = self.image.as_ref()?;
        let mut ends = image.ends.iter().enumerate();
        let (number, _) = ends.find(|(number, end)| wanted(*number, end))?;
        Some((self.part, number))
    }
}

impl Team {
    fn asking(&self, id: StreamId, side: Side) -> Option<(NodeId, usize)> {
        self.helpers.iter().find_map(|helper| {
            helper.find(|number, end| {
                helper.bound[number] == Bound::Asked && name_of(end, helper.part) == Ok((id, side))
            })
        })
    }

    fn waiting(&self, other: &EndImage) -> Option<(NodeId, usize)> {
        self.helpers.iter().find_map(|helper| {
            helper.find(|number, end| {
                let waits = matches!(helper.bound[number], Bound::Waits | Bound::Asked);
                waits && !helper.failed && (end.near, end.far) == (other.far, other.near)
            })
        })
    }
}

/// An end with what it had received.
fn alone(mine: &EndImage, node: NodeId) -> Stream {
    let (near, far) = mine.names();
    let point = |name: End| Point {
        holder: None,
        node,
        name,
        real: name,
    };
    let out = Way {
        una: mine.send_first,
        ..Way::default()
    };
    let received = Way {
        una: mine.recv_next,
        read: mine.recv_next - length(&mine.recv),
        recv: mine.recv.clone(),
        ..Way::default()
    };
    Stream {
        ends: [point(near), point(far)],
        ways: [out, received],
        local: mine.local,
    }
}

/// A connection of two ends: each refills its receive queue, and sends what the other one has
/// not received.
fn join(one: (&EndImage, NodeId), two: (&EndImage, NodeId)) -> Outcome<Stream> {
    let way = |from: &EndImage, to: &EndImage| {
        // CAST: positions wrap as TCP's sequence numbers do.
        let (first, next) = (from.send_first as u32, to.recv_next as u32);
        let skip = already_received(first, length(&from.send) as u32, next);
        let skip = skip.ok_or(damaged(b"sequence numbers of a connection"))?;
        let mut send = from.send.clone();
        take(&mut send, u64::from(skip));
        Ok(Way {
            una: to.recv_next,
            send,
            read: to.recv_next - length(&to.recv),
            recv: to.recv.clone(),
        })
    };
    let mut stream = alone(one.0, one.1);
    stream.ends[1].node = two.1;
    stream.ways = [way(one.0, two.0)?, way(two.0, one.0)?];
    Ok(stream)
}
