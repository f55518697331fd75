// SPDX-License-Identifier: GPL-2.0
//! What is noted of a run: the first broken invariant, rows of the tables, what is told.
use super::World;
use crate::check::Broken;
use crate::coverage::{table, Protocol};
use crate::event::At;
use crate::trace::{record, Note, What};
use ssi_core::node::{NodeId, OpId};

impl World {
    /// Notes that an invariant is broken; the first one counts.
    pub fn breaks(&mut self, checker: &'static str, what: String) {
        if self.broken.is_none() {
            self.broken = Some(Broken { checker, what });
        }
    }

    pub(super) fn took(
        &mut self,
        at: At,
        protocol: Protocol,
        before: (&'static str, &'static str),
        event: &'static str,
    ) {
        if self.coverage.took(protocol, before.0, before.1, event) {
            let row = table::row_of(&(protocol, before.0, before.1, event));
            if table::rows().never.contains(&row) {
                let (name, state, event) = row;
                let what = format!("{name}, {state}: {event} on {at:?} is proven impossible");
                self.breaks("table", what);
            }
        }
    }

    pub(super) fn tell_step(
        &mut self,
        at: At,
        (protocol, op): (record::Protocol, OpId),
        step: (&'static str, &'static str, &'static str),
    ) {
        let (before, event, after) = step;
        let what = What::Step {
            op,
            protocol,
            before,
            event,
            after,
        };
        self.tell(at.node, what);
    }

    pub(super) fn tell(&mut self, node: NodeId, what: What) {
        let at = self.queue.now();
        if let Some(trace) = &mut self.trace {
            trace.push(Note { at, node, what });
        }
    }

    /// A machine of second copies took an event and did something.
    pub(super) fn copy_step(
        &mut self,
        at: At,
        op: OpId,
        protocol: Protocol,
        (before, event, after): (&'static str, &'static str, &'static str),
    ) {
        self.took(at, protocol, (before, ""), event);
        if before != after {
            self.touched.operations = true;
            self.tell_step(at, (record::Protocol::Copy, op), (before, event, after));
        }
    }
}
