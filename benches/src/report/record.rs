use std::time::Duration;

use anyhow::{Context, Result};
use serde::Serialize;

use crate::{Distribution, Outcome, Row, Verdict, table};

/// A row as a line of the CSV file, and of the page's table. The names of its fields are the file's
/// header: `README.md` says what they are. Milliseconds, to the microsecond.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Record {
    store: String,
    program: String,
    peer: bool,
    settings: String,
    fault: &'static str,
    lease_ms: f64,
    deadline_ms: f64,
    retry_ms: f64,
    n: usize,
    planned: usize,
    failover_p50_ms: Option<f64>,
    failover_p90_ms: Option<f64>,
    failover_p99_ms: Option<f64>,
    failover_max_ms: Option<f64>,
    excess_p50_ms: Option<f64>,
    excess_p90_ms: Option<f64>,
    excess_p99_ms: Option<f64>,
    excess_max_ms: Option<f64>,
    overlaps: usize,
    overlap_total_ms: f64,
    overlap_worst_ms: f64,
    requests_per_second: Option<f64>,
    counts: &'static str,
    floor_p50_ms: Option<f64>,
    floor_p99_ms: Option<f64>,
    floor_ratio: Option<f64>,
    goal: Option<String>,
    verdict: Option<String>,
}

impl Record {
    pub(super) fn of(row: &Row) -> Self {
        let floor = |quantile: fn(&Distribution) -> Option<i64>| {
            row.floor.as_ref().and_then(quantile).map(ms)
        };
        let (failover, excess) = (&row.failover, &row.excess);
        Self {
            store: row.store.clone(),
            program: row.program.clone(),
            peer: row.is_peer,
            settings: row.settings.clone(),
            fault: row.fault.as_str(),
            lease_ms: whole(row.timing.lease),
            deadline_ms: whole(row.timing.deadline),
            retry_ms: whole(row.timing.retry),
            n: failover.n(),
            planned: row.planned,
            failover_p50_ms: failover.p50().map(ms),
            failover_p90_ms: failover.p90().map(ms),
            failover_p99_ms: failover.p99().map(ms),
            failover_max_ms: failover.max().map(ms),
            excess_p50_ms: excess.p50().map(ms),
            excess_p90_ms: excess.p90().map(ms),
            excess_p99_ms: excess.p99().map(ms),
            excess_max_ms: excess.max().map(ms),
            overlaps: row.overlaps.len(),
            overlap_total_ms: ms(row.total_overlap().cast_signed()),
            overlap_worst_ms: ms(row.worst_overlap().cast_signed()),
            requests_per_second: row.requests_per_second.map(|rate| rounded(rate, 100.0)),
            counts: row.measure().as_str(),
            floor_p50_ms: floor(Distribution::p50),
            floor_p99_ms: floor(Distribution::p99),
            floor_ratio: table::ratio(row).map(|ratio| rounded(ratio, 100.0)),
            goal: row.goal.map(|goal| goal.describe()),
            verdict: row.verdict.as_ref().map(Verdict::describe),
        }
    }
}

/// A line for each row.
///
/// # Errors
/// What a field holds cannot be written as CSV.
pub(super) fn csv(outcome: &Outcome) -> Result<Vec<u8>> {
    let mut lines = csv::Writer::from_writer(Vec::new());
    let written = outcome.rows.iter().try_for_each(|row| lines.serialize(Record::of(row)));
    written.context("could not write the results as CSV")?;
    lines.into_inner().context("could not write the results as CSV")
}

fn ms(nanos: i64) -> f64 {
    rounded(nanos as f64 / 1e6, 1000.0)
}

fn whole(duration: Duration) -> f64 {
    rounded(duration.as_secs_f64() * 1000.0, 1000.0)
}

fn rounded(value: f64, parts: f64) -> f64 {
    (value * parts).round() / parts
}
