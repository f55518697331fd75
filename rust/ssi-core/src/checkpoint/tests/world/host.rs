// SPDX-License-Identifier: GPL-2.0
//! The hosts of the small cluster: they do what the agents want, and check that it is in order.

use std::collections::BTreeSet;

use super::{node, op, pid, Item, Kind, Node, Said, World};
use crate::abi::FailureCode;
use crate::checkpoint::{
    Counts, Effect, Event, Found, Link, Report, Seed, Shares, Totals, Version,
};
use crate::failure::Failure;
use crate::node::NodeId;
use crate::wire::checkpoint::Message;

impl<const F: usize> World<F> {
    pub(super) fn release(&mut self, raw: u32) {
        for item in &self.application {
            let node = &self.nodes[&self.items[*item].node];
            assert!(
                node.dead || node.discarded || node.snapped.contains(item),
                "release before the cut"
            );
        }
        // Held processes go on like this only where the outcome of the commit stays unknown.
        assert!(self.kind != Kind::Hold || self.nodes[&raw].part);
        self.nodes.get_mut(&raw).unwrap().stopped.clear();
    }

    pub(super) fn send(&mut self, from: u32, to: u32, message: Message) {
        self.say(from, to, Said::Message(message));
    }

    fn say(&mut self, from: u32, to: u32, said: Said) {
        assert_ne!(from, to);
        if self.nodes[&to].dead {
            self.obituaries.push((from, to));
        } else if !self.obituaries.contains(&(from, to)) {
            self.channels.entry((from, to)).or_default().push_back(said);
        }
    }

    /// Sends held links, the oldest first.
    pub(super) fn relay(&mut self, raw: u32, shares: Shares<F>) {
        for (to, count) in shares.batches() {
            let node = self.nodes.get_mut(&raw).unwrap();
            let links = node.held.drain(..count as usize).collect();
            assert!(node.wanted as usize <= node.held.len());
            self.relays += 1;
            self.say(raw, to.raw(), Said::Relay(links));
        }
    }

    pub(super) fn relayed(&mut self, from: u32, to: u32, links: &[Link]) {
        let there = self.nodes.get_mut(&to).unwrap();
        if there.agent.is_none() {
            if let Some(answer) = there.history.stray_relay(op()) {
                self.send(to, from, answer);
            }
            return;
        }
        there.held.extend(links);
        let (from, count) = (node(from), links.len() as u32);
        self.step(to, Event::Relayed { from, count });
    }

    pub(super) fn work(&mut self, raw: u32, job: Effect<F>) {
        let local = |items: &[Item], item: usize| items[item].node == raw;
        let node = self.nodes.get_mut(&raw).unwrap();
        if node.fails && !matches!(job, Effect::Discard) {
            node.fails = false;
            let failure = Failure::new(FailureCode::Media);
            if matches!(job, Effect::Signal) {
                node.stopped.clear();
                node.discarded = true;
            }
            let event = match job {
                Effect::OpenVersion { .. } => Event::NotOpened(failure),
                Effect::Commit { .. } => Event::NotCommitted(failure),
                _ => Event::HostFailed(failure),
            };
            return self.step(raw, event);
        }
        let event = match job {
            Effect::StopLocally { seed } => self.stop(raw, seed),
            Effect::SaveSend => {
                self.all_stopped();
                self.nodes.get_mut(&raw).unwrap().send_saved = true;
                Event::SendSaved
            }
            Effect::Snapshot => {
                self.all_stopped();
                let mine = self.application.iter().copied();
                let mine: BTreeSet<_> = mine.filter(|item| local(&self.items, *item)).collect();
                for item in &self.application {
                    let node = &self.nodes[&self.items[*item].node];
                    assert!(
                        node.dead || node.discarded || node.send_saved,
                        "snapshot before all send queues"
                    );
                }
                let processes = mine.len() as u32;
                self.nodes.get_mut(&raw).unwrap().snapped = mine;
                Event::Snapped(Counts {
                    processes,
                    ..Counts::ZERO
                })
            }
            Effect::Write { .. } if node.snapped.is_empty() => Event::Written(None),
            Effect::Write { .. } => {
                node.part = true;
                let totals = Totals {
                    bytes: 10,
                    digest: u64::from(raw),
                    pause_ns_max: 1,
                };
                Event::Written(Some(totals))
            }
            Effect::OpenVersion { found } => {
                self.folder = true;
                assert_eq!(
                    found.head_root,
                    pid(*self.application.first().unwrap()).raw()
                );
                Event::Opened(Version {
                    application: u64::from(found.head_root),
                    number: 1,
                })
            }
            Effect::Commit { report } => {
                self.check_commit(&report);
                self.committed = true;
                Event::Committed
            }
            Effect::Signal => {
                self.may_signal();
                let node = self.nodes.get_mut(&raw).unwrap();
                node.signalled = true;
                Event::Signalled(Counts {
                    processes: core::mem::take(&mut node.stopped).len() as u32,
                    ..Counts::ZERO
                })
            }
            Effect::Discard => {
                let media = core::mem::take(&mut node.media);
                *node = Node {
                    agent: node.agent.take(),
                    history: node.history.clone(),
                    media,
                    discarded: true,
                    ..Node::default()
                };
                Event::Discarded
            }
            other => panic!("not a job: {other:?}"),
        };
        // What was under way may come to an end before it is discarded.
        self.step(raw, event);
    }

