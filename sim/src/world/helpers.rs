// SPDX-License-Identifier: GPL-2.0
//! The helper processes of a restart on a node: each reads, binds and builds one part.
use super::binding::name_of;
use super::image::{EndImage, PartImage};
use super::join::damaged;
use super::population::{Hold, Process, State};
use super::{StreamIx, World};
use crate::cost::Act;
use crate::event::{At, EndIx, Event, HelperStep};
use crate::plan::Media;
use ssi_core::abi::FailureCode;
use ssi_core::failure::Failure;
use ssi_core::node::{NodeId, OpId};
use ssi_core::restart::{AgentEvent, Restored};
use ssi_core::stream::{Side, Slot, StreamId};
use std::rc::Rc;

/// How far one end of a part is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Bound {
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
    pub(super) image: Option<Rc<PartImage>>,
    pub(super) bound: Vec<Bound>,
    pub(super) made: Vec<u32>,
    built: bool,
    pub(super) failed: bool,
    pub(super) owes: bool,
}

/// All helpers of a restart on this node, and its share of the remap table.
#[derive(Default)]
pub struct Team {
    pub(super) helpers: Vec<Helper>,
    pub(super) slots: Vec<Slot>,
    pub(super) cancelled: bool,
}

type Outcome<T> = Result<T, Failure>;

impl World {
    pub(super) fn helper(&mut self, at: At, op: OpId, part: NodeId) -> Option<&mut Helper> {
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

    pub(super) fn not_built(&mut self, at: At, op: OpId, part: NodeId, why: Failure) {
        if let Some(helper) = self.helper(at, op, part) {
            helper.failed = true;
            self.undo(at, op, part);
            self.tell_restart(at, op, AgentEvent::HostFailed(why.on(at.node)));
        }
    }

    /// Whether the helper of a part is to go on.
    pub(super) fn goes(&mut self, at: At, op: OpId, part: NodeId) -> bool {
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
        let media = Media::at(options.store.as_bytes());
        let folder = self.store(at.node, media).folders.get(&key);
        let file = folder.and_then(|folder| folder.parts.get(&part));
        let file = file.ok_or(Failure::new(FailureCode::Media))?;
        let image = file.content.clone().ok_or(damaged(b"torn part"))?;
        if let Some(helper) = self.helper(at, op, part) {
            helper.bound = vec![Bound::Not; image.ends.len()];
            helper.image = Some(image);
        }
        self.tell_restart(at, op, AgentEvent::Read { part });
        Ok(())
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
                frozen: image_of.frozen,
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
    pub(super) fn ready(&mut self) -> Option<(Rc<PartImage>, Vec<Bound>)> {
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
    pub(super) fn asking(&self, id: StreamId, side: Side) -> Option<(NodeId, usize)> {
        self.helpers.iter().find_map(|helper| {
            helper.find(|number, end| {
                helper.bound[number] == Bound::Asked && name_of(end, helper.part) == Ok((id, side))
            })
        })
    }

    pub(super) fn waiting(&self, other: &EndImage) -> Option<(NodeId, usize)> {
        self.helpers.iter().find_map(|helper| {
            helper.find(|number, end| {
                let waits = matches!(helper.bound[number], Bound::Waits | Bound::Asked);
                waits && !helper.failed && (end.near, end.far) == (other.far, other.near)
            })
        })
    }
}
