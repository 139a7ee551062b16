use comfy_table::{CellAlignment, Table, presets};

use crate::{
    Distribution, Outcome, Row,
    goal::{Measure, Verdict},
};

/// The outcome as a table for a terminal.
pub(crate) fn render(outcome: &Outcome) -> String {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    let mut header = vec![
        "fault",
        "ms",
        "n",
        "p50",
        "p90",
        "p99",
        "max",
        "floor p50",
        "p99",
        "ratio",
        "req/s",
        "goal",
        "overlap",
    ];
    // Who it is, where there is more than one.
    let several = outcome.peers().next().is_some();
    if several {
        header.insert(1, "of");
    }
    table.set_header(header);
    let mut heading = None;
    for row in &outcome.rows {
        let this = heading_of(outcome, row);
        if !this.is_empty() && heading.as_ref() != Some(&this) {
            table.add_row([&this]);
            heading = Some(this);
        }
        for measure in [Measure::Failover, Measure::Excess] {
            let mut cells = cells(row, measure);
            if several {
                let first = measure == Measure::Failover;
                cells.insert(1, if first { program(row) } else { String::new() });
            }
            table.add_row(cells);
        }
    }
    for column in table.column_iter_mut().skip(2 + usize::from(several)) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    let stores: Vec<_> = outcome.stores.iter().map(|store| store.description.as_str()).collect();
    let mut text = format!(
        "\n{}\n{} contenders, lease/deadline/retry {}\n\n{table}\n",
        stores.join("\n"),
        outcome.settings.contenders,
        outcome.settings.timings.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
    );
    for line in remarks(outcome) {
        text.push('\n');
        text.push_str(&line);
    }
    text
}

/// What the rows around this one have in common, where not all have it.
fn heading_of(outcome: &Outcome, row: &Row) -> String {
    let store = (outcome.stores.len() > 1).then(|| row.store.clone());
    let timing = (outcome.settings.timings.len() > 1).then(|| row.timing.to_string());
    store.into_iter().chain(timing).collect::<Vec<_>>().join(" at ")
}

/// What a row is of, among the others: the same for ours and its peers.
pub(crate) fn subject(outcome: &Outcome, row: &Row) -> String {
    match heading_of(outcome, row) {
        heading if heading.is_empty() => row.fault.to_string(),
        heading => format!("{heading}: {}", row.fault),
    }
}

/// Who was measured, and whether it had settings of its own.
fn program(row: &Row) -> String {
    match row.settings.as_str() {
        "equal" => row.program.clone(),
        settings => format!("{} ({settings})", row.program),
    }
}

/// A row's name among the others.
fn name(outcome: &Outcome, row: &Row) -> String {
    let subject = subject(outcome, row);
    if row.is_peer { format!("{subject}: {}", program(row)) } else { subject }
}

/// What does not fit into the table.
pub(crate) fn remarks(outcome: &Outcome) -> Vec<String> {
    let mut remarks = vec![format!(
        "failover: from the fault to the successor's work. excess: from the end of the lease to it."
    )];
    for row in &outcome.rows {
        let name = name(outcome, row);
        if let (Some(p50), Some(max)) = (row.woken_stop.p50(), row.woken_stop.max()) {
            remarks.push(format!(
                "{name}: woken, the former leader told that its work had ended after {} ms (p50), {} ms (max).",
                ms(p50),
                ms(max)
            ));
        }
        if let (Some(p50), Some(least)) = (row.stopped_before.p50(), row.stopped_before.min()) {
            let late = row.stopped_before.samples().iter().filter(|before| **before < 0).count();
            remarks.push(format!(
                "{name}: cut off, the former leader told that its work had ended {} ms (p50), {} ms (least) before the end of its validity, {} of {} in time.",
                ms(p50),
                ms(least),
                row.stopped_before.n() - late,
                count(row.stopped_before.n(), "time"),
            ));
        }
        if row.is_peer {
            remarks.extend(of_a_peer(row).into_iter().map(|what| format!("{name}: {what}")));
        }
        if row.unplanned > 0 {
            remarks.push(format!(
                "{name}: {} of leader that nobody had asked for.",
                count(row.unplanned, "change")
            ));
        }
        if let Some(first) = row.odd_lines.first() {
            let lines = count(row.odd_lines.len(), "odd line");
            remarks.push(format!("{name}: {lines}, the first: {first}"));
        }
    }
    for (store, program, [_, why]) in outcome.below_a_second() {
        remarks.push(format!("{store}: {}: {why}.", program.name));
    }
    remarks.extend(outcome.stores.iter().filter_map(|store| store.left_out.clone()));
    if let Some(busy) = outcome.busy {
        let other = outcome.too_busy().map_or("", |_| ": other work was measured with it");
        remarks
            .push(format!("The processors were busy for {:.0} % of the run{other}.", busy * 100.0));
    }
    remarks.extend(outcome.warnings.clone());
    if outcome.interrupted {
        remarks.push("Interrupted: this is what was measured until then.".into());
    }
    remarks.push(format!(
        "{}, took {:.0} s, seed {}; {}.",
        outcome.date,
        outcome.took_s,
        outcome.settings.seed,
        outcome.machine.describe()
    ));
    remarks
}

