use serde::Serialize;

use crate::{Fault, Measure, Outcome, Row, goal::Margin, table::ms};

/// What is to be known of a run before anything else: all of it of our own program.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Headline {
    overlaps: usize,
    worst_overlap: String,
    changes: String,
    violations: usize,
    goals: Goals,
    /// The slowest of what is given back, and of what has to be waited out.
    handover: Option<Slowest>,
    waited: Option<Slowest>,
    peers: Vec<Peer>,
}

#[derive(Clone, Debug, Serialize)]
struct Goals {
    judged: usize,
    met: usize,
    /// Of each store the one that was the nearest to its limit, or the furthest beyond.
    nearest: Vec<Nearest>,
}

#[derive(Clone, Debug, Serialize)]
struct Nearest {
    store: String,
    what: String,
    /// In per cent of what was allowed.
    used: i64,
    /// That, where it fits into what is drawn.
    drawn: i64,
    measured: String,
    allowed: String,
    kept: bool,
}

#[derive(Clone, Debug, Serialize)]
struct Slowest {
    p50: String,
    store: String,
    fault: &'static str,
}

#[derive(Clone, Debug, Serialize)]
struct Peer {
    name: String,
    changes: usize,
    overlaps: usize,
    worst_overlap: String,
}

impl Headline {
    pub(super) fn of(outcome: &Outcome) -> Self {
        let ours = || outcome.ours().filter(|row| row.failover.n() > 0);
        let given_back = |row: &&Row| matches!(row.fault, Fault::Resign | Fault::StepDown);
        Self {
            overlaps: outcome.ours().map(|row| row.overlaps.len()).sum(),
            worst_overlap: ms(worst(outcome.ours())),
            changes: thousands(ours().map(|row| row.failover.n()).sum()),
            violations: outcome.violations().len(),
            goals: Goals::of(outcome),
            handover: Slowest::of(ours().filter(given_back)),
            waited: Slowest::of(ours().filter(|row| row.measure() == Measure::Excess)),
            peers: Peer::all(outcome),
        }
    }
}

impl Goals {
    fn of(outcome: &Outcome) -> Self {
        let judged: Vec<_> = outcome
            .ours()
            .filter_map(|row| Some((row, nearest(row)?, !row.verdict.as_ref()?.is_missed())))
            .collect();
        let of_store = |store: &str| {
            let its = judged.iter().filter(|(row, ..)| row.store == store);
            its.max_by(|(_, a, _), (_, b, _)| a.used().total_cmp(&b.used()))
        };
        let nearest = outcome.stores.iter().filter_map(|store| of_store(&store.name));
        Self {
            judged: judged.len(),
            met: judged.iter().filter(|(_, _, met)| *met).count(),
            nearest: nearest.map(|(row, margin, _)| Nearest::of(row, *margin)).collect(),
        }
    }
}

fn nearest(row: &Row) -> Option<Margin> {
    let goal = row.goal?;
    let margins = goal.margins(row.of(goal.measure), row.floor.as_ref());
    margins.max_by(|a, b| a.used().total_cmp(&b.used()))
}

impl Nearest {
    fn of(row: &Row, margin: Margin) -> Self {
        let used = (margin.used() * 100.0).round() as i64;
        Self {
            store: row.store.clone(),
            what: format!("{}, {}", row.fault, margin.quantile.as_str()),
            used,
            drawn: used.clamp(1, 150) * 2 / 3,
            measured: ms(margin.measured),
            allowed: ms(margin.allowed as i64),
            kept: margin.is_kept(),
        }
    }
}

impl Slowest {
    /// The one of the greatest median.
    fn of<'a>(rows: impl Iterator<Item = &'a Row>) -> Option<Self> {
        let row = rows.max_by_key(|row| row.compared().p50())?;
        let p50 = ms(row.compared().p50()?);
        Some(Self { p50, store: row.store.clone(), fault: row.fault.as_str() })
    }
}

impl Peer {
    /// Of each how often its leader changed, and how often two of it were at work at once.
    fn all(outcome: &Outcome) -> Vec<Self> {
        let mut names: Vec<&str> = Vec::new();
        for row in outcome.peers() {
            if !names.contains(&row.program.as_str()) {
                names.push(&row.program);
            }
        }
        let peer = |name: &str| {
            let rows = || outcome.peers().filter(|row| row.program == name);
            Self {
                name: name.to_owned(),
                changes: rows().map(|row| row.failover.n()).sum(),
                overlaps: rows().map(|row| row.overlaps.len()).sum(),
                worst_overlap: ms(worst(rows())),
            }
        };
        names.into_iter().map(peer).collect()
    }
}

fn worst<'a>(rows: impl Iterator<Item = &'a Row>) -> i64 {
    rows.map(Row::worst_overlap).max().unwrap_or(0).cast_signed()
}

/// With a comma where a reader wants one.
fn thousands(n: usize) -> String {
    match n {
        0..1000 => n.to_string(),
        _ => format!("{},{:03}", thousands(n / 1000), n % 1000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_set_apart() {
        let written = [0, 999, 1000, 12_034, 1_000_007].map(thousands);
        assert_eq!(written, ["0", "999", "1,000", "12,034", "1,000,007"]);
    }
}
