use std::time::Duration;

use serde::Serialize;

use super::{
    chart::Name,
    scale::{Tick, duration},
};
use crate::{
    Fault, Measured, Outcome, Round, Row,
    program::Program,
    row::Lease,
    table::{count, ms},
};

/// Who was at work when, around the faults of one store: for each fault and program a band in which
/// every round is a line, the shortest failover on top, and those with two at work last. Left is the earlier leader's work, right the
/// successor's, and what is empty between them is nobody's. Places are in per cent.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Timeline {
    store: String,
    /// How long the leases are. Those of another length are left to the charts.
    lease: String,
    fault_at: f64,
    ticks: Vec<Tick>,
    faults: Vec<Bands>,
}

#[derive(Clone, Debug, Serialize)]
struct Bands {
    fault: &'static str,
    bands: Vec<Band>,
}

/// Paths in a box of 1000 by 100.
#[derive(Clone, Debug, Serialize)]
struct Band {
    name: Name,
    earlier: String,
    /// Its holder does not work, and its lease has not ended.
    held: String,
    successor: String,
    overlap: String,
    gap: String,
    overlaps: usize,
    worst_overlap: String,
    summary: String,
}

/// What a line of a band shows, in nanoseconds since the fault.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Moments {
    last: i64,
    lease_end: Option<i64>,
    start: i64,
    overlap: i64,
}

/// What is shown, in nanoseconds since the fault.
#[derive(Clone, Copy, Debug)]
struct Window {
    from: i64,
    to: i64,
}

impl Timeline {
    /// One of each store of which anything was measured, for the shortest of its leases.
    pub(super) fn all(outcome: &Outcome) -> Vec<Self> {
        outcome.stores.iter().filter_map(|store| Self::of(outcome, store)).collect()
    }

    fn of(outcome: &Outcome, store: &Measured) -> Option<Self> {
        let all =
            || outcome.rows.iter().filter(|row| row.store == store.name && row.failover.n() > 0);
        let lease = all().map(|row| row.timing.lease).min()?;
        let rows: Vec<_> = all().filter(|row| row.timing.lease == lease).collect();
        let window = Window::of(&rows, lease);
        let faults = Fault::ALL.iter().filter_map(|fault| {
            let of_this = |row: &&&Row| row.fault == *fault;
            let band = |row: &&Row| {
                let keeps = |program: &Program| program.keeps_lease && program.name == row.program;
                Band::of(row, &rows, window, store.programs.iter().any(keeps))
            };
            let bands: Vec<_> = rows.iter().filter(of_this).map(band).collect();
            (!bands.is_empty()).then_some(Bands { fault: fault.as_str(), bands })
        });
        Some(Self {
            store: store.name.clone(),
            lease: duration(lease.as_secs_f64() * 1000.0),
            fault_at: window.x(0) / 10.0,
            ticks: window.ticks(),
            faults: faults.collect(),
        })
    }
}

impl Band {
    fn of(row: &Row, group: &[&Row], window: Window, keeps_lease: bool) -> Self {
        let mut moments: Vec<_> = row
            .leases
            .iter()
            .flat_map(|lease| {
                lease.rounds.iter().map(|round| Moments::of(lease, round, keeps_lease))
            })
            .collect();
        // Where nobody had to begin there is no gap at all.
        moments.sort_by_key(|m| (m.overlap, m.start < Moments::NEVER, m.start, m.last));
        let high = 100.0 / moments.len() as f64;
        let span = |from: i64, to: i64, y: usize| {
            let (from, to) = (window.x(from), window.x(to));
            // What is shorter than a line is wide cannot be seen.
            if to <= from {
                return String::new();
            }
            let top = y as f64 * high;
            format!("M{from:.1} {top:.2}H{to:.1}v{high:.2}H{from:.1}z")
        };
        let each = |draw: &dyn Fn(usize, &Moments) -> String| {
            moments.iter().enumerate().map(|(y, moments)| draw(y, moments)).collect::<String>()
        };
        let gaps = moments.iter().map(|moments| (moments.start - moments.last).max(0)).collect();
        let gap = middle(gaps).map_or("–".into(), ms);
        let name = Name::of(row, group);
        let worst_overlap = ms(row.worst_overlap().cast_signed());
        let mut summary = format!(
            "{} on {}, {}: nobody at work for {gap} ms in the middle one of {}, ",
            name.program,
            name.store,
            row.fault,
            count(moments.len(), "round")
        );
        summary += &match row.overlaps.len() {
            0 => "never two at once".into(),
            n => {
                let times = count(n, "time");
                format!("two at work at once {times}, for {worst_overlap} ms at the longest")
            }
        };
        Self {
            earlier: each(&|y, m| span(window.from, m.last.min(m.start), y)),
            held: each(&|y, m| {
                m.lease_end.map_or(String::new(), |end| span(m.last, end.min(m.start), y))
            }),
            successor: each(&|y, m| span(m.start, window.to, y)),
            // One that is there is seen, however short it is.
            overlap: each(&|y, m| match m.overlap {
                0 => String::new(),
                overlap => span(m.start, m.start + overlap.max(window.least()), y),
            }),
            gap,
            overlaps: row.overlaps.len(),
            worst_overlap,
            summary,
            name,
        }
    }
}

impl Moments {
    /// Later than anything that is shown.
    const NEVER: i64 = i64::MAX / 2;

