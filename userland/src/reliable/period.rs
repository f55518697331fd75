// SPDX-License-Identifier: GPL-2.0
//! When the next checkpoint is due: a duration, a cron expression, the optimum, or never.
use super::daly;
use chrono::{DateTime, TimeZone, Utc};
use croner::Cron;
use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// Shortest period between checkpoints, milliseconds: one that is shorter leaves no time to run.
pub const PERIOD_MS_MIN: u64 = 1000;
/// Longest period, milliseconds: a year.
pub const PERIOD_MS_MAX: u64 = 366 * 24 * 3_600_000;
/// `auto`: the first checkpoint, whose cost is to be measured, comes after so many milliseconds.
const FIRST_MS: u64 = 5_000;
/// After a checkpoint that failed the next one is tried no later than this, milliseconds.
const RETRY_MS: u64 = 5_000;

/// The pattern of checkpoints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Periodicity {
    /// Only on request.
    Never,
    /// Daly's optimum.
    Auto,
    /// From the start of one to the start of the next, milliseconds.
    Every(u64),
    /// At the times of a cron expression.
    Cron(String),
}

/// What is known when the next checkpoint is planned; times in milliseconds since 1970.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// When the application began to run.
    pub running_ms: u64,
    /// Start of the last attempt since then.
    pub tried_ms: Option<u64>,
    /// Its end.
    pub ended_ms: u64,
    /// Whether it failed.
    pub failed: bool,
    /// Cost of a checkpoint, milliseconds, once it is known.
    pub cost_ms: Option<u64>,
    /// Mean time between failures, milliseconds.
    pub mtbf_ms: u64,
}

impl FromStr for Periodicity {
    type Err = String;

    fn from_str(text: &str) -> Result<Periodicity, String> {
        match text.trim() {
            "0" => return Ok(Periodicity::Never),
            "auto" => return Ok(Periodicity::Auto),
            _ => {}
        }
        if let Ok(period) = humantime::parse_duration(text) {
            let ms = u64::try_from(period.as_millis()).unwrap_or(u64::MAX);
            return match ms {
                0 => Ok(Periodicity::Never),
                PERIOD_MS_MIN..=PERIOD_MS_MAX => Ok(Periodicity::Every(ms)),
                _ => Err("between one second and one year are possible".into()),
            };
        }
        match Cron::from_str(text) {
            Ok(_) => Ok(Periodicity::Cron(text.trim().into())),
            Err(error) => Err(format!(
                "neither a duration (30s, 10m, 2h), nor auto, nor 0, nor a cron expression: {error}"
            )),
        }
    }
}

impl TryFrom<String> for Periodicity {
    type Error = String;

    fn try_from(text: String) -> Result<Periodicity, String> {
        text.parse()
    }
}

impl From<Periodicity> for String {
    fn from(period: Periodicity) -> String {
        period.to_string()
    }
}

impl std::fmt::Display for Periodicity {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Periodicity::Never => write!(out, "0"),
            Periodicity::Auto => write!(out, "auto"),
            Periodicity::Every(ms) => write!(out, "{ms}ms"),
            Periodicity::Cron(text) => write!(out, "{text}"),
        }
    }
}

impl Periodicity {
    /// When the next checkpoint is due, milliseconds since 1970; cron in the time zone of `zone`.
    pub fn due<Z: TimeZone>(&self, plan: &Plan, zone: &Z) -> Option<u64> {
        let due = self.planned(plan, zone)?;
        let retry = plan.ended_ms.saturating_add(RETRY_MS);
        Some(if plan.failed { due.min(retry) } else { due })
    }

    /// Whether a time of the pattern is still to come, where it has times of the clock.
    pub fn comes<Z: TimeZone>(&self, zone: &Z) -> bool {
        let Periodicity::Cron(text) = self else {
            return true;
        };
        let now = Utc::now().with_timezone(zone);
        Cron::from_str(text).is_ok_and(|cron| cron.find_next_occurrence(&now, false).is_ok())
    }

