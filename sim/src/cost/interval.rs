// SPDX-License-Identifier: GPL-2.0
//! How often to checkpoint: the efficiency of a long job over the period, simulated and by formula.
//!
//! J. W. Young, "A first order approximation to the optimum checkpoint interval", CACM 17(9), 1974.
//! J. T. Daly, "A higher order estimate of the optimum checkpoint interval for restart dumps",
//! Future Generation Computer Systems 22(3), 2006.

use crate::random::Random;

/// Lives of the cluster, from one failure to the next, in one simulation.
pub const LIVES: usize = 200_000;

/// A long job on a cluster that fails. Seconds.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Job {
    /// Mean time between failures of all nodes together.
    pub mtbf: f64,
    /// 1: failures without memory (exponential). Below 1: they come in clusters (Weibull).
    pub weibull: f64,
    /// The application stands still so long for each checkpoint.
    pub pause: f64,
    /// From the end of the pause until the version is committed; the application runs meanwhile.
    pub write: f64,
    /// From a failure until the application runs again.
    pub restart: f64,
}

/// Where in a range of periods the efficiency is highest, and what formulas say.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Optima {
    /// Of the simulation.
    pub simulated: f64,
    /// Young's.
    pub young: f64,
    /// Daly's.
    pub daly: f64,
}

impl Job {
    /// The whole cost of a checkpoint, as one that stops the application would have it.
    pub fn cost(&self) -> f64 {
        self.pause + self.write
    }

    /// The same job with checkpoints that stop the application until they are committed.
    pub fn blocking(self) -> Job {
        Job {
            pause: self.cost(),
            write: 0.0,
            ..self
        }
    }

    /// Young's optimum: the work between two checkpoints that cost the pause.
    pub fn young(&self) -> f64 {
        (2.0 * self.pause * self.mtbf).sqrt()
    }

    /// Daly's optimum (his equation 37) for checkpoints that cost the pause.
    pub fn daly(&self) -> f64 {
        let (cost, mtbf) = (self.pause, self.mtbf);
        if cost >= 2.0 * mtbf {
            return mtbf;
        }
        let ratio = cost / (2.0 * mtbf);
        (2.0 * cost * mtbf).sqrt() * (1.0 + ratio.sqrt() / 3.0 + ratio / 9.0) - cost
    }

    /// Daly's efficiency for a period of work: his equation 20, inverted.
    pub fn daly_efficiency(&self, period: f64) -> f64 {
        let Job {
            mtbf,
            pause,
            restart,
            ..
        } = *self;
        period / (mtbf * (restart / mtbf).exp() * ((period + pause) / mtbf).exp_m1())
    }

    /// The same assumptions as Daly's: failures without memory, and a job that stands still while
    /// a checkpoint is made.
    pub fn is_dalys(&self) -> bool {
        self.weibull == 1.0 && self.write == 0.0 && self.pause < self.mtbf / 2.0
    }

    /// Times from one failure to the next. They cover the distribution evenly, in an order and
    /// with a jitter that the seed gives, so that few are enough.
    pub fn lives(&self, seed: u64) -> Vec<f64> {
        let mut random = Random::new(seed, 3);
        let scale = self.mtbf / gamma(1.0 + 1.0 / self.weibull);
        let unit = |random: &mut Random| {
            // CAST: 53 bits of chance.
            (random.any() >> 11) as f64 / (1u64 << 53) as f64
        };
        (0..LIVES)
            .map(|index| {
                // CAST: a number of lives.
                let quantile = (index as f64 + unit(&mut random)) / LIVES as f64;
                scale * (-(1.0 - quantile).ln()).powf(1.0 / self.weibull)
            })
            .collect()
    }

    /// The part of the time that is work which is not lost again, over all `lives`.
    pub fn efficiency(&self, period: f64, lives: &[f64]) -> f64 {
        // The next checkpoint waits until the one before is committed.
        let cycle = (period + self.pause).max(self.cost());
        let (mut saved, mut spent) = (0.0, 0.0);
        for life in lives {
            spent += life;
            // What is committed survives: the k-th version is there `write` after its pause.
            let committed = ((life - self.restart - self.write) / cycle).floor();
            saved += committed.max(0.0) * (cycle - self.pause);
        }
        saved / spent
    }

    /// The best period of the simulation, near which the efficiency is taken for a parabola over
    /// the logarithm of the period.
    pub fn optima(&self, lives: &[f64]) -> Optima {
        let mut best = self.young().max(1e-6);
        for width in [8.0_f64, 2.0, 1.3] {
            best = self.best_near(best, width, lives);
        }
        Optima {
            // A shorter one waits for the writing, and so is as long as that.
            simulated: best.max(self.write),
            young: self.young(),
            daly: self.daly(),
        }
    }

