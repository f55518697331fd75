// SPDX-License-Identifier: GPL-2.0
//! Telling a story: its lines happen in a world, and the transcript says what comes of them.
use super::{Line, Story};
use crate::check;
use crate::cost::Steady;
use crate::plan::{Call, Media, Trouble, Wish};
use crate::queue::{Nanos, MS, US};
use crate::trace::What;
use crate::world::{Engine, World};
use ssi_core::node::NodeId;

/// Membership is settled after this time.
const SETTLED: Nanos = 5_000 * MS;
/// What a line may wait for comes within this time, or never.
const PATIENCE: Nanos = 120_000 * MS;

/// A power cut at a point of a story that the story does not speak of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Crash {
    /// After so many events that changed something.
    pub point: u64,
    /// Of this node.
    pub node: u32,
    /// It boots again.
    pub boots: bool,
}

/// A story that was told.
pub struct Told {
    /// The world at its end.
    pub world: World,
    /// What happened.
    pub transcript: String,
    /// Events that changed something.
    pub points: u64,
}

struct Teller {
    world: World,
    transcript: String,
    points: u64,
    crash: Option<Crash>,
    told: usize,
}

impl Story {
    /// Tells the story, with a power cut that it does not speak of.
    pub fn tell(&self, crash: Option<Crash>) -> Told {
        let world = World::with_cost(self.plan.clone(), Box::new(Steady));
        let mut teller = Teller {
            world,
            transcript: String::new(),
            points: 0,
            crash: None,
            told: 0,
        };
        teller.advance(SETTLED);
        teller.world.trace = Some(Vec::new());
        teller.crash = crash;
        teller.points = 0;
        for (text, line) in &self.lines {
            teller.transcript += &format!("> {text}\n");
            teller.line(line);
            teller.tell();
        }
        teller.stabilize();
        teller.tell();
        if teller.world.broken.is_none() {
            check::end(&mut teller.world);
        }
        if let Some(broken) = &teller.world.broken {
            teller.transcript += &format!("breaks {}: {}\n", broken.checker, broken.what);
        }
        Told {
            world: teller.world,
            transcript: teller.transcript,
            points: teller.points,
        }
    }
}

impl Teller {
    fn step(&mut self) -> bool {
        if self.world.broken.is_some() {
            return false;
        }
        let (more, changed) = self.world.step_told();
        self.points += u64::from(changed);
        if let Some(crash) = self.crash.filter(|crash| self.points >= crash.point) {
            self.crash = None;
            let for_us = if crash.boots { 200_000 } else { 0 };
            self.world.trouble(Trouble::Crash(crash.node, true), for_us);
        }
        more
    }

    fn advance(&mut self, time: Nanos) {
        let end = self.world.queue.now() + time;
        while self.world.queue.next_at().is_some_and(|next| next <= end) && self.step() {}
    }

    fn until(&mut self, done: impl Fn(&World) -> bool) {
        let end = self.world.queue.now() + PATIENCE;
        while !done(&self.world) && self.world.queue.now() < end && self.step() {}
    }

    fn stabilize(&mut self) {
        self.until(|world| world.is_idle() && world.queue.now() >= world.quiet_at());
    }

    fn call(&mut self, node: u32, wish: Wish) {
        self.call_in(node, wish, Media::Shared);
    }

    fn call_in(&mut self, node: u32, wish: Wish, media: Media) {
        let at_us = self.world.queue.now() / US;
        let call = Call::new(at_us, node, wish);
        self.world.make_call(Call { media, ..call });
    }

    fn call_anywhere(&mut self, wish: Wish) {
        let up = self.world.nodes.iter().find(|node| node.up);
        let node = up.map_or(1, |node| node.at.node.raw());
        self.call(node, wish);
    }

    fn line(&mut self, line: &Line) {
        let world = &mut self.world;
        match line.clone() {
            Line::Checkpoint(of, node, media) => {
                self.call_in(node, Wish::Checkpoint(of), media);
            }
            Line::CheckpointKill(of, node, media) => {
                self.call_in(node, Wish::CheckpointKill(of), media);
            }
            Line::Freeze(of, node) => self.call(node, Wish::Freeze(of)),
            Line::Unfreeze(of, node) => self.call(node, Wish::Unfreeze(of)),
            Line::Restart(of, node, media) => self.call_in(node, Wish::Restart(of), media),
            Line::Cancel => {
                let last = world.calls.len().saturating_sub(1);
                self.call_anywhere(Wish::Cancel(last));
            }
            Line::Kill(of) => self.call_anywhere(Wish::Kill(of)),
            Line::Crash(node) => world.trouble(Trouble::Crash(node, true), 0),
            Line::Boot(node) => {
                if let Some(node) = NodeId::new(node).filter(|node| !world.node(*node).up) {
                    world.boot(node);
                }
                self.advance(SETTLED);
            }
            Line::Break(one, two, heard) => {
                world.trouble(Trouble::Break(one, two, heard, heard), 0);
            }
            Line::Cut(one, two) => world.trouble(Trouble::Cut(one, two), 0),
            Line::Heal(one, two) => world.heal(one, two),
            Line::Fail(node) => world.trouble(Trouble::Fail(node, 1), 0),
            Line::Hang(node, ms) => world.trouble(Trouble::Hang(node), ms * 1_000),
            Line::Sleep(node, ms) => world.trouble(Trouble::Sleep(node), ms * 1_000),
            Line::Empty(node) => world.room_again(node),
            Line::Slow(node, times) => world.trouble(Trouble::Slow(node, times), 0),
            Line::Full(node) => world.trouble(Trouble::Full(node), 0),
            Line::Until(node, state) => self.until(|world| is_in(world, node, &state)),
            Line::Wait(ms) => self.advance(ms * MS),
            Line::Stabilize => self.stabilize(),
        }
    }

    /// Appends what has happened to the transcript: without times, they belong to the cost model.
    fn tell(&mut self) {
        let trace = self.world.trace.iter().flatten().skip(self.told);
        let mut lines = 0;
        for note in trace {
            lines += 1;
            if !matches!(note.what, What::Call(_) | What::Trouble(_)) {
                self.transcript += &format!("node {} {}\n", note.node.raw(), note.what);
            }
        }
        self.told += lines;
    }
}

fn is_in(world: &World, node: u32, state: &str) -> bool {
    let Some(node) = NodeId::new(node).map(|node| world.node(node)) else {
        return false;
    };
    let engine = &node.engine;
    engine
        .checkpoints
        .iter()
        .any(|operation| operation.agent.state() == state)
        || is_copying(engine, state)
        || engine.restarts.iter().any(|operation| {
            let root = operation.coordinator.as_ref();
            let agent = operation.participant.as_ref();
            root.is_some_and(|side| side.root.state() == state)
                || agent.is_some_and(|side| side.agent.state() == state)
        })
}

fn is_copying(engine: &Engine, state: &str) -> bool {
    let mut checkpoints = engine.checkpoints.iter();
    let survey = |survey: &ssi_core::survey::Survey| survey.state() == state;
    engine
        .copies
        .iter()
        .any(|copy| copy.keeper.state() == state)
        || engine.surveys.iter().any(|found| survey(&found.survey))
        || checkpoints.any(|operation| {
            let copying = operation.copying.as_ref();
            let numbering = operation.numbering.as_ref();
            numbering.is_some_and(|found| survey(&found.survey))
                || copying.is_some_and(|copying| {
                    copying.sender.state() == state || copying.seal.state() == state
                })
        })
}
