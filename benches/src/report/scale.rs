use serde::Serialize;

use crate::{Outcome, Row};

/// A logarithmic axis of milliseconds. All charts of a page have the same, so that a length means the
/// same in each. Places are in per cent of its width.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Scale {
    low: f64,
    high: f64,
    pub(super) ticks: Vec<Tick>,
}

/// A place on an axis, and what is written there.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Tick {
    pub(super) at: f64,
    pub(super) label: String,
}

/// What is shorter, or negative, is drawn at the left edge.
const SHORTEST_MS: f64 = 0.1;

impl Scale {
    /// Wide enough for every sample of a run, and a decade at least.
    pub(super) fn of(outcome: &Outcome) -> Self {
        let ends = |row: &Row| {
            let all = [Some(&row.failover), Some(&row.excess), row.floor.as_ref()];
            all.into_iter().flatten().flat_map(|d| [d.min(), d.max()]).flatten().collect::<Vec<_>>()
        };
        let logs = || outcome.rows.iter().flat_map(ends).map(log);
        let low = logs().fold(f64::INFINITY, f64::min).clamp(SHORTEST_MS.log10(), 1.0).floor();
        // A little air on the right of the longest.
        let high = logs().fold(f64::NEG_INFINITY, f64::max).max(low + 1.0) + 0.08;
        let mut scale = Self { low, high, ticks: Vec::new() };
        scale.ticks = (low as i32..=high as i32)
            .map(|decade| 10f64.powi(decade))
            .map(|ms| Tick { at: scale.x((ms * 1e6) as i64), label: duration(ms) })
            .collect();
        scale
    }

    /// Where it is drawn.
    pub(super) fn x(&self, nanos: i64) -> f64 {
        let share = (log(nanos) - self.low) / (self.high - self.low);
        (share.clamp(0.0, 1.0) * 1000.0).round() / 10.0
    }
}

fn log(nanos: i64) -> f64 {
    (nanos as f64 / 1e6).max(SHORTEST_MS).log10()
}

/// Milliseconds, with the unit that an axis is read in.
pub(super) fn duration(ms: f64) -> String {
    if ms.abs() >= 1000.0 { format!("{} s", ms / 1000.0) } else { format!("{ms} ms") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_decade_is_as_wide_as_any_other_and_what_is_beyond_is_at_the_edge() {
        let scale = Scale { low: -1.0, high: 3.0, ticks: Vec::new() };
        let places = [-5, 0, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000, i64::MAX];
        let places = places.map(|nanos| scale.x(nanos));
        assert_eq!(places, [0.0, 0.0, 0.0, 25.0, 50.0, 75.0, 100.0, 100.0]);
    }

    #[test]
    fn a_duration_is_written_with_the_unit_it_is_read_in() {
        let written = [0.1, 1.0, 500.0, 1000.0, 1500.0].map(duration);
        assert_eq!(written, ["0.1 ms", "1 ms", "500 ms", "1 s", "1.5 s"]);
    }
}
