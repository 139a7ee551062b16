use std::time::Duration;

use super::event::{Event, What};

/// One term, as a history shows it.
#[derive(Debug)]
pub(super) struct Term<'a> {
    pub(super) candidate: &'a str,
    pub(super) token: u64,
    /// When it began, and the how-manieth event that was.
    pub(super) began: (Duration, usize),
    /// The last act in its name.
    pub(super) worked: Option<(Duration, usize)>,
    /// When its work was over, by its own end or by the death of its candidate.
    pub(super) stopped: Option<(Duration, usize)>,
    /// Whether its candidate stood still meanwhile: then it stops when it wakes, and no sooner.
    pub(super) froze: bool,
}

impl Term<'_> {
    pub(super) fn name(&self) -> (String, u64) {
        (self.candidate.to_owned(), self.token)
    }

    /// All terms, in the order of their beginning.
    pub(super) fn all(events: &[Event]) -> Vec<Term<'_>> {
        let mut terms: Vec<Term<'_>> = Vec::new();
        for (i, Event { at, candidate, what }) in events.iter().enumerate() {
            let now = (*at, i);
            match what {
                What::Began { token } => terms.push(Term {
                    candidate,
                    token: *token,
                    began: now,
                    worked: None,
                    stopped: None,
                    froze: false,
                }),
                What::Worked { token } | What::Admitted { token } => {
                    let of =
                        |term: &&mut Term<'_>| term.candidate == candidate && term.token == *token;
                    if let Some(term) = terms.iter_mut().rev().find(of) {
                        term.worked = Some(now);
                    }
                }
                What::Stopped { token } => {
                    let of =
                        |term: &&mut Term<'_>| term.candidate == candidate && term.token == *token;
                    if let Some(term) = terms.iter_mut().rev().find(of) {
                        term.stopped.get_or_insert(now);
                    }
                }
                What::Crashed => {
                    for term in terms.iter_mut().filter(|term| term.candidate == candidate) {
                        term.stopped.get_or_insert(now);
                    }
                }
                What::Froze => {
                    for term in terms.iter_mut().filter(|term| term.candidate == candidate) {
                        term.froze |= term.stopped.is_none();
                    }
                }
                _ => {}
            }
        }
        terms
    }
}
