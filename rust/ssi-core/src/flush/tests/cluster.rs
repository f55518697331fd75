// SPDX-License-Identifier: GPL-2.0
//! A root and its writers on stores that fail, with messages in every order and nodes that die.

use super::{node, set};
use crate::abi::FailureCode;
use crate::failure::Failure;
use crate::flush::{Root, RootEffect, RootEvent, Stores, WriteEffect, WriteEvent, Writer};
use crate::node::NodeSet;
use crate::trial::{seeds, Random};
use crate::wire::flush::{Flushed, Message};
use std::collections::BTreeMap;

const NODES: [u32; 3] = [1, 2, 3];

/// What is on the way, or under way.
#[derive(Clone, Copy, Debug)]
enum Act {
    ToRoot(RootEvent),
    ToWriter(u32, WriteEvent),
    Write(u32),
    Remove(u32),
    Keep(u32),
    /// The rename that makes the version.
    Commit,
}

impl Act {
    /// What keeps its order: messages to one node, and the acts of its thread.
    fn queue(&self) -> Option<(u32, &'static str)> {
        match self {
            Act::ToWriter(at, _) => Some((*at, "connection")),
            Act::Write(at) | Act::Remove(at) | Act::Keep(at) => Some((*at, "thread")),
            Act::ToRoot(_) | Act::Commit => None,
        }
    }
}

/// A shared store, by what is in the flush's folder; or who of the nodes has what.
struct Cluster {
    root: Root,
    writers: BTreeMap<u32, Writer>,
    acts: Vec<Act>,
    dead: NodeSet,
    /// Parts in the folder of the flush.
    folder: NodeSet,
    /// Parts in the version.
    version: Option<NodeSet>,
    answer: Option<Result<u64, Failure>>,
    random: Random,
    fails: bool,
}

impl Cluster {
    fn new(seed: u64) -> Cluster {
        let mut random = Random::new(seed);
        let fails = random.below(4) == 0;
        Cluster {
            root: Root::new(6, 1),
            writers: NODES.map(|raw| (raw, Writer::new(Stores::Shared))).into(),
            acts: Vec::new(),
            dead: NodeSet::EMPTY,
            folder: NodeSet::EMPTY,
            version: None,
            answer: None,
            random,
            fails,
        }
    }

    fn root(&mut self, event: RootEvent) {
        if self.dead.contains(node(1)) {
            return;
        }
        let mut effects = Vec::new();
        self.root.step(event, &mut |effect| effects.push(effect));
        for effect in effects {
            let (to, event) = match effect {
                RootEffect::Ask { to } => (to, WriteEvent::Asked),
                RootEffect::Settle { to } => (to, WriteEvent::Settled),
                RootEffect::Forget { to } => (to, WriteEvent::Forget),
                RootEffect::Commit => {
                    self.acts.push(Act::Commit);
                    continue;
                }
                RootEffect::Reply(answer) => {
                    self.answer = Some(answer);
                    continue;
                }
                RootEffect::Timer { .. } | RootEffect::End => continue,
            };
            self.acts
                .extend(to.iter().map(|to| Act::ToWriter(to.raw(), event)));
        }
    }

    fn writer(&mut self, at: u32, event: WriteEvent) {
        if self.dead.contains(node(at)) {
            return;
        }
        let mut effects = Vec::new();
        let writer = self.writers.get_mut(&at).unwrap();
        // Of a writer that is gone the host knows nothing; it says so to a Forget.
        if writer.state() == "Over" {
            if event == WriteEvent::Forget {
                self.acts.push(Act::ToRoot(RootEvent::Forgotten(node(at))));
            }
            return;
        }
        if writer.state() == "Fresh" && event != WriteEvent::Asked {
            return;
        }
        writer
            .step(event, &mut |effect| effects.push(effect))
            .unwrap();
        for effect in effects {
            self.acts.push(match effect {
                WriteEffect::Write => Act::Write(at),
                WriteEffect::Remove => Act::Remove(at),
                WriteEffect::Keep => Act::Keep(at),
                WriteEffect::Send(Message::Flushed(flushed)) => {
                    Act::ToRoot(RootEvent::Flushed(node(at), flushed))
                }
                WriteEffect::Send(Message::Unflushed(said)) => {
                    Act::ToRoot(RootEvent::Unflushed(node(at), said.failure))
                }
                WriteEffect::Send(_) => Act::ToRoot(RootEvent::Forgotten(node(at))),
                WriteEffect::End => continue,
            });
        }
    }

