// SPDX-License-Identifier: GPL-2.0
//! The application's processes on this node: found in the kernel's list, stopped, killed.
use super::record::{Orders, Report, State};
use nix::sys::signal::{kill, Signal};
use nix::unistd::Pid;
use ssi_core::abi::ProcessStatus;
use std::collections::BTreeSet;

/// Most processes that are remembered: those of a large application on one node.
const KNOWN_MAX: usize = 1 << 16;

/// This node's share of an application.
#[derive(Default, Debug)]
pub struct Share {
    /// Whatever was found once: a session's leader may be gone, its session is the application's.
    known: BTreeSet<u32>,
}

impl Share {
    /// The PIDs of the application among `processes`: those that carry its id, the root with its
    /// session, and what these have started since the last checkpoint gave out ids.
    pub fn find(&mut self, state: &State, processes: &[ProcessStatus]) -> BTreeSet<u32> {
        let mut found = BTreeSet::new();
        loop {
            let before = found.len();
            for process in processes {
                if self.belongs(state, process, &found) {
                    found.insert(process.pid);
                }
            }
            if found.len() == before {
                break;
            }
        }
        if self.known.len().saturating_add(found.len()) > KNOWN_MAX {
            self.known.clear();
        }
        self.known.extend(&found);
        found
    }

    fn belongs(&self, state: &State, process: &ProcessStatus, found: &BTreeSet<u32>) -> bool {
        if process.application != 0 {
            return process.application == state.application;
        }
        let ours = |pid: u32| {
            pid != 0 && (pid == state.root || found.contains(&pid) || self.known.contains(&pid))
        };
        ours(process.pid) || ours(process.sid) || ours(process.pgid) || ours(process.ppid)
    }

    /// Forgets what was found: it is dead, and its PIDs may be somebody else's one day.
    pub fn clear(&mut self) {
        self.known.clear();
    }
}

/// What an attendant has to do to the processes it found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Duty {
    /// Leave them alone.
    Nothing,
    /// Stop them; the number is reported when they stand.
    Stop(u64),
    /// Kill them; the number is reported when none is left.
    Kill(u64),
}

/// What the orders ask of this life of the node, given what was obeyed before.
pub fn duty(orders: &Orders, node: u32, epoch: u64, done: &Report) -> Duty {
    // A node that joined after the order has nothing that it is about, and perhaps what was
    // restarted since.
    let later = orders.lives.get(&node).is_some_and(|life| epoch > *life);
    match (later, orders.kill, orders.stop) {
        (true, ..) => Duty::Nothing,
        (_, kill, stop) if kill >= stop && kill > done.killed => Duty::Kill(kill),
        (_, _, stop) if stop > done.stopped => Duty::Stop(stop),
        _ => Duty::Nothing,
    }
}

/// Sends a signal to each; one that is gone needs none.
pub fn signal(pids: &BTreeSet<u32>, signal: Signal) {
    for pid in pids {
        // CAST: PIDs are below 2^30. What is not permitted stays, and is seen to stay.
        let _ = kill(Pid::from_raw(*pid as i32), signal);
    }
}

/// What /proc says of a process.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// It is not there any more.
    Gone,
    /// It has ended and was not waited for.
    Zombie,
    /// A signal has stopped it.
    Stopped,
    /// It may run.
    Live,
}

/// The standing of a process of this node.
pub fn standing(pid: u32) -> Standing {
    match std::fs::read_to_string(format!("/proc/{pid}/stat")) {
        Ok(stat) => standing_of(&stat),
        Err(_) => Standing::Gone,
    }
}

/// From the text of /proc/PID/stat, proc(5); the command in parentheses may hold anything.
fn standing_of(stat: &str) -> Standing {
    match stat
        .rsplit_once(") ")
        .and_then(|(_, rest)| rest.chars().next())
    {
        Some('T' | 't') => Standing::Stopped,
        Some('Z' | 'X') => Standing::Zombie,
        _ => Standing::Live,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reliable::record::Lives;

    fn process(pid: u32, ppid: u32, sid: u32, application: u64) -> ProcessStatus {
        ProcessStatus {
            pid,
            ppid,
            pgid: sid,
            sid,
            caps: 3,
            uid: 0,
            application,
            comm: [0; 16],
        }
    }

    fn state(root: u32, application: u64) -> State {
        State {
            root,
            application,
            ..State::new(0)
        }
    }

    #[test]
    fn what_carries_the_id_and_what_it_has_started_since() {
        let list = [
            process(10, 1, 10, 7),
            process(12, 11, 12, 0),
            process(11, 10, 10, 0),
            process(20, 1, 20, 8),
            process(21, 20, 20, 0),
            process(30, 1, 30, 0),
        ];
        let found = Share::default().find(&state(5, 7), &list);
        assert_eq!(found, BTreeSet::from([10, 11, 12]));
    }

    #[test]
    fn before_the_first_checkpoint_the_session_of_the_root_counts() {
        let list = [
            process(5, 4, 5, 0),
            process(6, 5, 5, 0),
            process(9, 1, 9, 0),
            process(7, 1, 5, 0),
        ];
        assert_eq!(
            Share::default().find(&state(5, 0), &list),
            BTreeSet::from([5, 6, 7])
        );
        assert!(Share::default().find(&state(0, 0), &list).is_empty());
    }

    #[test]
    fn a_session_stays_the_applications_when_its_leader_is_gone() {
        let mut share = Share::default();
        share.find(&state(5, 7), &[process(10, 1, 10, 7)]);
        let orphan = [process(11, 1, 10, 0)];
        assert_eq!(share.find(&state(5, 7), &orphan), BTreeSet::from([11]));
        share.clear();
        assert!(share.find(&state(5, 7), &orphan).is_empty());
    }

    fn done(stopped: u64, killed: u64) -> Report {
        Report {
            epoch: 3,
            pid: 1,
            stopped,
            killed,
            ..Report::default()
        }
    }

    fn orders(stop: u64, kill: u64) -> Orders {
        Orders {
            probe: 0,
            stop,
            kill,
            lives: Lives::from([(1, 3)]),
        }
    }

    #[test]
    fn an_order_is_obeyed_once() {
        assert_eq!(duty(&orders(0, 0), 1, 3, &done(0, 0)), Duty::Nothing);
        assert_eq!(duty(&orders(2, 1), 1, 3, &done(1, 1)), Duty::Stop(2));
        assert_eq!(duty(&orders(2, 2), 1, 3, &done(2, 1)), Duty::Kill(2));
        assert_eq!(duty(&orders(2, 2), 1, 3, &done(2, 2)), Duty::Nothing);
    }

    #[test]
    fn who_missed_an_order_still_obeys_it() {
        assert_eq!(duty(&orders(2, 2), 1, 3, &done(0, 0)), Duty::Kill(2));
        assert_eq!(duty(&orders(2, 2), 9, 3, &done(0, 0)), Duty::Kill(2));
    }

    #[test]
    fn a_life_that_began_later_keeps_what_it_was_given() {
        assert_eq!(duty(&orders(2, 2), 1, 4, &done(0, 0)), Duty::Nothing);
    }

    #[test]
    fn the_state_of_a_process_is_after_its_name() {
        assert_eq!(standing_of("5 (a) R (b) T 1 5"), Standing::Stopped);
        assert_eq!(standing_of("5 (T) S 1"), Standing::Live);
        assert_eq!(standing_of("5 (x) Z 1"), Standing::Zombie);
        assert_eq!(standing(0), Standing::Gone);
    }
}