    fn planned<Z: TimeZone>(&self, plan: &Plan, zone: &Z) -> Option<u64> {
        let from = plan.tried_ms.unwrap_or(plan.running_ms);
        match self {
            Periodicity::Never => None,
            Periodicity::Every(ms) => Some(from.saturating_add(*ms)),
            Periodicity::Auto => Some(match (plan.tried_ms, plan.cost_ms) {
                (Some(_), Some(cost)) => plan
                    .ended_ms
                    .saturating_add(daly::interval(cost, plan.mtbf_ms)),
                _ => from.saturating_add(FIRST_MS),
            }),
            Periodicity::Cron(text) => {
                let from: DateTime<Z> = zone
                    .timestamp_millis_opt(i64::try_from(from).ok()?)
                    .single()?;
                let next = Cron::from_str(text)
                    .ok()?
                    .find_next_occurrence(&from, false)
                    .ok()?;
                u64::try_from(next.timestamp_millis()).ok()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> Plan {
        Plan {
            running_ms: 1_000_000,
            tried_ms: None,
            ended_ms: 0,
            failed: false,
            cost_ms: None,
            mtbf_ms: 3_600_000,
        }
    }

    fn due(text: &str, plan: &Plan) -> Option<u64> {
        text.parse::<Periodicity>().unwrap().due(plan, &Utc)
    }

    #[test]
    fn durations_are_as_people_write_them() {
        assert_eq!("30s".parse(), Ok(Periodicity::Every(30_000)));
        assert_eq!("1h 30m".parse(), Ok(Periodicity::Every(5_400_000)));
        assert_eq!("0".parse(), Ok(Periodicity::Never));
        assert_eq!("0s".parse(), Ok(Periodicity::Never));
        assert_eq!("auto".parse(), Ok(Periodicity::Auto));
        for wrong in ["", "30", "1ms", "2000y", "* * *", "61 * * * *", "soon"] {
            assert!(wrong.parse::<Periodicity>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_kept_in_a_record_is_read_again() {
        for text in ["0", "auto", "30s", "*/10 3 * * 1-5"] {
            let period: Periodicity = text.parse().unwrap();
            assert_eq!(period.to_string().parse(), Ok(period));
        }
    }

    #[test]
    fn a_period_counts_from_start_to_start() {
        assert_eq!(due("30s", &plan()), Some(1_030_000));
        let tried = Plan {
            tried_ms: Some(1_030_000),
            ended_ms: 1_042_000,
            ..plan()
        };
        assert_eq!(due("30s", &tried), Some(1_060_000));
        assert_eq!(due("0", &tried), None);
    }

    #[test]
    fn a_failed_checkpoint_is_tried_again_soon() {
        let failed = Plan {
            tried_ms: Some(2_000_000),
            ended_ms: 2_001_000,
            failed: true,
            ..plan()
        };
        assert_eq!(due("2h", &failed), Some(2_006_000));
        assert_eq!(due("2s", &failed), Some(2_002_000));
        assert_eq!(due("0", &failed), None);
    }

    #[test]
    fn cron_gives_the_next_time_of_the_clock() {
        // 1970-01-01 00:16:40.
        assert_eq!(due("*/10 * * * *", &plan()), Some(1_200_000));
        assert_eq!(due("0 3 * * *", &plan()), Some(3 * 3_600_000));
        let at = Plan {
            tried_ms: Some(1_200_000),
            ..plan()
        };
        assert_eq!(due("*/10 * * * *", &at), Some(1_800_000));
    }

    #[test]
    fn a_time_that_never_comes_is_known() {
        for (text, comes) in [
            ("0 3 * * *", true),
            ("30s", true),
            ("0", true),
            ("0 0 30 2 *", false),
            ("0 0 0 1 1 * 1999", false),
        ] {
            assert_eq!(
                text.parse::<Periodicity>().unwrap().comes(&Utc),
                comes,
                "{text}"
            );
        }
    }

    #[test]
    fn auto_measures_first_and_then_follows_cost_and_failures() {
        assert_eq!(due("auto", &plan()), Some(1_005_000));
        let known = Plan {
            tried_ms: Some(1_005_000),
            ended_ms: 1_007_000,
            cost_ms: Some(2_000),
            ..plan()
        };
        let calm = due("auto", &known).unwrap();
        let stormy = due(
            "auto",
            &Plan {
                mtbf_ms: 60_000,
                ..known
            },
        )
        .unwrap();
        assert!(stormy < calm);
        assert_eq!(calm, 1_007_000 + daly::interval(2_000, 3_600_000));
    }
}
