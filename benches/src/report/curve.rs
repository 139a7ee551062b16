use serde::Serialize;

use crate::{Distribution, table::ms};

/// A chart of cumulative distributions over a logarithmic axis of milliseconds: what share of the
/// rounds took at most so long. The coordinates are those of the drawing; the template draws them.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Chart {
    curves: Vec<Curve>,
    ticks: Vec<Tick>,
    levels: Vec<Tick>,
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
}

#[derive(Clone, Debug, Serialize)]
struct Curve {
    /// What it is, and which of the colours it has.
    label: String,
    class: &'static str,
    path: String,
    /// What to see in it, for those who cannot see it.
    summary: String,
}

#[derive(Clone, Debug, Serialize)]
struct Tick {
    at: f64,
    label: String,
    strong: bool,
}

const LEFT: f64 = 62.0;
const RIGHT: f64 = 470.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 200.0;
/// What is shorter than 10 µs, or negative, is drawn there.
const SHORTEST: f64 = 0.01;

impl Chart {
    /// Of the distributions that have any samples; none if there is none.
    pub(super) fn of(curves: &[(String, &'static str, &Distribution)]) -> Option<Self> {
        let all = || {
            curves
                .iter()
                .flat_map(|(_, _, d)| d.samples().first().into_iter().chain(d.samples().last()))
        };
        let logs = || all().map(|nanos| log(*nanos));
        let low = logs().fold(f64::INFINITY, f64::min).floor();
        let high = logs().fold(f64::NEG_INFINITY, f64::max).ceil().max(low + 1.0);
        if !low.is_finite() {
            return None;
        }
        let x = |nanos: i64| LEFT + (log(nanos) - low) / (high - low) * (RIGHT - LEFT);
        let mut ticks = Vec::new();
        let mut decade = low as i32;
        while f64::from(decade) <= high {
            for step in [1.0, 2.0, 5.0] {
                let value = step * 10f64.powi(decade);
                if value.log10() <= high + 1e-9 {
                    let at = x((value * 1e6) as i64);
                    ticks.push(Tick { at, label: label(value), strong: step == 1.0 });
                }
            }
            decade += 1;
        }
        let levels = [0.0, 0.5, 0.9, 1.0].map(|share| Tick {
            at: y(share),
            label: format!("{} %", share * 100.0),
            strong: share == 0.0,
        });
        Some(Self {
            curves: curves
                .iter()
                .filter(|(_, _, distribution)| distribution.n() > 0)
                .map(|(label, class, distribution)| Curve {
                    label: label.clone(),
                    class,
                    path: path(distribution, x),
                    summary: summary(label, distribution),
                })
                .collect(),
            ticks,
            levels: levels.into(),
            left: LEFT,
            right: RIGHT,
            top: TOP,
            bottom: BOTTOM,
        })
    }
}

fn log(nanos: i64) -> f64 {
    (nanos as f64 / 1e6).max(SHORTEST).log10()
}

fn y(share: f64) -> f64 {
    BOTTOM - share * (BOTTOM - TOP)
}

/// A step up at each sample.
fn path(distribution: &Distribution, x: impl Fn(i64) -> f64) -> String {
    let n = distribution.n() as f64;
    let mut path = String::new();
    for (index, nanos) in distribution.samples().iter().enumerate() {
        let at = x(*nanos);
        if index == 0 {
            path = format!("M{at:.1} {:.1}", y(0.0));
        }
        path += &format!("H{at:.1}V{:.1}", y((index + 1) as f64 / n));
    }
    path
}

fn label(ms: f64) -> String {
    if ms >= 1000.0 {
        format!("{} s", ms / 1000.0)
    } else if ms >= 1.0 {
        format!("{ms:.0} ms")
    } else {
        format!("{:.0} µs", ms * 1000.0)
    }
}

pub(super) fn summary(label: &str, distribution: &Distribution) -> String {
    let or_none = |value: Option<i64>| value.map_or("none".into(), ms);
    format!(
        "{label}: n = {}, p50 {} ms, p90 {} ms, max {} ms",
        distribution.n(),
        or_none(distribution.p50()),
        or_none(distribution.p90()),
        or_none(distribution.max())
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chart_holds_every_sample_between_its_edges() {
        let some: Distribution = [-5_000_000, 0, 1_000_000, 900_000_000].into_iter().collect();
        let chart = Chart::of(&[("some".into(), "a", &some)]).unwrap();
        assert_eq!(chart.curves.len(), 1);
        let xs: Vec<f64> = chart.curves[0]
            .path
            .split('H')
            .skip(1)
            .map(|step| step.split('V').next().unwrap().parse().unwrap())
            .collect();
        assert_eq!(xs.len(), 4);
        assert!(xs.iter().all(|x| (LEFT..=RIGHT).contains(x)), "{xs:?}");
        assert!(xs.is_sorted());
    }

    #[test]
    fn of_nothing_there_is_no_chart() {
        assert!(Chart::of(&[("none".into(), "a", &Distribution::default())]).is_none());
    }
}
