use std::time::Duration;

use serde::Serialize;

use super::scale::{Scale, duration};
use crate::{
    Distribution, Fault, Measure, Row,
    table::{count, ms},
};

/// What one measure of one fault was, of all stores and programs: a line for each, on one logarithmic
/// axis.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Chart {
    measure: &'static str,
    /// What its numbers count from.
    from: &'static str,
    /// By how long a lease is: what differs there is not to be compared.
    groups: Vec<Group>,
}

#[derive(Clone, Debug, Serialize)]
struct Group {
    lease: String,
    /// Where a lease would have ended that was renewed at the instant of the fault.
    lease_at: Option<f64>,
    /// A median of them is before the end of the lease: there is no place for it on the axis.
    is_early: bool,
    lines: Vec<Line>,
}

#[derive(Clone, Debug, Serialize)]
struct Line {
    name: Name,
    /// Whether the lease was waited for: else there is nothing to count from its end.
    waits: bool,
    /// Every sample, as a path in a box of [`BINS`] by 2: the higher, the more of them.
    samples: String,
    p50_at: f64,
    /// The median is negative.
    is_early: bool,
    p90_at: f64,
    max_at: f64,
    floor_at: Option<f64>,
    p50: String,
    p90: String,
    /// What to see in it, for those who cannot see it.
    summary: String,
}

/// What a row is called where the fault is known.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Name {
    pub(super) program: String,
    pub(super) store: String,
    pub(super) is_peer: bool,
    /// How it differs from the others in its group.
    pub(super) settings: Option<String>,
}

/// Into how many parts the axis is divided: one is hardly wider than the line that stands for it.
const BINS: usize = 250;

impl Chart {
    /// What counts of a fault: what the successor took after the end of the lease, where that has to be
    /// waited for, and in any case what it took from the fault.
    pub(super) fn of_fault(fault: Fault, rows: &[&Row], scale: &Scale) -> Vec<Self> {
        let waits = fault.waits_for_lease(false);
        let excess = waits.then(|| Self::of(Measure::Excess, waits, rows, scale)).flatten();
        excess.into_iter().chain(Self::of(Measure::Failover, waits, rows, scale)).collect()
    }

    fn of(measure: Measure, waits: bool, rows: &[&Row], scale: &Scale) -> Option<Self> {
        let mut groups: Vec<(Duration, Vec<&Row>)> = Vec::new();
        for row in rows.iter().filter(|row| row.of(measure).n() > 0) {
            match groups.iter_mut().find(|(lease, _)| *lease == row.timing.lease) {
                Some((_, rows)) => rows.push(row),
                None => groups.push((row.timing.lease, vec![row])),
            }
        }
        groups.sort_by_key(|(lease, _)| *lease);
        let marked = waits && measure == Measure::Failover;
        let groups: Vec<_> = groups
            .into_iter()
            .map(|(lease, rows)| {
                let line = |row: &&Row| Line::of(row, measure, &rows, scale);
                let lines: Vec<_> = rows.iter().filter_map(line).collect();
                Group {
                    lease: duration(lease.as_secs_f64() * 1000.0),
                    lease_at: marked.then(|| scale.x(lease.as_nanos() as i64)),
                    is_early: lines.iter().any(|line| line.waits && line.is_early),
                    lines,
                }
            })
            .collect();
        let from = match measure {
            Measure::Failover => "from the fault to the successor's work",
            Measure::Excess => "from the end of the lease to the successor's work",
        };
        (!groups.is_empty()).then_some(Self { measure: measure.as_str(), from, groups })
    }
}

impl Line {
    fn of(row: &Row, measure: Measure, group: &[&Row], scale: &Scale) -> Option<Self> {
        let distribution = row.of(measure);
        let (p50, p90) = (distribution.p50()?, distribution.p90()?);
        let name = Name::of(row, group);
        let waits = measure == Measure::Failover || row.waits_for_lease();
        let floor = row.floor.as_ref().filter(|_| row.measure() == measure);
        Some(Self {
            waits,
            samples: samples(distribution, scale),
            p50_at: scale.x(p50),
            is_early: p50 < 0,
            p90_at: scale.x(p90),
            max_at: scale.x(distribution.max()?),
            floor_at: floor.and_then(Distribution::p50).map(|floor| scale.x(floor)),
            p50: ms(p50),
            p90: ms(p90),
            summary: if waits {
                summary(&name, measure, distribution, floor)
            } else {
                format!("{} on {} does not wait for the lease", name.program, name.store)
            },
            name,
        })
    }
}

impl Name {
    pub(super) fn of(row: &Row, group: &[&Row]) -> Self {
        let alike = group.iter().all(|other| other.timing == row.timing);
        let timing = (!alike).then(|| row.timing.to_string());
        let settings = (row.settings != "equal").then(|| row.settings.clone());
        let differs: Vec<_> = settings.into_iter().chain(timing).collect();
        Self {
            program: row.program.clone(),
            store: row.store.clone(),
            is_peer: row.is_peer,
            settings: (!differs.is_empty()).then(|| differs.join(", ")),
        }
    }
}

/// A stroke in each part of the axis in which there are samples; the longest where there are most.
fn samples(distribution: &Distribution, scale: &Scale) -> String {
    let mut bins = [0usize; BINS + 1];
    for nanos in distribution.samples() {
        bins[(scale.x(*nanos) / 100.0 * BINS as f64).round() as usize] += 1;
    }
    let most = bins.iter().max().copied().unwrap_or(0).max(1) as f64;
    let strokes = bins.iter().enumerate().filter(|(_, n)| **n > 0).map(|(bin, n)| {
        // A single one among hundreds is seen, too.
        let half = 0.3 + 0.7 * *n as f64 / most;
        format!("M{bin} {:.2}V{:.2}", 1.0 - half, 1.0 + half)
    });
    strokes.collect()
}

fn summary(
    name: &Name,
    measure: Measure,
    d: &Distribution,
    floor: Option<&Distribution>,
) -> String {
    let shown = |value: Option<i64>| value.map(|nanos| format!("{} ms", ms(nanos)));
    let or_none = |value: Option<i64>| shown(value).unwrap_or_else(|| "none".into());
    let mut text = format!("{} on {}", name.program, name.store);
    if let Some(settings) = &name.settings {
        text += &format!(" ({settings})");
    }
    text += &format!(
        ": {} of {}: p50 {}, p90 {}, p99 {}, max {}",
        measure.as_str(),
        count(d.n(), "round"),
        or_none(d.p50()),
        or_none(d.p90()),
        or_none(d.p99()),
        or_none(d.max())
    );
    if let Some(floor) = floor.and_then(|floor| shown(floor.p50())) {
        text += &format!("; the store's floor {floor}");
    }
    text
}