    fn of(lease: &Lease, round: &Round, keeps_lease: bool) -> Self {
        // The work of the one who led before, all along.
        if round.was_lived_through() {
            return Self { last: Self::NEVER, lease_end: None, start: Self::NEVER, overlap: 0 };
        }
        let since = |instant: u64| instant.cast_signed() - round.fault_at.cast_signed();
        let earlier = lease
            .terms
            .iter()
            .rev()
            .find(|term| term.who == round.leader && term.start <= round.fault_at);
        let last = earlier.and_then(|term| term.last).map_or(0, since);
        // One that was given back ended with its work; not everybody who resigns gives it back.
        let resigned = earlier.is_some_and(|term| term.why.as_deref() == Some("resigned"));
        let given_back = resigned && !keeps_lease;
        let start = since(round.start);
        let lease_end = round.excess.filter(|_| !given_back).map(|excess| start - excess);
        Self { last, lease_end, start, overlap: round.overlap.cast_signed() }
    }
}

impl Window {
    /// The lease and a little more, or what nine of ten rounds took, but no more than three leases.
    fn of(rows: &[&Row], lease: Duration) -> Self {
        let lease = lease.as_nanos() as i64;
        let longest = rows.iter().filter_map(|row| row.failover.p90()).max().unwrap_or(0);
        let to = (longest + longest / 10).clamp(lease + lease / 4, lease * 3);
        Self { from: -to / 8, to }
    }

    /// In thousandths.
    fn x(&self, nanos: i64) -> f64 {
        let share = (nanos - self.from) as f64 / (self.to - self.from) as f64;
        share.clamp(0.0, 1.0) * 1000.0
    }

    /// What is still seen.
    fn least(&self) -> i64 {
        (self.to - self.from) / 200
    }

    fn ticks(&self) -> Vec<Tick> {
        let whole = self.to as f64 / 1e6;
        let decade = 10f64.powf(whole.log10().floor());
        let steps = [0.2, 0.5, 1.0, 2.0].map(|part| part * decade);
        let step = steps.into_iter().find(|step| whole / step <= 5.0).unwrap_or(decade);
        (0..=(whole / step) as usize)
            .map(|index| (step * index as f64 * 1000.0).round() / 1000.0)
            .map(|ms| Tick {
                at: self.x((ms * 1e6) as i64) / 10.0,
                label: if ms == 0.0 { "fault".into() } else { duration(ms) },
            })
            .collect()
    }
}

fn middle(mut values: Vec<i64>) -> Option<i64> {
    values.sort_unstable();
    values.get(values.len().saturating_sub(1) / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Event, History, Subject};

    #[test]
    fn a_window_shows_what_is_before_the_fault_and_all_of_the_lease() {
        let window = Window::of(&[], Duration::from_secs(1));
        assert_eq!((window.from, window.to), (-156_250_000, 1_250_000_000));
        assert_eq!((window.x(i64::MIN / 2), window.x(i64::MAX / 2)), (0.0, 1000.0));
        let labels: Vec<_> = window.ticks().into_iter().map(|tick| tick.label).collect();
        assert_eq!(labels, ["fault", "500 ms", "1 s"]);
    }

    #[test]
    fn a_restart_that_the_leader_lived_through_is_the_work_of_nobody_else() {
        let round = Round {
            fault_at: 1000,
            leader: 0,
            token: Some(1),
            successor: 0,
            next_token: Some(1),
            start: 1000,
            failover: 0,
            excess: None,
            overlap: 0,
            woken_stop: None,
            stopped_before: None,
        };
        let subject = Subject {
            store: "redis".into(),
            program: "leasehold".into(),
            is_peer: false,
            settings: "equal".into(),
            fault: Fault::StoreRestart,
            timing: "1s/700ms/150ms".parse().unwrap(),
        };
        let other = Round { start: 2000, failover: 1000, ..round };
        let lease = Lease { rounds: vec![other, round], ..Lease::default() };
        let row = Row::new(subject, None, vec![lease]);
        let band = Band::of(&row, &[&row], Window { from: -1000, to: 3000 }, false);
        // It is the quickest, on top, and drawn in the earlier leader's colour to the end.
        assert!(band.earlier.starts_with("M0.0 0.00H1000.0v50.00"), "{}", band.earlier);
        assert_eq!(band.successor, "M500.0 50.00H1000.0v50.00H500.0z");
        assert_eq!(band.gap, ms(0));
    }

    #[test]
    fn a_lease_that_nobody_gave_back_is_held_until_its_end() {
        let round = Round {
            fault_at: 1000,
            leader: 0,
            token: None,
            successor: 1,
            next_token: None,
            start: 1500,
            failover: 500,
            excess: Some(100),
            overlap: 0,
            woken_stop: None,
            stopped_before: None,
        };
        let mut history = History::default();
        history.record(0, 900, &Event::Start { token: None });
        history.record(0, 1020, &Event::Stop { last: Some(1010), why: "resigned".into() });
        let lease = Lease { terms: history.into_terms(), ..Lease::default() };
        let given_back = Moments { last: 10, lease_end: None, start: 500, overlap: 0 };
        assert_eq!(Moments::of(&lease, &round, false), given_back);
        assert_eq!(
            Moments::of(&lease, &round, true),
            Moments { lease_end: Some(400), ..given_back }
        );
    }
}
