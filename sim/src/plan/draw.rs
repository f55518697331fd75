// SPDX-License-Identifier: GPL-2.0
//! A run drawn from a seed: cluster, application, what users want and what goes wrong.
use super::application::SHAPES;
use super::{Call, Fault, Media, Plan, Trouble, Wish};
use crate::queue::Nanos;
use crate::random::Random;
use ssi_core::abi::CHECKPOINT_PROCESS_ONLY;
use ssi_core::limits::{FAILURE_MS_DEFAULT, FAILURE_MS_MIN};

/// Calls begin after this time: membership is settled.
const BEGIN_US: Nanos = 1_500_000;

impl Plan {
    /// The run of a seed.
    pub fn draw(seed: u64) -> Plan {
        let random = &mut Random::new(seed, 0);
        // CAST: small numbers.
        let nodes = 1 + random.below(5) as u32;
        let mut plan = Plan {
            seed,
            nodes,
            encode: random.once_in(4),
            folder_apart: random.once_in(2),
            lossy: [0, 0, 8, 3][random.index(4)],
            drift_ppm: [0, 100, 10_000][random.index(3)],
            step_ms: [2, 10, 50][random.index(3)],
            lively: random.once_in(2),
            failure_ms: match random.below(12) {
                0 => FAILURE_MS_MIN,
                1 => 20 * FAILURE_MS_DEFAULT,
                _ => FAILURE_MS_DEFAULT,
            },
            ..Plan::default()
        };
        plan.draw_applications(random);
        plan.draw_calls(random);
        if !random.once_in(6) {
            plan.draw_faults(random);
        }
        plan.draw_media(random);
        plan
    }

    /// Half of the runs have stores of the nodes' own; some use both kinds.
    fn draw_media(&mut self, random: &mut Random) {
        let media = [Media::Shared, Media::Shared, Media::Disk, Media::Memory];
        let media = media[random.index(media.len())];
        if !media.is_own() {
            return;
        }
        self.keep = [2, 2, 0, 1][random.index(4)];
        let mixed = random.once_in(8);
        for call in &mut self.calls {
            if !mixed || random.once_in(2) {
                call.media = media;
            }
        }
    }

    fn draw_applications(&mut self, random: &mut Random) {
        for _ in 0..1 + random.below(2) {
            let shape = SHAPES[random.index(SHAPES.len())];
            let count = 1 + random.index(10);
            self.shape(shape, count, random);
        }
        if random.once_in(4) {
            let outsider = random.index(self.processes.len());
            self.processes[outsider].capable = false;
        }
        if random.once_in(4) && self.processes.len() > 1 {
            let pair = (
                random.index(self.processes.len()),
                random.index(self.processes.len()),
            );
            self.streams.push(pair);
        }
    }

    fn draw_calls(&mut self, random: &mut Random) {
        let count = self.processes.len();
        let mut at_us = BEGIN_US;
        for number in 0..1 + random.index(5) {
            at_us += match random.below(4) {
                0 => random.below(2_000),
                1 => random.below(100_000),
                _ => random.below(3_000_000),
            };
            let process = random.index(count);
            let wish = match random.below(20) {
                0 => Wish::CheckpointWith(process, CHECKPOINT_PROCESS_ONLY),
                1..=2 if number > 0 => Wish::Cancel(random.index(number)),
                3..=5 if number > 0 => Wish::Restart(process),
                6..=8 if number > 0 => Wish::Kill(process),
                16..=17 => Wish::CheckpointKill(process),
                18 => Wish::Freeze(process),
                19 => Wish::Unfreeze(process),
                _ => Wish::Checkpoint(process),
            };
            let node = 1 + random.below(u64::from(self.nodes)) as u32;
            let killed = matches!(wish, Wish::Kill(_) | Wish::CheckpointKill(_));
            let long = !matches!(wish, Wish::Kill(_) | Wish::Cancel(_));
            self.calls.push(Call::new(at_us, node, wish));
            if killed && !random.once_in(4) {
                at_us += random.below(200_000);
                let wish = Wish::Restart(process);
                self.calls.push(Call::new(at_us, node, wish));
            }
            if long && random.once_in(8) {
                let wish = Wish::Cancel(self.calls.len() - 1);
                let soon = [2_000, 20_000, 200_000][random.index(3)];
                at_us += random.below(soon);
                self.calls.push(Call::new(at_us, node, wish));
            }
        }
        match random.below(8) {
            0 => self.draw_disaster(at_us, random),
            1..=3 => self.draw_round(at_us, random),
            _ => {}
        }
    }

