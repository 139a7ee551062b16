use std::sync::Arc;

use leasehold_core::{
    FencingToken, Observation, RandomPart, Record, Swap, Tenure,
    kernel::{Answer, Event, Request, View},
};

use crate::{
    candidate::{Call, Candidate, now},
    scope::{Scope, Trouble},
    store::{Store, is_gone},
};

/// One state: everything that could make a difference to what can happen next.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct World {
    /// Shared with the states before, but for the one that did something.
    pub(crate) candidates: Vec<Arc<Candidate>>,
    pub(crate) store: Store,
    /// Swaps that nobody waits for any more, and that may still be made.
    pub(crate) strays: Vec<(Observation, Record)>,
    pub(crate) left: Left,
    /// The highest token of a term that has begun.
    pub(crate) newest: FencingToken,
    /// The rule that was broken last on the way here.
    pub(crate) broken: Option<Rule>,
}

/// How often something may still happen.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Left {
    pub(crate) swaps: u8,
    pub(crate) losses: u8,
    pub(crate) store_faults: u8,
    pub(crate) deaths: u8,
}

/// What is judged as it happens, because the state after it would not show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Rule {
    TokensGrow,
    TermsBeginConfirmed,
    ReleasesAreOfOnesOwn,
    HoldersAreWaitedOut,
    TimersAreKept,
}

impl World {
    pub(crate) fn new(scope: &Scope) -> Self {
        let candidate = |number| Arc::new(Candidate::new(number, scope.bounds));
        Self {
            candidates: (0..scope.candidates).map(candidate).collect(),
            store: Store::new(scope),
            strays: Vec::new(),
            left: Left {
                swaps: scope.swaps,
                losses: scope.losses,
                store_faults: scope.store_faults,
                deaths: scope.deaths,
            },
            newest: FencingToken::ZERO,
            broken: None,
        }
    }

    /// Time passes, on each clock at its own rate.
    pub(crate) fn tick(&mut self, rates: &[u64], scope: &Scope) {
        for (candidate, &ticks) in self.candidates.iter_mut().zip(rates) {
            if candidate.alive && !Arc::make_mut(candidate).tick(ticks, &scope.bounds) {
                self.broken = Some(Rule::TimersAreKept);
            }
        }
        if scope.judges_waits {
            for (age, &ticks) in self.store.ages.iter_mut().zip(rates) {
                *age = (*age + ticks * crate::scope::TICK).min(scope.bounds.lease);
            }
        }
    }

    /// Something happens to a candidate, and its kernel asks something of the store.
    pub(crate) fn step(&mut self, i: usize, event: Event, scope: &Scope) {
        let candidate = Arc::make_mut(&mut self.candidates[i]);
        let before = candidate.term();
        let request = candidate.kernel.step(now(&scope.bounds), event);
        let after = candidate.term();
        if let (true, Some(token)) = (after != before, after) {
            if token <= self.newest && scope.judges_tokens {
                self.broken = Some(Rule::TokensGrow);
            }
            if self.store.claimed[i] < token {
                self.broken = Some(Rule::TermsBeginConfirmed);
            }
            self.newest = self.newest.max(token);
        }
        let releasing = candidate.kernel.view() == View::Releasing;
        let Some(request) = request else { return };
        if let (true, Request::Swap { expected, record }) = (releasing, &request)
            && !is_of_one_term(expected, record)
        {
            self.broken = Some(Rule::ReleasesAreOfOnesOwn);
        }
        if scope.judges_waits && self.is_early(i, &request, scope) {
            self.broken = Some(Rule::HoldersAreWaitedOut);
        }
        self.candidate(i).call = Call::Asked(request);
        if !scope.slow_wire && self.can_serve(i) {
            self.serve(i, scope);
            self.deliver(i, scope);
        }
    }

