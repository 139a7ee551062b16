use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use super::{
    check,
    event::{Event, What},
    violation::Violation,
};

/// What all candidates of one lease did, on one clock.
///
/// Clones write to the same history. The clock is tokio's, so that it is simulated where time is
/// paused; those who have a clock of their own use [`record_at`](Self::record_at).
///
/// ```
/// use std::time::Duration;
/// use leasehold_testkit::{History, What};
///
/// let ms = Duration::from_millis;
/// let history = History::starting_now();
/// history.record_at(ms(10), "a", What::Began { token: 1 });
/// history.record_at(ms(20), "b", What::Began { token: 2 });
/// history.record_at(ms(30), "a", What::Worked { token: 1 });
/// let violations = history.check();
/// assert_eq!(
///     violations[0].to_string(),
///     "two leaders: a worked in term 1 10ms after b had begun term 2",
/// );
/// ```
#[derive(Clone, Debug)]
pub struct History {
    origin: Instant,
    events: Arc<Mutex<Vec<Event>>>,
}

impl History {
    /// An empty one, whose time begins now.
    pub fn starting_now() -> Self {
        Self { origin: Instant::now(), events: Arc::default() }
    }

    /// Writes down what happens now.
    pub fn record(&self, candidate: &str, what: What) {
        self.record_at(self.origin.elapsed(), candidate, what);
    }

    /// Writes down what happened at some time.
    pub fn record_at(&self, at: Duration, candidate: &str, what: What) {
        self.lock().push(Event { at, candidate: candidate.to_owned(), what });
    }

    /// All events, in the order of their time; of those at one time, in the order of their
    /// writing.
    pub fn events(&self) -> Vec<Event> {
        let mut events = self.lock().clone();
        events.sort_by_key(|event| event.at);
        events
    }

    /// Everything that is wrong with it:
    ///
    /// * terms do not overlap: no work of one after the next has begun;
    /// * tokens strictly grow from term to term;
    /// * no work without a term, or after its end;
    /// * no fence admits an older token after a newer one, or refuses the newest;
    /// * once there are no more faults, somebody leads.
    pub fn check(&self) -> Vec<Violation> {
        check::check(&self.events())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Event>> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// For people: one line for each event, and of what is repeated (work) only the first and the last.
impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let events = self.events();
        let act = |event: &Event| match event.what {
            What::Worked { token } | What::Admitted { token } => Some(token),
            _ => None,
        };
        let repeated = |one: &Event, other: &Event| act(one).is_some() && act(one) == act(other);
        for (i, event) in events.iter().enumerate() {
            let before = events[..i].iter().rev().find(|e| e.candidate == event.candidate);
            let after = events[i + 1..].iter().find(|e| e.candidate == event.candidate);
            let amid = before.is_some_and(|before| repeated(before, event))
                && after.is_some_and(|after| repeated(event, after));
            if !amid {
                writeln!(f, "{event}")?;
            }
        }
        Ok(())
    }
}
