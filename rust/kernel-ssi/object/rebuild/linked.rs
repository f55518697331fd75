// SPDX-License-Identifier: GPL-2.0
//! Objects that have to do with others: ends of pairs, sockets in backlogs, what epolls watch.

use super::{Objects, Plan};
use crate::failure::Outcome;
use crate::object::payload::invalid;
use crate::object::{epoll, pair};
use kernel::prelude::*;
use ssi_core::sort;

impl Objects {
    /// The other end of a pair of sockets; `id` is the one that `plan` makes.
    pub(super) fn other_end(&self, id: u64, plan: &pair::Rebuilt) -> Outcome<Option<usize>> {
        let Some(peer) = plan.peer() else {
            return Ok(None);
        };
        let index = self.index_of(peer).ok_or(invalid(pair::WHAT))?;
        match &self.objects[index].plan {
            Plan::Pair(other) if plan.matches(id, other) => Ok(Some(index)),
            _ => Err(invalid(pair::WHAT)),
        }
    }

    /// Makes pairs of sockets with what is in them. An end that nobody has is closed.
    pub(super) fn create_pairs(&mut self) -> Outcome {
        for index in 0..self.objects.len() {
            let object = &self.objects[index];
            let Plan::Pair(plan) = &object.plan else {
                continue;
            };
            if object.file.is_some() {
                // Made with its other end.
                continue;
            }
            let other = self.other_end(object.id, plan)?;
            let (near, far) = plan.create()?;
            plan.fill(&far)?;
            let far = match other.map(|other| (other, &self.objects[other].plan)) {
                Some((other, Plan::Pair(plan))) => {
                    plan.fill(&near)?;
                    plan.apply(&far)?;
                    Some((other, far))
                }
                Some(_) | None => {
                    far.close();
                    None
                }
            };
            plan.apply(&near)?;
            self.objects[index].file = Some(near);
            if let Some((other, far)) = far {
                self.objects[other].file = Some(far);
            }
        }
        Ok(())
    }

    /// Watches everything again, when all that can be watched is there and full, but for signals.
    pub(super) fn fill_epolls(&self) -> Outcome {
        for object in self.objects.iter() {
            if let (Plan::Epoll(plan), Some(epoll)) = (&object.plan, &object.file) {
                plan.fill(epoll, |id| self.watched(id), false)?;
            }
        }
        Ok(())
    }

    /// Has the epolls of a descriptor table watch signals, in the context of a process that has the
    /// table: what an epoll hears of them are the signals of the process that added the signalfd.
    pub(super) fn watch_signals(&self, table: usize) -> Outcome {
        for (_, id) in self.tables[table].objects() {
            let index = self.index_of(id).ok_or(invalid("descriptor"))?;
            let object = &self.objects[index];
            if let (Plan::Epoll(plan), Some(epoll)) = (&object.plan, &object.file) {
                if plan.is_first_to_watch_signals() {
                    plan.fill(epoll, |id| self.watched(id), true)?;
                }
            }
        }
        Ok(())
    }

    /// What an epoll watches.
    fn watched(&self, id: u64) -> Option<epoll::Watched<'_>> {
        let object = &self.objects[self.index_of(id)?];
        Some(epoll::Watched {
            file: object.file.as_ref()?,
            external: matches!(object.plan, Plan::External(_)),
            signals: matches!(object.plan, Plan::SignalFd(_)),
        })
    }

    /// Puts connections into the backlogs of listeners, in their order.
    pub(super) fn fill_backlogs(&mut self) -> Outcome {
        let mut queued = KVVec::new();
        for (index, stream) in self.streams.iter().enumerate() {
            if let Some((listener, position)) = stream.queued_in() {
                queued.push((listener, position, index), GFP_KERNEL)?;
            }
        }
        sort::by_key(&mut queued, |queued| *queued);
        for (listener, _, index) in queued {
            let at = self.index_of(listener).ok_or(invalid("listener"))?;
            let Plan::Listener(plan) = &self.objects[at].plan else {
                return Err(invalid("listener"));
            };
            let socket = self.streams[index].take_socket();
            if let (Some(listener), Some(socket)) = (plan.socket(), socket) {
                socket.queue_in(listener)?;
            }
        }
        Ok(())
    }

    /// Gives sockets their open files.
    pub(super) fn open_sockets(&mut self) -> Outcome {
        let Objects {
            objects, streams, ..
        } = self;
        for object in objects.iter_mut() {
            let id = object.id;
            match &mut object.plan {
                Plan::Listener(plan) => object.file = Some(plan.take_file()?),
                Plan::Tcp => {
                    let index = streams.binary_search_by_key(&id, |stream| stream.id);
                    let index = index.map_err(|_| invalid("connection"))?;
                    object.file = Some(streams[index].take_file()?);
                }
                _ => {}
            }
        }
        Ok(())
    }
}