    /// A timer rings, when it pleases. The driver will not wake a kernel that does not ask for it,
    /// nor may it be asked to for nothing.
    pub(crate) fn ring(&mut self, i: usize, scope: &Scope) {
        let due = self.candidates[i].kernel.next_timer(now(&scope.bounds)) == Some(0);
        let before = Arc::clone(&self.candidates[i]);
        self.step(i, Event::Timer, scope);
        let after = &self.candidates[i];
        let acted = after.kernel.view() != before.kernel.view()
            || after.kernel.is_waiting_for_answer() != before.kernel.is_waiting_for_answer();
        let idled = after.kernel == before.kernel;
        if ((acted && !due) || (idled && due)) && self.broken.is_none() {
            self.broken = Some(Rule::TimersAreKept);
        }
    }

    pub(crate) fn can_serve(&self, i: usize) -> bool {
        match &self.candidates[i].call {
            Call::Asked(Request::Observe) => true,
            Call::Asked(Request::Swap { .. }) => self.left.swaps > 0,
            _ => false,
        }
    }

    /// The store decides about the call of a candidate. The answer is on its way then.
    pub(crate) fn serve(&mut self, i: usize, scope: &Scope) {
        let Call::Asked(request) = std::mem::replace(&mut self.candidate(i).call, Call::None)
        else {
            return;
        };
        let answer = match request {
            Request::Observe => Answer::Observed(self.shows()),
            Request::Swap { expected, record } => {
                self.left.swaps -= 1;
                Answer::Swapped(self.swap(&expected, &record, scope))
            }
        };
        self.candidate(i).call = Call::Answered(answer);
    }

    pub(crate) fn deliver(&mut self, i: usize, scope: &Scope) {
        if let Call::Answered(answer) = std::mem::replace(&mut self.candidate(i).call, Call::None) {
            self.step(i, Event::Answer(answer), scope);
        }
    }

    /// The caller waits no longer. What it asked for may be done yet.
    pub(crate) fn give_up(&mut self, i: usize, scope: &Scope) {
        self.left.losses -= 1;
        self.abandon(i);
        self.step(i, Event::Answer(Answer::Unknown), scope);
    }

    /// Whether a swap would be refused now, and the wire is bad enough for it not to be shown why.
    pub(crate) fn can_be_refused_unseen(&self, i: usize, scope: &Scope) -> bool {
        let Call::Asked(Request::Swap { expected, .. }) = &self.candidates[i].call else {
            return false;
        };
        self.left.losses > 0 && !self.store.is(expected, scope)
    }

    /// The swap is refused, and the look at what is there instead fails.
    pub(crate) fn refuse_unseen(&mut self, i: usize) {
        self.left.losses -= 1;
        self.left.swaps -= 1;
        self.candidate(i).call = Call::Answered(Answer::Swapped(Swap::Refused(None)));
    }

    /// The request arrives twice.
    pub(crate) fn duplicate(&mut self, i: usize) {
        self.left.losses -= 1;
        if let Call::Asked(Request::Swap { expected, record }) = self.candidates[i].call.clone() {
            self.stray(expected, record);
        }
    }

    /// A swap that nobody waits for reaches the store.
    pub(crate) fn land(&mut self, stray: usize, scope: &Scope) {
        let (expected, record) = self.strays.remove(stray);
        self.swap(&expected, &record, scope);
    }

    pub(crate) fn hint(&mut self, i: usize, shown: usize, scope: &Scope) {
        let mut hint = self.store.history[shown].clone();
        hint.holder_gone = scope.proofs && is_gone(&hint, &|part| self.is_dead(part));
        self.step(i, Event::Hint(hint), scope);
    }

    pub(crate) fn die(&mut self, i: usize, scope: &Scope) {
        self.left.deaths -= 1;
        self.abandon(i);
        self.candidates[i] =
            Arc::new(Candidate { alive: false, ..Candidate::new(i, scope.bounds) });
    }

