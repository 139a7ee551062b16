use std::{
    io::IsTerminal,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};

/// What runs and how long it will take, on standard error: a bar at a terminal, a line for each phase
/// elsewhere.
#[derive(Clone, Debug)]
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    rounds: Arc<AtomicUsize>,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    /// What there is to do, by the forecasts.
    all: Duration,
    /// What of it was done when the present phase began.
    done: Duration,
    phase: Phase,
    phases: (usize, usize),
}

#[derive(Debug)]
struct Phase {
    name: String,
    forecast: Duration,
    rounds: usize,
    began: Instant,
}

impl Progress {
    /// As there is nothing to do yet.
    pub(crate) fn new() -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(0);
            let style = ProgressStyle::with_template("{bar:24} {msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar
        });
        let phase = Phase {
            name: String::new(),
            forecast: Duration::ZERO,
            rounds: 0,
            began: Instant::now(),
        };
        let state = State { all: Duration::ZERO, done: Duration::ZERO, phase, phases: (0, 0) };
        Self { bar, rounds: Arc::default(), state: Arc::new(Mutex::new(state)) }
    }

    /// So much is to be done, in so many phases.
    pub(crate) fn begin(&self, all: Duration, phases: usize) {
        let mut state = self.state();
        (state.all, state.phases.1) = (all, phases);
    }

    /// The next phase begins.
    pub(crate) fn phase(&self, name: String, forecast: Duration, rounds: usize) {
        let mut state = self.state();
        let finished = state.phase.forecast;
        state.done += finished;
        state.phase = Phase { name, forecast, rounds, began: Instant::now() };
        state.phases.0 += 1;
        self.rounds.store(0, Ordering::Relaxed);
        if self.bar.is_none() {
            let State { phase, phases, .. } = &*state;
            eprintln!(
                "{} of {}: {}, about {}; about {} to the end",
                phases.0,
                phases.1,
                phase.name,
                shown(phase.forecast),
                shown(state.left()),
            );
        }
        drop(state);
        self.show();
    }

    /// One more round is done.
    pub(crate) fn tick(&self) {
        self.rounds.fetch_add(1, Ordering::Relaxed);
        self.show();
    }

    /// Something has to be said while the bar is there.
    pub(crate) fn say(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| eprintln!("{text}")),
            None => eprintln!("{text}"),
        }
    }

    /// Shows how far it is, for as long as it is polled: what takes long has no news of its own.
    pub(crate) async fn keep_showing(&self) {
        loop {
            self.show();
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn show(&self) {
        let Some(bar) = &self.bar else { return };
        let state = self.state();
        let gone = state.phase.began.elapsed().min(state.phase.forecast);
        bar.set_length(state.all.as_secs());
        bar.set_position((state.done + gone).as_secs());
        bar.set_message(format!(
            "{} of {}: {}, {} of {} rounds; about {} left",
            state.phases.0,
            state.phases.1,
            state.phase.name,
            self.rounds.load(Ordering::Relaxed),
            state.phase.rounds,
            shown(state.left()),
        ));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// What is left of the phase, if it keeps to its forecast, and what comes after it.
    fn left(&self) -> Duration {
        let gone = self.phase.began.elapsed().min(self.phase.forecast);
        self.all.saturating_sub(self.done + gone)
    }
}

/// In whole seconds.
pub(crate) fn shown(duration: Duration) -> impl std::fmt::Display {
    humantime::format_duration(Duration::from_secs(duration.as_secs_f64().round() as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_what_was_forecast_of_what_was_not_done() {
        let progress = Progress::new();
        progress.begin(Duration::from_secs(100), 2);
        progress.phase("the first".into(), Duration::from_secs(60), 3);
        assert!(progress.state().left() > Duration::from_secs(98));
        progress.phase("the second".into(), Duration::from_secs(40), 3);
        let left = progress.state().left();
        assert!((38..=40).contains(&left.as_secs()), "{left:?}");
        // However much longer it takes than was thought.
        progress.state().phase.began -= Duration::from_secs(60);
        assert_eq!(progress.state().left(), Duration::ZERO);
    }
}