    fn best_near(&self, middle: f64, width: f64, lives: &[f64]) -> f64 {
        let count = 40;
        let points: Vec<(f64, f64)> = (-count..=count)
            .map(|step| {
                let x = width.ln() * f64::from(step) / f64::from(count);
                (x, self.efficiency(middle * x.exp(), lives))
            })
            .collect();
        let top =
            points.iter().copied().fold(
                (0.0, 0.0),
                |best, point| {
                    if point.1 > best.1 {
                        point
                    } else {
                        best
                    }
                },
            );
        let x = if width > 1.5 {
            top.0
        } else {
            vertex(&points).unwrap_or(top.0)
        };
        middle * x.clamp(-width.ln(), width.ln()).exp()
    }
}

/// Where the parabola of least squares through the points is highest.
fn vertex(points: &[(f64, f64)]) -> Option<f64> {
    // The points lie evenly around 0, so odd powers of x sum up to nothing.
    let sum =
        |term: &dyn Fn(f64, f64) -> f64| points.iter().map(|(x, y)| term(*x, *y)).sum::<f64>();
    // CAST: a number of points.
    let count = points.len() as f64;
    let (x2, x4) = (sum(&|x, _| x * x), sum(&|x, _| x.powi(4)));
    let (y, xy, x2y) = (sum(&|_, y| y), sum(&|x, y| x * y), sum(&|x, y| x * x * y));
    let bend = (count * x2y - x2 * y) / (count * x4 - x2 * x2);
    (bend < 0.0).then(|| -(xy / x2) / (2.0 * bend))
}

/// The gamma function for arguments from 1: Lanczos' approximation (g = 7, nine terms).
fn gamma(x: f64) -> f64 {
    const TERMS: [f64; 8] = [
        676.520_368_121_885_1,
        -1_259.139_216_722_402_8,
        771.323_428_777_653_1,
        -176.615_029_162_140_6,
        12.507_343_278_686_905,
        -0.138_571_095_265_720_12,
        9.984_369_578_019_572e-6,
        1.505_632_735_149_311_6e-7,
    ];
    let x = x - 1.0;
    let mut sum = 0.999_999_999_999_809_9;
    for (term, number) in TERMS.iter().zip(1..) {
        sum += term / (x + f64::from(number));
    }
    let t = x + 7.5;
    (2.0 * std::f64::consts::PI).sqrt() * t.powf(x + 0.5) * (-t).exp() * sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(cost: f64, mtbf: f64) -> Job {
        Job {
            mtbf,
            weibull: 1.0,
            pause: cost,
            write: 0.0,
            restart: cost,
        }
    }

    #[test]
    fn gamma_of_known_arguments() {
        let half = std::f64::consts::PI.sqrt() / 2.0;
        for (x, y) in [(1.0, 1.0), (2.0, 1.0), (5.0, 24.0), (1.5, half)] {
            assert!((gamma(x) / y - 1.0).abs() < 1e-12, "{x}");
        }
    }

    #[test]
    fn the_optimum_is_dalys_where_his_assumptions_hold() {
        for ratio in [0.0005, 0.002, 0.01, 0.05, 0.2, 0.4] {
            let job = job(ratio * 3600.0, 3600.0);
            assert!(job.is_dalys());
            let optima = job.optima(&job.lives(1));
            let off = optima.simulated / optima.daly - 1.0;
            assert!(off.abs() < 0.05, "cost/MTBF {ratio}: {off:+.3} {optima:?}");
        }
    }

    #[test]
    fn the_efficiency_is_dalys_where_his_assumptions_hold() {
        let job = Job {
            restart: 30.0,
            ..job(60.0, 7200.0)
        };
        let lives = job.lives(5);
        for period in [200.0, 900.0, 3000.0] {
            let (simulated, formula) =
                (job.efficiency(period, &lives), job.daly_efficiency(period));
            assert!(
                (simulated / formula - 1.0).abs() < 0.01,
                "{period}: {simulated} {formula}"
            );
        }
    }

    #[test]
    fn writing_behind_the_application_moves_the_optimum() {
        let behind = Job {
            pause: 1.0,
            write: 59.0,
            ..job(60.0, 7200.0)
        };
        let lives = behind.lives(2);
        let optima = behind.optima(&lives);
        let standing = behind.blocking().optima(&lives);
        assert!(
            optima.simulated < standing.simulated / 2.0,
            "{optima:?} {standing:?}"
        );
        let gain = behind.efficiency(optima.simulated, &lives)
            - behind.blocking().efficiency(standing.simulated, &lives);
        assert!(gain > 0.05, "{gain}");
    }
}