    fn stop(&mut self, raw: u32, seed: Seed) -> Event {
        let (Seed::Target(pid) | Seed::Son(pid) | Seed::Father(pid)) = seed else {
            panic!("{seed:?}");
        };
        let from = (pid.raw() & 0x3f_ffff) as usize - 300;
        let here = |item: usize| self.items[item].node == raw;
        assert!(here(from), "seed at the wrong node");
        let found = self.reach(from, |_, next| here(next));
        let mut links = Vec::new();
        for item in &found {
            for next in self.items[*item].edges.iter().filter(|next| !here(**next)) {
                links.push((*item, *next));
            }
        }
        let head_root = self::pid(*found.first().unwrap()).raw();
        let node_ = self.nodes.get_mut(&raw).unwrap();
        node_.stopped.extend(found);
        links.retain(|link| node_.reported.insert(*link));
        for (_, next) in links {
            let seed = Seed::Son(self::pid(next));
            if self.nodes[&raw].agent.is_some() {
                self.step(
                    raw,
                    Event::Link {
                        node: node(self.items[next].node),
                        seed,
                    },
                );
            }
        }
        Event::Stopped(Found {
            application: 0,
            head_root,
        })
    }

    /// Nothing is saved before everything is stopped, unless the operation has failed anyway.
    fn all_stopped(&self) {
        for item in &self.application {
            let node = &self.nodes[&self.items[*item].node];
            let failed = node.dead || node.discarded;
            assert!(
                failed || node.stopped.contains(item),
                "item {item} is not stopped"
            );
        }
    }

    /// No signal before everything is stopped, and committed if it is to be.
    fn may_signal(&self) {
        assert_eq!(self.committed, self.kind == Kind::Hold);
        for item in &self.application {
            let node = &self.nodes[&self.items[*item].node];
            let gone = node.dead || node.discarded || node.agent.is_none();
            assert!(
                gone || node.signalled || node.stopped.contains(item),
                "item {item} runs while others get a signal"
            );
        }
    }

    fn check_commit(&self, report: &Report) {
        let homes: BTreeSet<u32> = self
            .application
            .iter()
            .map(|i| self.items[*i].node)
            .collect();
        for raw in &homes {
            assert!(
                self.nodes[raw].dead || self.nodes[raw].part,
                "commit before part of {raw}"
            );
        }
        assert_eq!(
            report
                .nodes
                .iter()
                .map(NodeId::raw)
                .collect::<BTreeSet<_>>(),
            homes
        );
        assert_eq!(
            report.totals.digest,
            homes.iter().map(|raw| u64::from(*raw)).sum::<u64>()
        );
        assert_eq!(report.counts.processes as usize, self.application.len());
    }
}
