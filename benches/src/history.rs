use serde::Serialize;

use crate::Event;

/// One holding of the lease, as its holder told it.
#[derive(Clone, Debug, Serialize)]
pub struct Term {
    /// Which of the contenders: they are numbered from 0.
    pub who: usize,
    /// Its fencing token. None of a peer that has none.
    pub token: Option<u64>,
    /// When its work began.
    pub start: u64,
    /// The last instant at which it was known to be at work; none until it has stopped, or where it
    /// stopped before it did anything.
    pub last: Option<u64>,
    /// When it told that it had stopped, or was killed.
    pub end: Option<u64>,
    /// Why it stopped.
    pub why: Option<String>,
    /// When each request left that might have won or prolonged it.
    pub sendings: Vec<u64>,
    /// The end of validity that its holder believed in last.
    pub until: Option<u64>,
}

impl Term {
    const KILLED: &str = "killed";

    /// When the last request left that might have prolonged it.
    pub fn last_sending(&self) -> Option<u64> {
        self.sendings.last().copied()
    }

    /// For how long it was at work while an earlier one was, which was until then.
    pub(crate) fn beside(&self, earlier: u64) -> u64 {
        self.last.map_or(earlier, |last| last.min(earlier)).saturating_sub(self.start)
    }

    /// It was killed then: it is known to have been at work until that instant, unless it had ceased
    /// to believe in its term before.
    fn kill(&mut self, at: u64) {
        self.end = Some(at);
        self.last = Some(self.until.map_or(at, |until| until.min(at)));
        self.why = Some(Self::KILLED.into());
    }
}

/// Two at work at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Overlap {
    /// The token of the term that began first.
    pub earlier: Option<u64>,
    /// The token of the one that began before the first had ended.
    pub later: Option<u64>,
    /// For how long, in nanoseconds.
    pub nanos: u64,
}

/// Who led when, on one lease.
#[derive(Clone, Debug, Default)]
pub struct History {
    terms: Vec<Term>,
    /// What each contender told outside a term: it belongs to the term that it won by it.
    claims: Vec<Claim>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Claim {
    sending: Option<u64>,
    until: Option<u64>,
}

impl History {
    /// The terms in the order in which they were told.
    pub fn terms(&self) -> &[Term] {
        &self.terms
    }

    /// The terms, given away.
    pub fn into_terms(self) -> Vec<Term> {
        self.terms
    }

    /// Takes down what a contender told.
    pub fn record(&mut self, who: usize, t: u64, event: &Event) {
        match event {
            Event::Start { token } => {
                let Claim { sending, until } = std::mem::take(self.claim(who));
                self.terms.push(Term {
                    who,
                    token: *token,
                    start: t,
                    last: None,
                    end: None,
                    why: None,
                    sendings: sending.into_iter().collect(),
                    until,
                });
            }
            Event::Sending => match self.at(who, t) {
                Some(term) => term.sendings.push(t),
                None => self.claim(who).sending = Some(t),
            },
            Event::Renewed { until } => match self.at(who, t) {
                Some(term) => {
                    term.until = Some(*until);
                    // It was killed meanwhile, and knew of more than had been heard.
                    if let Some(at) = term.end {
                        term.kill(at);
                    }
                }
                None => self.claim(who).until = Some(*until),
            },
            Event::Stop { last, why } => {
                if let Some(term) = self.at(who, t) {
                    term.end = Some(t);
                    term.last = *last;
                    term.why = Some(why.clone());
                }
            }
            Event::Ready | Event::Exit => {}
        }
    }

    /// A contender was killed, and cannot tell when it worked last: until then, unless it had
    /// ceased to believe in its term before.
    pub fn killed(&mut self, who: usize, at: u64) {
        if let Some(term) = self.open(who) {
            term.kill(at);
        }
    }

    /// Whether this contender leads, as far as it has told.
    pub fn leads(&self, who: usize) -> bool {
        self.terms.iter().rev().any(|term| term.who == who && term.end.is_none())
    }

    /// Every pair of terms whose work overlapped, each later term with the longest of the earlier.
    pub fn overlaps(&self) -> Vec<Overlap> {
        let mut overlaps = Vec::new();
        let mut longest: Option<(u64, Option<u64>)> = None;
        for term in self.in_order() {
            if let Some((last, earlier)) = longest
                && last > term.start
            {
                let nanos = term.beside(last);
                overlaps.push(Overlap { earlier, later: term.token, nanos });
            }
            let last = (term.last.unwrap_or(term.start), term.token);
            longest = longest.max(Some(last));
        }
        overlaps
    }

    /// Each pair of terms, one after the other, whose tokens do not grow.
    pub fn stale_tokens(&self) -> Vec<(u64, u64)> {
        let mut highest = None;
        let mut stale = Vec::new();
        for token in self.in_order().iter().filter_map(|term| term.token) {
            if let Some(highest) = highest.filter(|highest| *highest >= token) {
                stale.push((highest, token));
            }
            highest = highest.max(Some(token));
        }
        stale
    }

    fn claim(&mut self, who: usize) -> &mut Claim {
        if self.claims.len() <= who {
            self.claims.resize(who + 1, Claim::default());
        }
        &mut self.claims[who]
    }

    fn open(&mut self, who: usize) -> Option<&mut Term> {
        self.terms.iter_mut().rev().find(|term| term.who == who && term.end.is_none())
    }

    /// The term to which belongs what a contender told then: the one that goes on, or one that was
    /// killed later, for what it had printed until then may be heard after its death.
    fn at(&mut self, who: usize, t: u64) -> Option<&mut Term> {
        let last = self.terms.iter_mut().rev().find(|term| term.who == who)?;
        let killed = last.why.as_deref() == Some(Term::KILLED);
        let belongs = last.end.is_none_or(|end| killed && t <= end);
        belongs.then_some(last)
    }

    fn in_order(&self) -> Vec<&Term> {
        let mut terms: Vec<_> = self.terms.iter().collect();
        terms.sort_by_key(|term| term.start);
        terms
    }
}

#[cfg(test)]
mod tests;
