use std::{
    io::IsTerminal,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};

/// How far a run is, on standard error: a bar at a terminal, a line now and then elsewhere.
#[derive(Clone, Debug)]
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    done: Arc<AtomicUsize>,
    total: usize,
    began: Instant,
}

impl Progress {
    /// How many lines there are where there is no terminal.
    const LINES: usize = 10;

    pub(crate) fn new(total: usize) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(total as u64);
            let style = ProgressStyle::with_template(
                "{bar:32} {pos} of {len} rounds, {elapsed} gone, about {eta} left",
            );
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar.enable_steady_tick(Duration::from_millis(250));
            bar
        });
        Self { bar, done: Arc::default(), total, began: Instant::now() }
    }

    /// One more round is done.
    pub(crate) fn tick(&self) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        match &self.bar {
            Some(bar) => bar.inc(1),
            None => {
                let step = |done: usize| done * Self::LINES / self.total.max(1);
                if step(done) > step(done - 1) {
                    let gone = self.began.elapsed();
                    let left =
                        gone.mul_f64((self.total - done.min(self.total)) as f64 / done as f64);
                    eprintln!(
                        "{done} of {} rounds, {:.0} s gone, about {:.0} s left",
                        self.total,
                        gone.as_secs_f64(),
                        left.as_secs_f64()
                    );
                }
            }
        }
    }

    /// Something has to be said while the bar is there.
    pub(crate) fn say(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| eprintln!("{text}")),
            None => eprintln!("{text}"),
        }
    }

    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
