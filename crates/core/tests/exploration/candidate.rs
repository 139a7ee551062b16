use std::sync::Arc;

use leasehold_core::{
    FencingToken, Moment, RandomPart, Tenure,
    kernel::{Answer, Bounds, Kernel, Request, Verdict, View},
};

use crate::scope::TICK;

/// A candidate: the kernel that the library runs, its clock, and the call that it is making.
///
/// Its clock always reads the lease's length ([`now`]): when time passes, what is remembered
/// becomes older instead. What is older than a whole lease is not told apart from what is a lease
/// old, for nothing is ever waited for any longer. So there are finitely many states, though time
/// goes on for ever.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Candidate {
    pub(crate) kernel: Kernel,
    pub(crate) call: Call,
    pub(crate) alive: bool,
}

/// Where the call of a candidate is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Call {
    None,
    Asked(Request),
    Answered(Answer),
}

/// What every clock always reads.
pub(crate) fn now(bounds: &Bounds) -> Moment {
    Moment::uniform(bounds.lease)
}

impl Candidate {
    pub(crate) fn new(number: usize, bounds: Bounds) -> Self {
        let name: Arc<str> = Arc::from(["a", "b", "c", "d"][number]);
        let kernel = Kernel::new(name, RandomPart::new(number as u64), bounds);
        Self { kernel, call: Call::None, alive: true }
    }

    pub(crate) fn part(number: usize) -> RandomPart {
        RandomPart::new(number as u64)
    }

    /// Time passes on its clock. Whether a timer that is due now was asked for before: nobody
    /// would wake the kernel to find out.
    pub(crate) fn tick(&mut self, ticks: u64, bounds: &Bounds) -> bool {
        let asked = self.kernel.next_timer(now(bounds));
        self.kernel.for_each_moment(|moment| {
            *moment = Moment::uniform(moment.boottime.saturating_sub(ticks * TICK));
        });
        let due = self.kernel.next_timer(now(bounds)) == Some(0);
        !due || asked.is_some_and(|rest| rest <= ticks * TICK)
    }

    /// The term that its kernel believes in, were it to look at no clock.
    pub(crate) fn term(&self) -> Option<FencingToken> {
        match self.kernel.view() {
            View::Leading { token, .. } | View::Draining { token, .. } => Some(token),
            _ => None,
        }
    }

    /// Whether its work may act in this instant: it is alive, its kernel was not told otherwise,
    /// and its own clock says that the last confirmed write was sent less than the holder's share
    /// of a lease ago. This is what the warden and `is_current` go by; whether the kernel has been
    /// woken since does not count.
    pub(crate) fn is_current(&self, bounds: &Bounds) -> bool {
        let (View::Leading { sent, .. } | View::Draining { sent, .. }) = self.kernel.view() else {
            return false;
        };
        self.alive && now(bounds).age(sent) < bounds.validity
    }

    /// Whether it knows a lease to be free, and waits all the same: because it takes the store for
    /// one that went back.
    pub(crate) fn waits_for_what_is_free(&self, bounds: &Bounds) -> bool {
        let evidence = self.kernel.evidence();
        let free = evidence.record().is_some_and(|record| record.tenure == Tenure::Free);
        free && matches!(evidence.verdict(now(bounds)), Verdict::Wait(_))
    }
}
