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
    Distribution, Outcome, Row, Verdict,
    table::{ms, name, ratio, remarks},
};

const TEMPLATE: &str = include_str!("template.html");

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
    let sections: Vec<_> = outcome.rows.iter().map(|row| section(outcome, row)).collect();
    let page = environment.get_template("page.html")?.render(context! {
        settings => Value::from(Serde(&outcome.settings)),
        stores => outcome.stores.iter().map(|store| store.name.clone()).collect::<Vec<_>>(),
        places => outcome.stores.iter().map(|store| store.description.clone()).collect::<Vec<_>>(),
        date => outcome.date.as_str(),
        interrupted => outcome.interrupted,
        sections,
        overlaps => outcome.rows.iter().map(|row| row.overlaps.len()).sum::<usize>(),
        rounds => outcome.rows.iter().map(|row| row.failover.n()).sum::<usize>(),
        violations => outcome.violations(),
        remarks => remarks(outcome),
        machine => outcome.machine.describe(),
    })?;
    Ok(page)
}

fn section(outcome: &Outcome, row: &Row) -> Value {
    let measure = row.measure().as_str();
    let mut curves = vec![(measure.to_owned(), "measured", row.compared())];
    if let Some(floor) = &row.floor {
        curves.push(("floor".into(), "floor", floor));
    }
    let strip = Strip::of(row, outcome.settings.contenders as usize);
    context! {
        name => name(outcome, row),
        explanation => row.fault.explanation(),
        failover => numbers(&row.failover),
        excess => numbers(&row.excess),
        floor => row.floor.as_ref().map(numbers),
        measure,
        ratio => ratio(row).map(|ratio| format!("{ratio:.1}")),
        goal => row.goal.map(|goal| goal.describe()),
        verdict => row.verdict.as_ref().map(Verdict::describe),
        missed => row.verdict.as_ref().is_some_and(Verdict::is_missed),
        overlaps => row.overlaps.len(),
        worst_overlap => ms(row.worst_overlap().cast_signed()),
        summary => curves.iter().map(|(name, _, d)| summary(name, d)).collect::<Vec<_>>(),
        chart => Chart::of(&curves).map(|drawing| Value::from(Serde(&drawing))),
        strip => strip.map(|drawing| Value::from(Serde(&drawing))),
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
