use std::{collections::HashSet, path::Path, process::ExitCode, time::Duration};

use anyhow::{Context, Result};
use serde::Serialize;

use crate::{
    Durations, Fault, Overlap, Row, floor::Floor, machine::Machine, program::Program, whole,
};

/// Everything that a run found out: what the JSON file holds. Durations and instants are in
/// nanoseconds, instants those of `CLOCK_MONOTONIC`.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    /// When it began.
    pub date: String,
    /// How long it took, in seconds.
    pub took_s: f64,
    /// How busy the machine's processors were meanwhile, by this run and by anything else: 0 to 1.
    pub busy: Option<f64>,
    /// It was ended before its time, and holds what was measured until then.
    pub interrupted: bool,
    /// Where it was made.
    pub machine: Machine,
    /// What was asked for.
    pub settings: Settings,
    /// The stores, in the order in which they were measured.
    pub stores: Vec<Measured>,
    /// What was measured, by store, timing and fault.
    pub rows: Vec<Row>,
    /// What else went wrong: the floor could not be measured, for example.
    pub warnings: Vec<String>,
}

/// What a run was asked for.
#[derive(Clone, Debug, Serialize)]
pub struct Settings {
    /// To each of ours.
    pub rounds: usize,
    /// To each of the peers.
    pub peer_rounds: usize,
    /// How many processes campaign for each lease.
    pub contenders: u32,
    /// Theirs.
    pub timings: Vec<Durations>,
    /// Of the instants of the faults.
    pub seed: u64,
}

/// A store that was measured.
#[derive(Clone, Debug, Serialize)]
pub struct Measured {
    /// Its kind, as the rows name it.
    pub name: String,
    /// What it is and where.
    pub description: String,
    /// What was measured on it.
    pub(crate) programs: Vec<Program>,
    /// The bare steps of a handover on it.
    pub floor: Option<Floor>,
    /// Which faults cannot be done on it, and why.
    pub left_out: Option<String>,
}

/// What a run has found out so far.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) stores: Vec<Measured>,
    pub(crate) rows: Vec<Row>,
    pub(crate) warnings: Vec<String>,
}

impl Measured {
    /// One of which nothing else is known.
    pub fn named(name: &str, description: &str) -> Self {
        Self {
            name: name.to_owned(),
            description: description.to_owned(),
            programs: Vec::new(),
            floor: None,
            left_out: None,
        }
    }
}

impl Outcome {
    /// What must not have happened to us, one sentence each.
    pub fn violations(&self) -> Vec<String> {
        let mut violations = Vec::new();
        for row in self.ours() {
            let what = format!("{}: {} at {}", row.store, row.fault, row.timing);
            for Overlap { earlier, later, nanos } in &row.overlaps {
                let token = |token: &Option<u64>| token.unwrap_or_default();
                violations.push(format!(
                    "OVERLAP: {what}: the terms {} and {} were at work at once for {:.3} ms",
                    token(earlier),
                    token(later),
                    *nanos as f64 / 1e6
                ));
            }
            for (earlier, later) in &row.stale_tokens {
                violations.push(format!("TOKEN: {what}: {earlier} was followed by {later}"));
            }
            violations
                .extend(row.troubles.iter().map(|trouble| format!("TROUBLE: {what}: {trouble}")));
        }
        violations
    }

    /// The rows of our own program.
    pub fn ours(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| !row.is_peer)
    }

    /// The rows of its peers.
    pub fn peers(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| row.is_peer)
    }

    /// What is to be known of programs that were measured with renewals closer than a second, and on
    /// which store: in a few words, and in full.
    pub(crate) fn below_a_second(
        &self,
    ) -> impl Iterator<Item = (&str, &Program, [&'static str; 2])> {
        let is_met = |store: &str, program: &str| {
            let mut rows = self.rows.iter().filter(move |row| row.store == store);
            rows.any(|row| row.program == program && row.timing.retry < Duration::from_secs(1))
        };
        self.stores.iter().flat_map(move |store| {
            let its = store.programs.iter().filter_map(|at| Some((at, at.below_a_second?)));
            let met = its.filter(move |(program, _)| is_met(&store.name, &program.name));
            met.map(|(program, what)| (store.name.as_str(), program, what))
        })
    }

    /// How many rounds there were to be of each fault, for each timing, in words.
    pub(crate) fn rounds(&self) -> Vec<String> {
        let mut timings: Vec<_> = self.rows.iter().map(|row| row.timing).collect();
        let mut seen = HashSet::new();
        timings.retain(|timing| seen.insert(*timing));
        let of = |timing: Durations, is: &dyn Fn(&Row) -> bool| {
            let rows = self.rows.iter().filter(|row| row.timing == timing && is(row));
            rows.map(|row| row.planned).max()
        };
        let in_words = |timing| {
            let faults = |row: &Row| row.fault != Fault::StoreRestart;
            let ours = of(timing, &|row| faults(row) && !row.is_peer);
            let peers = of(timing, &|row| faults(row) && row.is_peer);
            let restarts = of(timing, &|row| !faults(row));
            let parts = [
                ours.map(|n| format!("{n} of each fault to ours")),
                peers.map(|n| format!("{n} of each to a peer")),
                restarts.map(|n| format!("{n} restarts of the store")),
            ];
            let parts: Vec<_> = parts.into_iter().flatten().collect();
            format!("{timing}: {}", parts.join(", "))
        };
        timings.into_iter().map(in_words).collect()
    }

    /// Whether there is no round, and so nothing to report but what stood in the way.
    pub fn is_empty(&self) -> bool {
        self.rows.iter().all(|row| row.failover.samples().is_empty())
    }

    /// How busy the processors were, where that was more than a half: other work was measured with it.
    pub(crate) fn too_busy(&self) -> Option<f64> {
        self.busy.filter(|busy| *busy > 0.5)
    }

    /// 0, or 1 after an overlap, a token that did not grow, or a round without a successor. A goal
    /// that was missed is no failure: the machine may have been busy.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(u8::from(self.rows.iter().any(Row::is_violated)))
    }

    /// Writes the JSON file.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write_json(&self, file: &Path) -> Result<()> {
        let json = serde_json::to_string(self).context("could not write the results as JSON")?;
        whole::write(file, json)
    }
}