    fn act(&mut self, act: Act) {
        match act {
            Act::ToRoot(event) => self.root(event),
            Act::ToWriter(at, event) => self.writer(at, event),
            Act::Write(at) if self.dead.contains(node(at)) => {}
            Act::Write(at) if self.fails && at == 2 => {
                let full = Failure::new(FailureCode::Media).on(node(2));
                self.writer(at, WriteEvent::Failed(full));
            }
            Act::Write(at) => {
                self.folder.insert(node(at));
                let flushed = Flushed {
                    bytes: 1,
                    digest: at.into(),
                };
                self.writer(at, WriteEvent::Written(flushed));
            }
            Act::Remove(at) if self.dead.contains(node(at)) => {}
            Act::Remove(at) => {
                self.folder = NodeSet::EMPTY;
                self.writer(at, WriteEvent::Removed);
            }
            Act::Keep(at) => self.writer(at, WriteEvent::Kept),
            Act::Commit if self.dead.contains(node(1)) => {}
            Act::Commit if self.folder == set(&NODES) => {
                self.version = Some(core::mem::take(&mut self.folder));
                self.root(RootEvent::Committed);
            }
            // Somebody has taken the folder away.
            Act::Commit => {
                let gone = Failure::new(FailureCode::Media);
                self.root(RootEvent::NotCommitted(gone));
            }
        }
    }

    fn dies(&mut self, raw: u32) {
        self.dead.insert(node(raw));
        match raw {
            1 => NODES.map(|at| self.acts.push(Act::ToWriter(at, WriteEvent::RootDown))),
            _ => NODES.map(|_| self.acts.push(Act::ToRoot(RootEvent::PeerDown(node(raw))))),
        };
    }

    /// The connection between a writer and the root breaks: each takes the other for lost.
    fn breaks(&mut self, raw: u32) {
        // What was on its way is lost.
        let lost = |act: &Act| matches!(act, Act::ToWriter(to, _) if *to == raw);
        self.acts.retain(|act| !lost(act));
        self.acts.push(Act::ToRoot(RootEvent::PeerDown(node(raw))));
        self.acts.push(Act::ToWriter(raw, WriteEvent::RootDown));
    }

    fn run(&mut self) {
        self.root(RootEvent::Start { to: set(&NODES) });
        let fault_at = self.random.below(24);
        let mut step = 0;
        while !self.acts.is_empty() {
            if step == fault_at {
                let victim = NODES[self.random.below(3)];
                match self.random.below(3) {
                    0 => self.dies(victim),
                    1 if victim != 1 => self.breaks(victim),
                    _ => {}
                }
            }
            let at = self.random.below(self.acts.len());
            let chosen = self.acts[at];
            let same = |act: &Act| act.queue().is_some() && act.queue() == chosen.queue();
            let at = self.acts.iter().position(same).unwrap_or(at);
            let act = self.acts.remove(at);
            self.act(act);
            step += 1;
            self.holds();
        }
    }

    fn holds(&self) {
        let whole = self.version.is_none_or(|parts| parts == set(&NODES));
        assert!(whole, "half a version");
        if let Some(Ok(_)) = self.answer {
            assert!(self.version.is_some(), "a version was promised");
        }
    }
}

#[test]
fn a_version_is_there_whole_or_not_at_all() {
    let (mut done, mut failed, mut left) = (0, 0, 0);
    for seed in seeds(3000) {
        let mut cluster = Cluster::new(seed);
        cluster.run();
        let alive = !cluster.dead.contains(node(1));
        assert!(cluster.answer.is_some() || !alive, "seed {seed}: no answer");
        match cluster.answer {
            Some(Ok(bytes)) => {
                assert_eq!(bytes, 3);
                done += 1;
            }
            Some(Err(_)) => {
                assert!(
                    cluster.version.is_none(),
                    "seed {seed}: there after a failure"
                );
                failed += 1;
            }
            None => {}
        }
        if !cluster.folder.is_empty() {
            left += 1;
        }
        // The folder of a flush that everybody heard the end of is gone.
        let heard = cluster.dead.is_empty();
        assert!(
            !heard || cluster.folder.is_empty(),
            "seed {seed}: something is left"
        );
    }
    assert!(done > 1000 && failed > 500, "{done} {failed} {left}");
}
