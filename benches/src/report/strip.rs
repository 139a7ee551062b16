use serde::Serialize;

use crate::{Row, Term, row::Lease, table::ms};

/// Who led when, around a few faults one after the other: a lane for each contender, a panel for
/// each fault. What lies between two panels is left out, so that a gap of a millisecond is seen.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Strip {
    lanes: Vec<f64>,
    lane_height: f64,
    panels: Vec<Panel>,
    top: f64,
    bottom: f64,
    height: f64,
    /// How long a panel is, in words.
    span: String,
}

#[derive(Clone, Debug, Serialize)]
struct Panel {
    left: f64,
    width: f64,
    fault: f64,
    /// From the old leader's last work to the new one's first.
    gap: Option<(f64, f64)>,
    overlap: Option<(f64, f64)>,
    bars: Vec<Bar>,
    label: String,
    title: String,
}

#[derive(Clone, Debug, Serialize)]
struct Bar {
    x: f64,
    y: f64,
    width: f64,
    /// `led`, or `held`: it does not work, and its lease has not ended.
    class: &'static str,
    title: String,
}

const LEFT: f64 = 24.0;
const RIGHT: f64 = 476.0;
const TOP: f64 = 18.0;
const LANE: f64 = 22.0;
const BETWEEN: f64 = 8.0;
const PANELS: usize = 4;

impl Strip {
    /// Of the first lease that has any rounds.
    pub(super) fn of(row: &Row, contenders: usize) -> Option<Self> {
        let lease = row.leases.iter().find(|lease| !lease.rounds.is_empty())?;
        // Most rounds fit, and the fault is not at the edge.
        let longest = row.failover.p90()?.max(1_000_000) as f64;
        let (before, after) = (longest * 0.4, longest * 1.5);
        let shown = lease.rounds.len().min(PANELS);
        let width = (RIGHT - LEFT - BETWEEN * (shown - 1) as f64) / shown as f64;
        let panels = (0..shown)
            .map(|index| {
                let left = LEFT + index as f64 * (width + BETWEEN);
                let from = lease.rounds[index].fault_at as f64 - before;
                let scale = Scale { from, per_nano: width / (before + after), left, width };
                panel(lease, index, row.timing.lease.as_nanos() as u64, &scale)
            })
            .collect();
        let bottom = TOP + contenders as f64 * LANE;
        Some(Self {
            lanes: (0..contenders).map(|lane| TOP + lane as f64 * LANE).collect(),
            lane_height: LANE,
            panels,
            top: TOP,
            bottom,
            height: bottom + 22.0,
            span: format!("{} ms", ms((before + after) as i64)),
        })
    }
}

struct Scale {
    from: f64,
    per_nano: f64,
    left: f64,
    width: f64,
}

impl Scale {
    /// Where an instant is drawn, kept within the panel.
    fn x(&self, instant: u64) -> f64 {
        let x = (instant as f64 - self.from) * self.per_nano;
        self.left + x.clamp(0.0, self.width)
    }

    fn span(&self, from: u64, to: u64) -> Option<(f64, f64)> {
        let (x, end) = (self.x(from), self.x(to));
        (from < to && end > x).then_some((x, end - x))
    }
}

fn panel(lease: &Lease, index: usize, duration: u64, scale: &Scale) -> Panel {
    let round = &lease.rounds[index];
    let before = |term: &&Term| term.who == round.leader && term.start <= round.fault_at;
    let earlier = lease.terms.iter().rev().find(before);
    let last = earlier.and_then(|term| term.last).unwrap_or(round.fault_at);
    let held = earlier.and_then(|term| held(term, round.start, duration, scale));
    let bars = lease.terms.iter().filter_map(|term| led(term, scale)).chain(held).collect();
    let overlap = (round.overlap > 0).then(|| scale.span(round.start, last)).flatten();
    let failover = ms(round.failover);
    Panel {
        left: scale.left,
        width: scale.width,
        fault: scale.x(round.fault_at),
        gap: scale.span(last, round.start),
        overlap,
        bars,
        label: format!("{failover} ms"),
        title: format!(
            "round {}: contender {} led, contender {} leads {failover} ms after the fault; {}",
            index + 1,
            round.leader,
            round.successor,
            if round.overlap > 0 {
                format!("both were at work for {} ms", ms(round.overlap.cast_signed()))
            } else {
                format!(
                    "nobody was at work for {} ms",
                    ms(round.start.saturating_sub(last).cast_signed())
                )
            }
        ),
    }
}

/// A term, as far as a panel shows it.
fn led(term: &Term, scale: &Scale) -> Option<Bar> {
    // One that has not stopped goes on to the edge.
    let last = term.last.or(term.end).unwrap_or(u64::MAX >> 1);
    bar(term, term.start, last, "led", scale, "at work")
}

/// How long a lease went on after its holder's last work, where that had to be waited out.
fn held(term: &Term, until_at_most: u64, duration: u64, scale: &Scale) -> Option<Bar> {
    let last = term.last?;
    // Given back, it ended with its work.
    if term.why.as_deref() == Some("resigned") {
        return None;
    }
    let until = (term.last_sending()? + duration).min(until_at_most);
    bar(term, last, until, "held", scale, "not at work, and its lease has not ended")
}

fn bar(
    term: &Term,
    from: u64,
    to: u64,
    class: &'static str,
    scale: &Scale,
    what: &str,
) -> Option<Bar> {
    let (x, width) = scale.span(from, to)?;
    let token = term.token.map_or(String::new(), |token| format!(", token {token}"));
    let title = format!("contender {}{token}: {what}", term.who);
    Some(Bar { x, y: TOP + term.who as f64 * LANE, width, class, title })
}
