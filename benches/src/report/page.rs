use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use minijinja::{Environment, Value, context, value::Serde};
use serde::Serialize;

use super::{
    curve::{Chart, summary},
    strip::Strip,
};
use crate::{
    Distribution, Measure, Outcome, Row, Verdict,
    table::{ms, ratio, remarks, subject},
};

const TEMPLATE: &str = include_str!("template.html");
/// What the template calls the colours of programs: ours, and then its peers.
const PROGRAMS: [&str; 5] = ["measured", "peer-1", "peer-2", "peer-3", "peer-4"];

/// Writes the page and the JSON file into a directory; says where the page is.
pub(crate) fn write(outcome: &Outcome, directory: &Path) -> Result<PathBuf> {
    fs::create_dir_all(directory).with_context(|| {
        format!("could not make the report's directory {}", directory.display())
    })?;
    outcome.write_json(&directory.join("failover.json"))?;
    let page = directory.join("index.html");
    fs::write(&page, render(outcome)?)
        .with_context(|| format!("could not write {}", page.display()))?;
    Ok(page)
}

fn render(outcome: &Outcome) -> Result<String> {
    let mut environment = Environment::new();
    environment.add_template("page.html", TEMPLATE)?;
    let rows: Vec<_> = outcome.rows.iter().map(|row| line(outcome, row)).collect();
    let sections: Vec<_> = subjects(outcome).iter().map(|rows| section(outcome, rows)).collect();
    let page = environment.get_template("page.html")?.render(context! {
        settings => Value::from(Serde(&outcome.settings)),
        stores => outcome.stores.iter().map(|store| store.name.clone()).collect::<Vec<_>>(),
        places => outcome.stores.iter().map(|store| store.description.clone()).collect::<Vec<_>>(),
        date => outcome.date.as_str(),
        interrupted => outcome.interrupted,
        rows,
        sections,
        overlaps => outcome.ours().map(|row| row.overlaps.len()).sum::<usize>(),
        rounds => outcome.ours().map(|row| row.failover.n()).sum::<usize>(),
        peers => peers(outcome),
        violations => outcome.violations(),
        remarks => remarks(outcome),
        machine => outcome.machine.describe(),
    })?;
    Ok(page)
}

/// The rows of one fault at one timing on one store: ours and its peers'.
fn subjects(outcome: &Outcome) -> Vec<Vec<&Row>> {
    let mut subjects: Vec<Vec<&Row>> = Vec::new();
    for row in &outcome.rows {
        let same = |rows: &&mut Vec<&Row>| {
            rows.iter().all(|other| {
                (&other.store, other.timing, other.fault) == (&row.store, row.timing, row.fault)
            })
        };
        match subjects.iter_mut().find(same) {
            Some(rows) => rows.push(row),
            None => subjects.push(vec![row]),
        }
    }
    subjects
}

/// Of each peer: how often its leader changed, and how often two of it were at work at once.
fn peers(outcome: &Outcome) -> Vec<Value> {
    let mut peers: Vec<(&str, usize, usize)> = Vec::new();
    for row in outcome.peers() {
        let (rounds, overlaps) = (row.failover.n(), row.overlaps.len());
        match peers.iter_mut().find(|(name, ..)| *name == row.program) {
            Some(peer) => (peer.1, peer.2) = (peer.1 + rounds, peer.2 + overlaps),
            None => peers.push((&row.program, rounds, overlaps)),
        }
    }
    let shown = |(name, rounds, overlaps)| context! { name, rounds, overlaps };
    peers.into_iter().map(shown).collect()
}

/// A row of the table.
fn line(outcome: &Outcome, row: &Row) -> Value {
    context! {
        name => subject(outcome, row),
        program => row.program.as_str(),
        failover => numbers(&row.failover),
        excess => numbers(&row.excess),
        floor => row.floor.as_ref().map(numbers),
        measure => row.measure().as_str(),
        ratio => ratio(row).map(|ratio| format!("{ratio:.1}")),
        verdict => row.verdict.as_ref().map(Verdict::describe),
        missed => row.verdict.as_ref().is_some_and(Verdict::is_missed),
        overlaps => row.overlaps.len(),
        worst_overlap => ms(row.worst_overlap().cast_signed()),
    }
}

/// One fault: all that was measured of it in one chart, and a time line for each program.
fn section(outcome: &Outcome, rows: &[&Row]) -> Value {
    // What counts is the same for all of them, or they could not be compared.
    let measure = rows.first().map_or(Measure::Failover, |row| row.measure());
    let mut curves: Vec<_> = (rows.iter().zip(PROGRAMS.iter().cycle()))
        .map(|(row, class)| {
            let alone = rows.len() == 1;
            let label = if alone { measure.as_str().into() } else { row.program.clone() };
            (label, *class, row.of(measure))
        })
        .collect();
    let ours = rows.iter().find(|row| !row.is_peer);
    if let Some(floor) = ours.and_then(|row| row.floor.as_ref()) {
        curves.push(("floor".into(), "floor", floor));
    }
    let contenders = outcome.settings.contenders as usize;
    let strip = |(row, class): (&&Row, &&str)| {
        let drawing = Strip::of(row, contenders)?;
        Some(context! {
            program => (rows.len() > 1).then(|| row.program.clone()),
            class => *class,
            drawing => Value::from(Serde(&drawing)),
        })
    };
    context! {
        name => rows.first().map(|row| subject(outcome, row)),
        explanation => rows.first().map(|row| row.fault.explanation()),
        measure => measure.as_str(),
        goal => ours.and_then(|row| row.goal).map(|goal| goal.describe()),
        verdict => ours.and_then(|row| row.verdict.as_ref()).map(Verdict::describe),
        missed => ours.and_then(|row| row.verdict.as_ref()).is_some_and(Verdict::is_missed),
        summary => curves.iter().map(|(name, _, d)| summary(name, d)).collect::<Vec<_>>(),
        chart => Chart::of(&curves).map(|drawing| Value::from(Serde(&drawing))),
        strips => rows.iter().zip(PROGRAMS.iter().cycle()).filter_map(strip).collect::<Vec<_>>(),
    }
}

/// A distribution, ready to be shown.
#[derive(Serialize)]
struct Numbers {
    n: usize,
    p50: String,
    p90: String,
    p99: String,
    max: String,
}

fn numbers(distribution: &Distribution) -> Value {
    let show = |value: Option<i64>| value.map_or("–".into(), ms);
    Value::from(Serde(&Numbers {
        n: distribution.n(),
        p50: show(distribution.p50()),
        p90: show(distribution.p90()),
        p99: show(distribution.p99()),
        max: show(distribution.max()),
    }))
}
