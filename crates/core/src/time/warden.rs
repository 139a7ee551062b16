use std::{
    io::{self, Write},
    process,
    sync::{Arc, Condvar, Mutex, OnceLock, PoisonError, mpsc},
    thread,
    time::Duration,
};

use super::{
    moment::Moment,
    term::{Overrun, Term},
};
use crate::End;

/// How often the clocks are read at least: a host may be suspended, and timers with it.
const ROUND: Duration = Duration::from_millis(50);

/// The pause between the wake-ups that are granted to work that should have ended: so long that,
/// with what an abort takes, they end within the 30 ms that a holder keeps for itself whatever the
/// clocks do, and so long that a runtime on busy processors has its turn.
const GRACE: Duration = Duration::from_millis(2);

/// How many wake-ups of its own the warden grants, so that work is dropped first that can be. They
/// are counted and not timed: a process that was frozen wakes with its time long past.
const WAKE_UPS: u8 = 10;

/// How many, where the abort cannot come before a successor any more: the lease itself is over, for
/// the process was frozen, or the store shows it to be another's. Then the runtime may need long to
/// get a processor, and the work, were it not blocked, does no harm: it is not current.
const WAKE_UPS_TOO_LATE: u8 = 100;

/// How long an abort waits for its reason to be said.
const SAYING: Duration = Duration::from_millis(5);

/// Who ends terms by the clock.
///
/// Leadership must end on time although the runtime of the user is blocked, starved or asleep. So
/// it is not the runtime's timers that end it, but a thread of the process that does nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Warden {
    /// The one thread of this process, on the clocks of the host.
    Thread,
    /// A task for each term, on a clock of its own: for simulations, whose time no thread knows.
    Task,
}

impl Warden {
    /// Sees to it that there is a warden, so that nobody leads without one.
    pub(crate) fn prepare(self) -> io::Result<()> {
        match self {
            Self::Thread => Post::of_process().map(|_| ()),
            Self::Task => Ok(()),
        }
    }

    /// Watches a term until its work has ended.
    pub(crate) fn watch(self, term: Arc<Term>) {
        let watched = Watched { term, overdue: None };
        match self {
            // Prepared before, so it is there.
            Self::Thread => {
                if let Ok(post) = Post::of_process() {
                    post.add(watched);
                }
            }
            Self::Task => {
                tokio::spawn(watched.attend());
            }
        }
    }
}

/// Where the thread is given new terms.
struct Post {
    arrivals: Mutex<Vec<Watched>>,
    bell: Condvar,
}

impl Post {
    fn of_process() -> io::Result<&'static Self> {
        static POST: Post = Post { arrivals: Mutex::new(Vec::new()), bell: Condvar::new() };
        static STARTED: OnceLock<()> = OnceLock::new();
        static STARTING: Mutex<()> = Mutex::new(());
        if STARTED.get().is_none() {
            let _one_at_a_time = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
            if STARTED.get().is_none() {
                thread::Builder::new().name("leasehold-warden".into()).spawn(|| POST.serve())?;
                STARTED.get_or_init(|| ());
            }
        }
        Ok(&POST)
    }

    fn add(&self, watched: Watched) {
        self.arrivals.lock().unwrap_or_else(PoisonError::into_inner).push(watched);
        self.bell.notify_one();
    }

    fn serve(&self) {
        let _end_with_it = EndWithWarden;
        let mut watched: Vec<Watched> = Vec::new();
        loop {
            // The rounds are made without the lock: ending a term wakes others, who may begin one.
            let mut next = None;
            watched.retain_mut(|one| match one.round() {
                Some(pause) => {
                    next = Some(next.map_or(pause, |next: Duration| next.min(pause)));
                    true
                }
                None => false,
            });
            let mut arrivals = self.arrivals.lock().unwrap_or_else(PoisonError::into_inner);
            if arrivals.is_empty() {
                arrivals = match next {
                    Some(next) => {
                        self.bell
                            .wait_timeout(arrivals, next)
                            .unwrap_or_else(PoisonError::into_inner)
                            .0
                    }
                    None => self.bell.wait(arrivals).unwrap_or_else(PoisonError::into_inner),
                };
            }
            watched.append(&mut arrivals);
        }
    }
}

/// A process without a warden must not lead: should its thread ever panic, the process ends.
struct EndWithWarden;

impl Drop for EndWithWarden {
    fn drop(&mut self) {
        process::abort();
    }
}

struct Watched {
    term: Arc<Term>,
    /// Since the work should have ended.
    overdue: Option<Overdue>,
}

struct Overdue {
    /// The wake-ups that are left to it.
    left: u8,
    /// The last one that was counted.
    counted: Moment,
}

impl Watched {
    /// Ends what is to end now, and says when to look again; none if there is nothing left to do.
    fn round(&mut self) -> Option<Duration> {
        let Self { term, overdue } = self;
        if term.work_has_ended() {
            return None;
        }
        let bounds = term.bounds();
        let age = term.age();
        if age >= bounds.deadline {
            term.stop(End::Lapsed);
        }
        if age >= bounds.validity {
            term.end(End::Lapsed);
        }
        let over = age >= bounds.validity || term.why() == Some(End::Lost);
        if !over {
            let limit = if age < bounds.deadline { bounds.deadline } else { bounds.validity };
            return Some(Duration::from_nanos(limit - age).min(ROUND));
        }
        let too_late = age >= bounds.lease || term.why() == Some(End::Lost);
        let now = term.clock.as_holder();
        let Some(overdue) = overdue else {
            let left = if too_late { WAKE_UPS_TOO_LATE } else { WAKE_UPS };
            *overdue = Some(Overdue { left, counted: now });
            return Some(GRACE);
        };
        // The warden is woken by other terms, too: that is no time granted to this one.
        let since = Duration::from_nanos(now.age(overdue.counted));
        if since < GRACE {
            return Some(GRACE - since);
        }
        *overdue = Overdue { left: overdue.left - 1, counted: now };
        if overdue.left > 0 {
            return Some(GRACE);
        }
        self.overrun();
        None
    }

    fn overrun(&self) {
        let said = self.say_overrun();
        if self.term.overrun == Overrun::Abort {
            // A log that is stuck must not keep the process alive.
            let _ = said.recv_timeout(SAYING);
            process::abort();
        }
    }

    /// Says so on a thread of its own: a subscriber or a standard error may block, or panic.
    fn say_overrun(&self) -> mpsc::Receiver<()> {
        let (done, said) = mpsc::channel();
        let term = &self.term;
        let (lease, candidate, token) = (term.lease.clone(), term.candidate.clone(), term.token);
        let abort = term.overrun == Overrun::Abort;
        // Without a thread nothing is said, and the same is done.
        let _ = thread::Builder::new().spawn(move || {
            let why = if abort {
                "work goes on after its term has ended: aborting the process, because the \
                 alternative is two leaders; work must not block its thread"
            } else {
                "the guard is held after its term has ended"
            };
            if abort {
                // First what cannot be buffered: there may be no subscriber.
                let _ = writeln!(
                    io::stderr(),
                    "leasehold: {lease}, candidate {candidate}, token {token}: {why}"
                );
            }
            tracing::error!(target: "leasehold::term", %lease, %candidate, %token, "{why}");
            let _ = done.send(());
        });
        said
    }

    async fn attend(mut self) {
        while let Some(pause) = self.round() {
            let clock = self.term.clock.clone();
            clock.sleep(pause).await;
        }
    }
}
