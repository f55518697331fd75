// SPDX-License-Identifier: GPL-2.0
//! Making a small story of a run that breaks an invariant: what can be left out is left out.
use crate::check::Broken;
use crate::plan::Plan;
use crate::world::World;

/// Seeds of chance that are tried for each smaller plan.
const TRIES: u64 = 12;

/// What a run of the plan breaks.
pub fn breaks(plan: &Plan) -> Option<Broken> {
    let mut world = World::new(plan.clone());
    world.run();
    world.broken
}

/// The plan with some chance for which it still breaks the same invariant.
fn still(plan: &Plan, checker: &str) -> Option<Plan> {
    (0..TRIES).find_map(|number| {
        let mut plan = plan.clone();
        plan.seed = plan.seed.wrapping_add(number);
        let broken = breaks(&plan)?;
        (broken.checker == checker).then_some(plan)
    })
}

/// A plan that breaks the same invariant with less.
pub fn shrink(mut plan: Plan, checker: &str) -> Plan {
    loop {
        let smaller = smaller(&plan).into_iter();
        match smaller.filter_map(|less| still(&less, checker)).next() {
            Some(less) => plan = less,
            None => return plan,
        }
    }
}

/// All plans with one thing less.
fn smaller(plan: &Plan) -> Vec<Plan> {
    let mut plans = Vec::new();
    let mut without = |change: &dyn Fn(&mut Plan)| {
        let mut less = plan.clone();
        change(&mut less);
        if less != *plan {
            plans.push(less);
        }
    };
    for at in (0..plan.faults.len()).rev() {
        without(&|less| _ = less.faults.remove(at));
    }
    for at in (0..plan.calls.len()).rev() {
        without(&|less| _ = less.calls.remove(at));
    }
    for at in (0..plan.streams.len()).rev() {
        without(&|less| _ = less.streams.remove(at));
    }
    for at in (0..plan.processes.len()).rev() {
        without(&|less| less.drop_process(at));
    }
    without(&|less| less.nodes = less.nodes.saturating_sub(1).max(less.least_nodes()));
    without(&|less| less.lively = false);
    without(&|less| less.lossy = 0);
    without(&|less| less.drift_ppm = 0);
    without(&|less| less.encode = false);
    without(&|less| less.folder_apart = false);
    plans
}

impl Plan {
    /// Leaves out the last process, if nobody speaks of it.
    fn drop_process(&mut self, at: usize) {
        use crate::plan::{Trouble, Wish};
        let called = |wish: &Wish| match wish {
            Wish::Checkpoint(of) | Wish::CheckpointWith(of, _) => *of == at,
            Wish::CheckpointKill(of) | Wish::Freeze(of) | Wish::Unfreeze(of) => *of == at,
            Wish::Restart(of) | Wish::Kill(of) => *of == at,
            Wish::Cancel(_) => false,
        };
        let named = self
            .streams
            .iter()
            .any(|(one, two)| *one == at || *two == at)
            || self
                .processes
                .iter()
                .any(|process| process.father == Some(at))
            || self.calls.iter().any(|call| called(&call.wish))
            || self
                .faults
                .iter()
                .any(|fault| fault.trouble == Trouble::KillProcess(at));
        if !named && at + 1 == self.processes.len() {
            self.processes.pop();
        }
    }

    fn least_nodes(&self) -> u32 {
        let processes = self.processes.iter().map(|process| process.node);
        processes.chain([1]).max().unwrap_or(1)
    }
}
