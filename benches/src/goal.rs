use serde::Serialize;

use crate::{Distribution, Fault};

const MILLISECOND: f64 = 1e6;

/// How fast a change of leader has to be, next to the bare steps of it in the same run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Goal {
    /// What counts.
    pub measure: Measure,
    /// How much of it is allowed.
    pub limits: &'static [Limit],
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

/// A quantile is at most `times` one of the floor's and `plus_ms` milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Limit {
    quantile: Quantile,
    times: f64,
    /// Which of the floor's.
    floor: Quantile,
    plus_ms: f64,
}

/// What of a distribution is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Quantile {
    /// The median.
    P50,
    /// The 90th percentile.
    P90,
    /// The 99th percentile.
    P99,
}

/// Whether each limit of a goal was kept, as far as there are enough samples to say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verdict(Vec<(Quantile, Option<bool>)>);

/// What was measured next to what was allowed, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Margin {
    pub(crate) quantile: Quantile,
    pub(crate) measured: i64,
    pub(crate) allowed: f64,
}

/// A line of the table of goals: the stores, the faults, what counts of them, and its limits.
type Line = (&'static [&'static str], &'static [Fault], Measure, &'static [Limit]);

const fn ms(quantile: Quantile, plus_ms: f64) -> Limit {
    above_floor(quantile, 0.0, plus_ms)
}

const fn above_floor(quantile: Quantile, times: f64, plus_ms: f64) -> Limit {
    Limit { quantile, times, floor: quantile, plus_ms }
}

static GOALS: &[Line] = {
    use Fault::{Crash, Freeze, Partition, PartitionReplies, PartitionRequests, Resign, StepDown};
    use Measure::{Excess, Failover};
    use Quantile::{P50, P90, P99};
    const ON_ETCD: &[&str] = &["etcd", "etcd-single", "kubernetes"];
    &[
        (
            &["file"],
            &[Resign, StepDown],
            Failover,
            &[above_floor(P50, 1.5, 2.0), above_floor(P99, 1.0, 10.0)],
        ),
        (&["file"], &[Crash], Failover, &[ms(P50, 5.0), above_floor(P99, 1.0, 15.0)]),
        (&["file"], &[Freeze], Excess, &[ms(P50, 5.0), above_floor(P99, 1.0, 15.0)]),
        (&["redis"], &[Resign, StepDown], Failover, &[above_floor(P50, 1.5, 2.0)]),
        (&["redis"], &[Crash, Freeze], Excess, &[ms(P50, 5.0), ms(P90, 10.0)]),
        (&["redis"], &[Partition, PartitionRequests, PartitionReplies], Excess, &[ms(P90, 10.0)]),
        (ON_ETCD, &[Resign, StepDown], Failover, &[above_floor(P50, 1.5, 2.0)]),
        (
            ON_ETCD,
            &[Crash, Freeze],
            Excess,
            // The floor of a write that is on a disk, or that members agree upon, has a tail of its own.
            &[above_floor(P50, 1.5, 5.0), Limit { floor: P99, ..above_floor(P90, 1.0, 15.0) }],
        ),
    ]
};

impl Goal {
    /// The goal of a store, where it has one.
    pub fn of(store: &str, fault: Fault) -> Option<Self> {
        let line = GOALS
            .iter()
            .find(|(names, faults, ..)| names.contains(&store) && faults.contains(&fault));
        line.map(|&(_, _, measure, limits)| Self { measure, limits })
    }

    /// Compares.
    pub fn verdict(&self, measured: &Distribution, floor: Option<&Distribution>) -> Verdict {
        let keeps = |limit: &Limit| Some(limit.margin(measured, floor)?.is_kept());
        Verdict(self.limits.iter().map(|limit| (limit.quantile, keeps(limit))).collect())
    }

    /// How near each limit is, as far as there are enough samples to say.
    pub(crate) fn margins(
        &self,
        measured: &Distribution,
        floor: Option<&Distribution>,
    ) -> impl Iterator<Item = Margin> {
        self.limits.iter().filter_map(move |limit| limit.margin(measured, floor))
    }

    /// The goal in words.
    pub fn describe(&self) -> String {
        let limit = |limit: &Limit| {
            let Limit { quantile, times, floor, plus_ms } = limit;
            let (name, floor) = (quantile.as_str(), floor.as_str());
            if *times == 0.0 {
                format!("{name} ≤ {plus_ms} ms")
            } else if *times == 1.0 {
                format!("{name} ≤ the floor's {floor} + {plus_ms} ms")
            } else {
                format!("{name} ≤ {times} × the floor's {floor} + {plus_ms} ms")
            }
        };
        let limits: Vec<_> = self.limits.iter().map(limit).collect();
        format!("{}: {}", self.measure.as_str(), limits.join(", "))
    }
}

