// SPDX-License-Identifier: GPL-2.0
//! How long to compute between two checkpoints, from what one costs and how often nodes fail.
//!
//! Source: J. T. Daly, "A higher order estimate of the optimum checkpoint interval for restart
//! dumps", Future Generation Computer Systems 22 (2006), equation (37).

/// Mean time between failures of one node before the job has seen any, milliseconds: 30 days.
const NODE_MTBF_MS: u64 = 30 * 24 * 3_600_000;
/// Longest interval, milliseconds, whatever the formula says: a day.
const INTERVAL_MS_MAX: u64 = 24 * 3_600_000;
/// Shortest interval, milliseconds.
const INTERVAL_MS_MIN: u64 = 1000;
/// Failures that are remembered: the newest count.
pub const FAILURES_MAX: usize = 16;

/// The optimum compute time between the end of a checkpoint and the start of the next, in
/// milliseconds: `sqrt(2dM) * (1 + sqrt(d/2M)/3 + (d/2M)/9) - d`, and `M` where `d >= 2M`.
///
/// `cost_ms` is d: the whole time of a checkpoint. The application runs while its images are
/// written, so that its true loss is smaller; but what writes competes with it. The interval is
/// at least d, so that no more than half of the time passes in checkpoints.
pub fn interval(cost_ms: u64, mtbf_ms: u64) -> u64 {
    // CAST: milliseconds of any use are far below 2^53.
    let (d, m) = (cost_ms.max(1) as f64, mtbf_ms.max(1) as f64);
    let optimum = if d < 2.0 * m {
        let ratio = d / (2.0 * m);
        (2.0 * d * m).sqrt() * (1.0 + ratio.sqrt() / 3.0 + ratio / 9.0) - d
    } else {
        m
    };
    let least = cost_ms.clamp(INTERVAL_MS_MIN, INTERVAL_MS_MAX);
    // CAST: a positive float saturates.
    (optimum as u64).clamp(least, INTERVAL_MS_MAX)
}

/// The mean time between failures of the application, milliseconds: what the user gave, or what
/// was seen since `since_ms`, or for want of failures the usual one of `nodes` nodes.
pub fn mtbf(given: Option<u64>, since_ms: u64, failures: &[u64], now_ms: u64, nodes: usize) -> u64 {
    if let Some(given) = given {
        return given;
    }
    // CAST: at most 254 nodes.
    let usual = NODE_MTBF_MS / (nodes.max(1) as u64);
    // With the oldest remembered failure as origin it is not one of those counted.
    let (origin, count) = match failures.len() {
        0 => return usual,
        FAILURES_MAX.. => (
            failures.iter().copied().min().unwrap_or(since_ms),
            failures.len() - 1,
        ),
        fewer => (since_ms, fewer),
    };
    // CAST: few.
    (now_ms.saturating_sub(origin) / (count.max(1) as u64)).max(1)
}

/// The running mean of what checkpoints cost: half of it is the newest.
pub fn cost(before: Option<u64>, newest_ms: u64) -> u64 {
    match before {
        Some(before) => before / 2 + newest_ms / 2,
        None => newest_ms,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Share of the time that is lost with interval `t`, to first order: checkpoints, and the
    /// half interval and the checkpoint that a failure costs.
    fn loss(t: f64, d: f64, m: f64) -> f64 {
        d / (t + d) + (t / 2.0 + d) / m
    }

    #[test]
    fn the_optimum_is_better_than_its_neighbours() {
        for (d, m) in [(1_000, 3_600_000), (5_000, 600_000), (60_000, 86_400_000)] {
            let best = interval(d, m) as f64;
            let (d, m) = (d as f64, m as f64);
            assert!(loss(best, d, m) < loss(best / 2.0, d, m));
            assert!(loss(best, d, m) < loss(best * 2.0, d, m));
        }
    }

    #[test]
    fn values_of_the_formula() {
        // sqrt(2 * 5 * 500) = 70.71; ratio 0.005: 70.71 * (1 + 0.02357 + 0.00056) - 5 = 67.42 s.
        assert!(interval(5_000, 500_000).abs_diff(67_417) < 5);
        assert_eq!(interval(30_000, 15_000), 30_000);
        assert_eq!(interval(0, 1), INTERVAL_MS_MIN);
        assert_eq!(interval(3_600_000, u64::MAX), INTERVAL_MS_MAX);
    }

    #[test]
    fn failures_that_were_seen_count_before_what_is_usual() {
        assert_eq!(mtbf(Some(7), 0, &[5], 10, 3), 7);
        assert_eq!(mtbf(None, 0, &[], 1_000, 3), NODE_MTBF_MS / 3);
        assert_eq!(mtbf(None, 0, &[60_000, 120_000], 180_000, 3), 90_000);
        let many: Vec<u64> = (1..=16).map(|n| n * 1_000).collect();
        assert_eq!(mtbf(None, 0, &many, 16_000, 3), 1_000);
    }

    #[test]
    fn the_newest_cost_weighs_most() {
        assert_eq!(cost(None, 800), 800);
        assert_eq!(cost(Some(800), 400), 600);
    }
}