/// What befell a peer: it is told, and is no failure of the run.
fn of_a_peer(row: &Row) -> Vec<String> {
    let mut told = Vec::new();
    if !row.overlaps.is_empty() {
        told.push(format!(
            "two at work at once {}, for {} ms at the longest and {} ms in all. A peer's overlaps are its own.",
            count(row.overlaps.len(), "time"),
            ms(row.worst_overlap().cast_signed()),
            ms(row.total_overlap().cast_signed())
        ));
    }
    if let Some((earlier, later)) = row.stale_tokens.first() {
        told.push(format!(
            "{} did not grow, the first: {earlier} was followed by {later}.",
            count(row.stale_tokens.len(), "token")
        ));
    }
    told.extend(
        row.troubles.iter().map(|trouble| format!("it was not measured to its end: {trouble}")),
    );
    told
}

fn cells(row: &Row, measure: Measure) -> Vec<String> {
    let measured = row.of(measure);
    let first = measure == Measure::Failover;
    let compared = row.measure() == measure;
    let floor = row.floor.as_ref().filter(|_| compared);
    let or_dash = |value: Option<i64>| value.map_or("–".into(), ms);
    let mut cells = vec![
        if first { row.fault.to_string() } else { String::new() },
        measure.as_str().into(),
        if first { row.counted() } else { measured.n().to_string() },
        or_dash(measured.p50()),
        or_dash(measured.p90()),
        or_dash(measured.p99()),
        or_dash(measured.max()),
    ];
    if compared {
        cells.extend([
            or_dash(floor.and_then(Distribution::p50)),
            or_dash(floor.and_then(Distribution::p99)),
            ratio(row).map_or("–".into(), |ratio| format!("{ratio:.1}")),
        ]);
    } else {
        cells.extend([String::new(), String::new(), String::new()]);
    }
    let requests = row.requests_per_second.filter(|_| first);
    cells.push(requests.map_or(String::new(), |rate| format!("{rate:.1}")));
    let judged = row.goal.is_some_and(|goal| goal.measure == measure);
    let verdict = row.verdict.as_ref().filter(|_| judged);
    cells.push(verdict.map_or(String::new(), Verdict::describe));
    cells.push(match (first, row.overlaps.len()) {
        (false, _) => String::new(),
        (true, 0) => "0".into(),
        (true, n) => format!("{n} × ≤ {} ms", ms(row.worst_overlap().cast_signed())),
    });
    cells
}

/// The median next to the floor's. None of one that is not positive: a multiple says nothing there.
pub(crate) fn ratio(row: &Row) -> Option<f64> {
    let above_zero = |d: &Distribution| d.p50().filter(|p50| *p50 > 0);
    Some(above_zero(row.compared())? as f64 / above_zero(row.floor.as_ref()?)? as f64)
}

/// So many of something.
pub(crate) fn count(n: usize, of: &str) -> String {
    format!("{n} {of}{}", if n == 1 { "" } else { "s" })
}

/// Nanoseconds as milliseconds, with as many digits as are of interest.
pub(crate) fn ms(nanos: i64) -> String {
    let ms = nanos as f64 / 1e6;
    if ms.abs() < 99.95 { format!("{ms:.2}") } else { format!("{ms:.0}") }
}