    pub(crate) fn trouble(&mut self, trouble: Trouble, to: Option<usize>, scope: &Scope) {
        self.left.store_faults -= 1;
        match trouble {
            Trouble::Delete => self.store.delete(scope),
            Trouble::Relabel => self.store.relabel(scope),
            Trouble::Prefer => self.store.prefer(scope),
            Trouble::Recreate => self.store.recreate(scope),
            _ => self.store.go_back(to, trouble, scope),
        }
    }

    /// Forgets the strays that can never be made: the store will not show again what they expect.
    pub(crate) fn forget(&mut self, scope: &Scope) {
        if self.left.store_faults == 0 {
            let store = &self.store;
            self.strays.retain(|(expected, _)| store.is(expected, scope));
        }
    }

    pub(crate) fn is_dead(&self, part: RandomPart) -> bool {
        self.candidates.get(part.bits() as usize).is_some_and(|candidate| !candidate.alive)
    }

    /// The candidate that leads, undoubtedly: it may act, and the store says so too.
    pub(crate) fn leader(&self, scope: &Scope) -> Option<usize> {
        self.candidates.iter().enumerate().position(|(i, candidate)| {
            let View::Leading { token, .. } = candidate.kernel.view() else { return false };
            let held =
                |record: &Record| record.is_held_by(Candidate::part(i)) && record.token == token;
            candidate.is_current(&scope.bounds) && self.store.record.as_ref().is_some_and(held)
        })
    }

    fn shows(&self) -> Observation {
        self.store.shows(&|part| self.is_dead(part))
    }

    fn swap(&mut self, expected: &Observation, record: &Record, scope: &Scope) -> Swap {
        let replaced = self.store.record.clone();
        let dead: Vec<bool> = self.candidates.iter().map(|candidate| !candidate.alive).collect();
        let swap = self.store.swap(expected, record, scope, &|part| {
            dead.get(part.bits() as usize).copied().unwrap_or(false)
        });
        let released = record.tenure == Tenure::Free && is_of_one_term(expected, record);
        let blanked = replaced.is_some_and(|replaced| Some(replaced) != expected.record);
        if matches!(swap, Swap::Written(_)) && released && blanked {
            self.broken = Some(Rule::ReleasesAreOfOnesOwn);
        }
        swap
    }

    /// Whether this would take the lease from somebody else before its record, or the lack of a
    /// name, has been there for a whole lease.
    fn is_early(&self, i: usize, request: &Request, scope: &Scope) -> bool {
        let Request::Swap { expected, .. } = request else { return false };
        let Some(record) = &expected.record else { return false };
        let free = match record.tenure {
            Tenure::Free => record.era == expected.era,
            Tenure::Held { .. } => record.is_held_by(Candidate::part(i)) || expected.holder_gone,
            Tenure::Vacant => false,
        };
        self.store.is(expected, scope) && !free && self.store.ages[i] < scope.bounds.lease
    }

    fn abandon(&mut self, i: usize) {
        let call = std::mem::replace(&mut self.candidate(i).call, Call::None);
        if let Call::Asked(Request::Swap { expected, record }) = call {
            self.stray(expected, record);
        }
    }

    fn stray(&mut self, expected: Observation, record: Record) {
        self.strays.push((expected, record));
        // Their order means nothing.
        let key = |record: &Record| record.stamp.map(|s| (s.author.bits(), s.attempt));
        self.strays.sort_by_key(|(_, record)| key(record));
    }

    fn candidate(&mut self, i: usize) -> &mut Candidate {
        Arc::make_mut(&mut self.candidates[i])
    }
}

/// Whether a record replaces one of the same author's same term.
fn is_of_one_term(expected: &Observation, record: &Record) -> bool {
    let author = record.stamp.map(|stamp| stamp.author);
    expected.record.as_ref().zip(author).is_some_and(|(replaced, author)| {
        replaced.is_held_by(author) && replaced.token == record.token
    })
}
