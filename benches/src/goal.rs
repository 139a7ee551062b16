use serde::Serialize;

use crate::{Distribution, Fault};

const MILLISECOND: f64 = 1e6;

/// How fast a change of leader has to be, next to the bare steps of it in the same run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Goal {
    /// What counts.
    pub measure: Measure,
    /// The median: at most so many times the floor's, and so many nanoseconds more.
    pub p50: Limit,
    /// The same for the 99th percentile.
    pub p99: Limit,
}

/// What of a round is compared with the goal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Measure {
    /// From the fault to the successor's work.
    Failover,
    /// From the end of the lease to the successor's work.
    Excess,
}

/// `times` the floor's value and `plus` nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Limit {
    times: f64,
    plus: f64,
}

/// Whether a goal was met, as far as there are enough samples to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// The median.
    pub p50: Option<bool>,
    /// The 99th percentile.
    pub p99: Option<bool>,
}

impl Goal {
    /// The goal of a backend, where it has one.
    pub fn of(backend: &str, fault: Fault) -> Option<Self> {
        let limit = |times, ms| Limit { times, plus: ms * MILLISECOND };
        let goal = |measure, p50, p99| Some(Self { measure, p50, p99 });
        match (backend, fault) {
            ("file", Fault::Resign | Fault::StepDown) => {
                goal(Measure::Failover, limit(1.5, 2.0), limit(1.0, 10.0))
            }
            ("file", Fault::Crash) => goal(Measure::Failover, limit(0.0, 5.0), limit(1.0, 15.0)),
            ("file", Fault::Freeze) => goal(Measure::Excess, limit(0.0, 5.0), limit(1.0, 15.0)),
            _ => None,
        }
    }

    /// Compares.
    pub fn verdict(&self, measured: &Distribution, floor: Option<&Distribution>) -> Verdict {
        let keeps = |limit: Limit, value: Option<i64>, floor: Option<i64>| {
            // What is no multiple of the floor can be judged without it.
            let floor = if limit.times == 0.0 { Some(0) } else { floor };
            Some(value? as f64 <= limit.times * floor? as f64 + limit.plus)
        };
        Verdict {
            p50: keeps(self.p50, measured.p50(), floor.and_then(Distribution::p50)),
            p99: keeps(self.p99, measured.p99(), floor.and_then(Distribution::p99)),
        }
    }

    /// The goal in words.
    pub fn describe(&self) -> String {
        let limit = |limit: Limit, name: &str| {
            let plus = limit.plus / MILLISECOND;
            if limit.times == 0.0 {
                format!("{plus} ms")
            } else if limit.times == 1.0 {
                format!("the floor's {name} + {plus} ms")
            } else {
                format!("{} × the floor's {name} + {plus} ms", limit.times)
            }
        };
        let measure = match self.measure {
            Measure::Failover => "failover",
            Measure::Excess => "excess",
        };
        format!("{measure}: p50 ≤ {}, p99 ≤ {}", limit(self.p50, "p50"), limit(self.p99, "p99"))
    }
}

impl Verdict {
    /// In a word or two.
    pub const fn as_str(self) -> &'static str {
        match (self.p50, self.p99) {
            (Some(true), Some(true)) => "met",
            (Some(true), None) => "p50 met",
            (Some(false), Some(false)) => "MISSED",
            (Some(false), _) => "p50 MISSED",
            (_, Some(false)) => "p99 MISSED",
            (None, _) => "–",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goal_is_met_or_missed_by_the_floor_of_the_same_run() {
        let goal = Goal::of("file", Fault::Resign).unwrap();
        let floor: Distribution = vec![1_000_000; 100].into_iter().collect();
        let verdict = |ms: f64| {
            let measured: Distribution = vec![(ms * MILLISECOND) as i64; 100].into_iter().collect();
            goal.verdict(&measured, Some(&floor)).as_str()
        };
        assert_eq!(verdict(3.5), "met");
        assert_eq!(verdict(3.6), "p50 MISSED");
        assert_eq!(verdict(11.1), "MISSED");
    }

    #[test]
    fn of_few_samples_only_the_median_is_judged() {
        let goal = Goal::of("file", Fault::Freeze).unwrap();
        let few: Distribution = vec![1_000_000; 10].into_iter().collect();
        assert_eq!(goal.verdict(&few, None).as_str(), "p50 met");
        assert_eq!(goal.verdict(&Distribution::default(), None).as_str(), "–");
    }
}
