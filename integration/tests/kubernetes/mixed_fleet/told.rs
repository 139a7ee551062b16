//! What the candidates say, and which terms follow from it.

use std::{collections::HashMap, time::Duration};

use leasehold_integration::within;
use leasehold_testkit::{History, What};
use serde::Deserialize;
use tokio::sync::watch;

/// One of those who stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Who {
    pub(crate) name: &'static str,
    /// And not client-go's.
    pub(crate) ours: bool,
}

/// What happens to a candidate. Instants are nanoseconds of CLOCK_MONOTONIC.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "event", rename_all = "lowercase")]
pub(crate) enum Event {
    // What its process says: `benches/README.md` has the list.
    Ready,
    Start {
        token: Option<u64>,
    },
    Sending,
    Renewed {
        sent: u64,
    },
    Stop {
        last: Option<u64>,
        why: String,
    },
    Exit,
    // What is done to it.
    #[serde(skip)]
    Killed,
    #[serde(skip)]
    Froze,
    #[serde(skip)]
    Thawed,
    /// It says no more.
    #[serde(skip)]
    Gone,
    /// Something else that it says.
    #[serde(other)]
    Unknown,
}

/// An event, in the order in which they were heard.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) who: Who,
    pub(crate) at: u64,
    pub(crate) event: Event,
}

/// One holding of the lease.
#[derive(Clone, Debug)]
pub(crate) struct Term {
    pub(crate) who: Who,
    /// client-go has none.
    pub(crate) token: Option<u64>,
    /// When the request left that won it.
    pub(crate) sent: u64,
    pub(crate) start: u64,
    /// When the last request left that was confirmed: that one was applied.
    pub(crate) confirmed: u64,
    /// When its work was last allowed.
    pub(crate) last: Option<u64>,
    /// When its work had ended, or its process.
    pub(crate) stop: Option<u64>,
    pub(crate) killed: bool,
}

/// All that was told, by all.
#[derive(Clone, Debug, Default)]
pub(crate) struct Chronicle(watch::Sender<Vec<Told>>);

impl Chronicle {
    pub(crate) fn note(&self, who: Who, at: u64, event: Event) {
        self.0.send_modify(|told| told.push(Told { who, at, event }));
    }

    /// How much was told until now.
    pub(crate) fn length(&self) -> usize {
        self.0.borrow().len()
    }

    pub(crate) fn told(&self) -> Vec<Told> {
        self.0.borrow().clone()
    }

    /// Waits until something can be found in it.
    pub(crate) async fn until<T>(
        &self,
        what: &str,
        find: impl Fn(&[Told]) -> Option<T> + Send + Sync,
    ) -> T {
        let mut told = self.0.subscribe();
        let found = within(what, "", told.wait_for(|told| find(told).is_some()));
        let told = found.await.expect("the sender is here");
        find(&told).expect("it was found")
    }

    /// Waits for the first event of this kind after so many others, and says how many came before.
    pub(crate) async fn next(
        &self,
        what: &str,
        after: usize,
        wanted: impl Fn(&Told) -> bool + Send + Sync,
    ) -> (usize, Told) {
        self.until(what, |told| {
            let at = after + told.get(after..)?.iter().position(&wanted)?;
            Some((at, told[at].clone()))
        })
        .await
    }

    /// Waits until exactly one leads; also says when that was told.
    pub(crate) async fn leader(&self) -> (Who, usize) {
        self.until("one leader", |told| match *at_work(told) {
            [one] => Some(one),
            _ => None,
        })
        .await
    }
}

/// Who is at work, and since which event.
fn at_work(told: &[Told]) -> Vec<(Who, usize)> {
    let mut at_work = Vec::new();
    for (number, Told { who, event, .. }) in told.iter().enumerate() {
        match event {
            Event::Start { .. } => at_work.push((*who, number)),
            Event::Stop { .. } | Event::Killed => at_work.retain(|(one, _)| one != who),
            _ => {}
        }
    }
    at_work
}

/// The terms in the order of their beginning.
pub(crate) fn terms(told: &[Told]) -> Vec<Term> {
    let mut terms: Vec<Term> = Vec::new();
    let mut sent = HashMap::new();
    for Told { who, at, event } in told {
        let open = terms.iter_mut().rev().find(|term| term.who == *who && term.stop.is_none());
        match (event, open) {
            (Event::Sending, _) => drop(sent.insert(who, *at)),
            (Event::Renewed { sent }, Some(term)) => term.confirmed = *sent,
            (Event::Start { token }, _) => {
                let sent = sent.get(who).copied().expect("a request has won it");
                terms.push(Term {
                    who: *who,
                    token: *token,
                    sent,
                    start: *at,
                    confirmed: sent,
                    last: None,
                    stop: None,
                    killed: false,
                });
            }
            (Event::Stop { last, .. }, Some(term)) => {
                term.stop = Some(*at);
                term.last = *last;
            }
            (Event::Killed, Some(term)) => {
                term.stop = Some(*at);
                term.last = Some(*at);
                term.killed = true;
            }
            _ => {}
        }
    }
    terms.sort_by_key(|term| term.start);
    terms
}

/// The terms of some, for the checker of histories, under the tokens that are asked for.
pub(crate) fn history<'a>(
    told: &[Told],
    terms: impl Iterator<Item = &'a Term>,
    token: impl Fn(&Term) -> u64,
) -> History {
    let history = History::starting_now();
    let at = |nanos| Duration::from_nanos(nanos);
    for term in terms {
        let (name, token) = (term.who.name, token(term));
        history.record_at(at(term.start), name, What::Began { token });
        if let Some(last) = term.last {
            history.record_at(at(last), name, What::Worked { token });
        }
        if let Some(stop) = term.stop {
            let what = if term.killed { What::Crashed } else { What::Stopped { token } };
            history.record_at(at(stop), name, what);
        }
    }
    for Told { who, at: when, event } in told {
        match event {
            Event::Froze => history.record_at(at(*when), who.name, What::Froze),
            Event::Thawed => history.record_at(at(*when), who.name, What::Thawed),
            _ => {}
        }
    }
    history
}