impl Limit {
    fn margin(&self, measured: &Distribution, floor: Option<&Distribution>) -> Option<Margin> {
        let value = self.quantile.of(measured)?;
        // What is no multiple of the floor can be judged without it.
        let floor = if self.times == 0.0 { 0 } else { self.floor.of(floor?)? };
        let allowed = self.times * floor as f64 + self.plus_ms * MILLISECOND;
        Some(Margin { quantile: self.quantile, measured: value, allowed })
    }
}

impl Margin {
    /// Whether it is within the limit.
    pub(crate) fn is_kept(&self) -> bool {
        self.measured as f64 <= self.allowed
    }

    /// Which part of what was allowed was needed: above 1 the limit was not kept.
    pub(crate) fn used(&self) -> f64 {
        self.measured as f64 / self.allowed
    }
}

impl Measure {
    /// In a word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Failover => "failover",
            Self::Excess => "excess",
        }
    }
}

impl Quantile {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::P50 => "p50",
            Self::P90 => "p90",
            Self::P99 => "p99",
        }
    }

    fn of(self, distribution: &Distribution) -> Option<i64> {
        match self {
            Self::P50 => distribution.p50(),
            Self::P90 => distribution.p90(),
            Self::P99 => distribution.p99(),
        }
    }
}

impl Verdict {
    /// Of each limit whether it was kept, where that can be said.
    pub fn limits(&self) -> impl Iterator<Item = Option<bool>> {
        self.0.iter().map(|(_, kept)| *kept)
    }

    /// Whether any limit was not kept.
    pub fn is_missed(&self) -> bool {
        self.limits().any(|kept| kept == Some(false))
    }

    /// In a word or two: which were missed, else which were met, where not all could be judged.
    pub fn describe(&self) -> String {
        let those = |kept| -> Vec<_> {
            let these = self.0.iter().filter(|(_, this)| *this == Some(kept));
            these.map(|(quantile, _)| quantile.as_str()).collect()
        };
        let (missed, met) = (those(false), those(true));
        match (missed.len(), met.len()) {
            (0, 0) => "–".into(),
            (0, n) if n == self.0.len() => "met".into(),
            (0, _) => format!("{} met", met.join(", ")),
            (n, _) if n == self.0.len() => "MISSED".into(),
            _ => format!("{} MISSED", missed.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_ms(samples: impl IntoIterator<Item = f64>) -> Distribution {
        samples.into_iter().map(|ms| (ms * MILLISECOND) as i64).collect()
    }

    #[test]
    fn a_goal_is_met_or_missed_by_the_floor_of_the_same_run() {
        let goal = Goal::of("file", Fault::Resign).unwrap();
        let floor = of_ms([1.0; 100]);
        let verdict = |ms: f64| goal.verdict(&of_ms([ms; 100]), Some(&floor)).describe();
        assert_eq!(verdict(3.5), "met");
        assert_eq!(verdict(3.6), "p50 MISSED");
        assert_eq!(verdict(11.1), "MISSED");
        let wanted = "failover: p50 ≤ 1.5 × the floor's p50 + 2 ms, p99 ≤ the floor's p99 + 10 ms";
        assert_eq!(goal.describe(), wanted);
    }

    #[test]
    fn of_few_samples_only_what_they_can_tell_is_judged() {
        let goal = Goal::of("file", Fault::Freeze).unwrap();
        assert_eq!(goal.verdict(&of_ms([1.0; 10]), None).describe(), "p50 met");
        assert_eq!(goal.verdict(&Distribution::default(), None).describe(), "–");
    }

    #[test]
    fn each_limit_has_its_own_quantile() {
        let goal = Goal::of("redis", Fault::Crash).unwrap();
        let slow = |n| (0..100).map(move |at| if at < n { 11.0 } else { 1.0 });
        assert_eq!(goal.verdict(&of_ms(slow(10)), None).describe(), "met");
        assert_eq!(goal.verdict(&of_ms(slow(11)), None).describe(), "p90 MISSED");
        let partition = Goal::of("redis", Fault::PartitionReplies).unwrap();
        assert_eq!(partition.describe(), "excess: p90 ≤ 10 ms");
        assert!(Goal::of("floppy", Fault::Crash).is_none());
    }

    #[test]
    fn a_limit_may_name_another_quantile_of_the_floor() {
        let goal = Goal::of("etcd", Fault::Freeze).unwrap();
        let wanted = "excess: p50 ≤ 1.5 × the floor's p50 + 5 ms, p90 ≤ the floor's p99 + 15 ms";
        assert_eq!(goal.describe(), wanted);
        assert_eq!(Goal::of("etcd-single", Fault::Crash), Some(goal));
        let floor = of_ms((0..100).map(|at| if at < 95 { 2.0 } else { 20.0 }));
        let verdict = |p50: f64, p90: f64| {
            let measured = of_ms((0..100).map(|at| if at < 80 { p50 } else { p90 }));
            goal.verdict(&measured, Some(&floor)).describe()
        };
        assert_eq!(verdict(8.0, 35.0), "met");
        assert_eq!(verdict(8.1, 35.0), "p50 MISSED");
        assert_eq!(verdict(8.0, 35.1), "p90 MISSED");
    }
}