    /// A checkpoint, and a restart of it.
    fn draw_round(&mut self, at_us: Nanos, random: &mut Random) {
        let process = random.index(self.processes.len());
        let node = 1 + random.below(u64::from(self.nodes)) as u32;
        let kill_us = at_us + 500_000 + random.below(500_000);
        let wishes = [
            (at_us, Wish::Checkpoint(process)),
            (kill_us, Wish::Kill(process)),
            (kill_us + random.below(1_000_000), Wish::Restart(process)),
        ];
        let calls = wishes.map(|(at_us, wish)| Call::new(at_us, node, wish));
        self.calls.extend(calls);
    }

    /// A node dies, what is left of the application is killed, and it is restarted elsewhere; the
    /// node comes back, and somebody wants another checkpoint.
    fn draw_disaster(&mut self, at_us: Nanos, random: &mut Random) {
        let process = random.index(self.processes.len());
        let node = 1 + random.below(u64::from(self.nodes)) as u32;
        let call = Call::new;
        let dead = self.processes[process].node;
        let crash_us = at_us + 1_000_000 + random.below(1_000_000);
        self.faults.push(Fault {
            at_us: crash_us,
            for_us: 5_000_000 + random.below(3_000_000),
            trouble: Trouble::Crash(dead, random.once_in(2)),
        });
        let again_us = crash_us + 4_000_000 + random.below(8_000_000);
        self.calls.extend([
            call(at_us, node, Wish::Checkpoint(process)),
            call(crash_us + 100_000, node, Wish::Kill(process)),
            call(
                crash_us + random.below(4_000_000),
                node,
                Wish::Restart(process),
            ),
            call(again_us, node, Wish::Checkpoint(process)),
        ]);
    }

    fn draw_faults(&mut self, random: &mut Random) {
        let last = self.calls.last().map_or(BEGIN_US, |call| call.at_us);
        for _ in 0..1 + random.index(4) {
            let call = self.calls.get(random.index(self.calls.len()));
            let near = call.map_or(0, |call| call.at_us);
            let at_us = match random.below(8) {
                0 => random.below(last + 2_000_000),
                1..=3 => near + random.below(2_000),
                4..=5 => near + random.below(20_000),
                _ => near + random.below(1_000_000),
            };
            let trouble = self.draw_trouble(random);
            let long = matches!(trouble, Trouble::Hang(_) | Trouble::Cut(..))
                && self.failure_ms >= FAILURE_MS_DEFAULT;
            let for_us = match random.below(12) {
                0..=2 => 1 + random.below(50_000),
                3..=5 => 1 + random.below(2_000_000),
                6 if long => 1 + random.below(100_000_000),
                _ => 1 + random.below(10_000_000),
            };
            self.faults.push(Fault {
                at_us,
                for_us,
                trouble,
            });
        }
    }

    fn draw_trouble(&mut self, random: &mut Random) -> Trouble {
        let nodes = u64::from(self.nodes);
        let one = 1 + random.below(nodes) as u32;
        let two = 1 + random.below(nodes) as u32;
        match random.below(18) {
            0..=4 => Trouble::Crash(one, random.once_in(2)),
            5..=7 => Trouble::Break(one, two, !random.once_in(4), !random.once_in(4)),
            8..=9 => Trouble::Cut(one, two),
            10 => Trouble::Sleep(one),
            11..=12 => Trouble::Fail(one, 1 + random.below(3) as u32),
            13 => Trouble::Full(one),
            14 => Trouble::Slow(one, 10 << random.below(15)),
            15 => Trouble::Hang(one),
            _ => Trouble::KillProcess(random.index(self.processes.len())),
        }
    }
}
