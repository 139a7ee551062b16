use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result};
use minijinja::{Environment, Value, context, value::Serde};

use super::{
    chart::Chart,
    headline::Headline,
    record::{self, Record},
    scale::{self, Scale},
    timeline::Timeline,
};
use crate::{Fault, Measured, Outcome, Row, program::Program, table, whole};

const TEMPLATES: [(&str, &str); 4] = [
    ("page.html", include_str!("page.html")),
    ("chart.html", include_str!("chart.html")),
    ("timeline.html", include_str!("timeline.html")),
    ("table.html", include_str!("table.html")),
];
const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("sort.js");

/// Writes the page, the CSV file and the JSON file into a directory; says where the page is.
///
/// # Errors
/// One of them cannot be written.
pub(crate) fn write(outcome: &Outcome, directory: &Path) -> Result<PathBuf> {
    prepare(directory)?;
    outcome.write_json(&directory.join("failover.json"))?;
    whole::write(&directory.join("failover.csv"), record::csv(outcome)?)?;
    let page = directory.join("index.html");
    whole::write(&page, render(outcome)?)?;
    Ok(page)
}

/// Makes the directory, where it is not there.
///
/// # Errors
/// It cannot be made.
pub(crate) fn prepare(directory: &Path) -> Result<()> {
    fs::create_dir_all(directory)
        .with_context(|| format!("could not make the report's directory {}", directory.display()))
}

fn render(outcome: &Outcome) -> Result<String> {
    let mut environment = Environment::new();
    environment.add_filter("ms", in_ms);
    environment.add_filter("duration", scale::duration);
    for (name, template) in TEMPLATES {
        environment.add_template(name, template)?;
    }
    let scale = Scale::of(outcome);
    let faults: Vec<_> = Fault::ALL.iter().filter_map(|at| fault(outcome, *at, &scale)).collect();
    let page = environment.get_template("page.html")?.render(context! {
        style => Value::from_safe_string(STYLE.into()),
        script => Value::from_safe_string(SCRIPT.into()),
        outcome => Value::from(Serde(context_of(outcome))),
        headline => Value::from(Serde(Headline::of(outcome))),
        scale => Value::from(Serde(&scale)),
        faults,
        timelines => Value::from(Serde(Timeline::all(outcome))),
        records => Value::from(Serde(outcome.rows.iter().map(Record::of).collect::<Vec<_>>())),
        violations => outcome.violations(),
        remarks => table::remarks(outcome),
        machine => outcome.machine.describe(),
    })?;
    Ok(page)
}

/// What the page says of a run as a whole.
fn context_of(outcome: &Outcome) -> serde_json::Value {
    let stores: Vec<_> =
        outcome.stores.iter().map(|store| [&store.name, &store.description]).collect();
    let programs = |store: &Measured| store.programs.iter().map(program).collect::<Vec<_>>();
    let programs: Vec<_> =
        outcome.stores.iter().map(|store| (&store.name, programs(store))).collect();
    let took = Duration::from_secs(outcome.took_s as u64);
    serde_json::json!({
        "stores": stores,
        "programs": programs,
        "rounds": outcome.rounds(),
        "date": outcome.date,
        "took": humantime::format_duration(took).to_string(),
        "busy": outcome.busy.map(|busy| (busy * 100.0).round() as u64),
        "interrupted": outcome.interrupted,
        "settings": outcome.settings,
        "several": outcome.stores.len() > 1,
        "peers": outcome.peers().count() > 0,
    })
}

/// How a program was set.
fn program(program: &Program) -> serde_json::Value {
    let about = match program.about {
        "" => "lease/deadline/retry as they are",
        about => about,
    };
    let below_a_second = program.below_a_second.map(|[_, in_full]| in_full);
    serde_json::json!({
        "name": program.name,
        "is_peer": program.is_peer,
        "about": about,
        "below_a_second": below_a_second,
        "defaults": program.defaults.map(|defaults| defaults.to_string()),
    })
}

/// One fault, of all stores and programs.
fn fault(outcome: &Outcome, fault: Fault, scale: &Scale) -> Option<Value> {
    let rows: Vec<&Row> = outcome.rows.iter().filter(|row| row.fault == fault).collect();
    let charts = Chart::of_fault(fault, &rows, scale);
    (!charts.is_empty()).then(|| {
        context! {
            name => fault.as_str(),
            explanation => fault.explanation(),
            waits => fault.waits_for_lease(false),
            charts => Value::from(Serde(&charts)),
        }
    })
}

/// Milliseconds as the tables show them.
fn in_ms(value: Option<f64>) -> String {
    value.map_or("–".into(), |ms| table::ms((ms * 1e6) as i64))
}
