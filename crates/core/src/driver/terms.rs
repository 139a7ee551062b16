//! Makes terms begin and end as the kernel says.

use std::time::Duration;

use super::driver::{Driver, State, Told};
use crate::{
    End, Error, ErrorKind, FencingToken, Leadership, Moment, Tenure,
    kernel::View,
    time::term::{Term, TermParts},
};

impl Driver {
    /// Makes the term be what the kernel says it is.
    pub(super) fn follow(&mut self, view: View) {
        match (view, &self.state) {
            (View::Leading { token, sent } | View::Draining { token, sent, .. }, state) => {
                match state {
                    State::Leading(term, _) => {
                        if term.confirm(sent) {
                            self.log_renewed(token, sent);
                        }
                        if let View::Draining { why, .. } = view {
                            term.stop(why);
                        }
                    }
                    _ => {
                        self.log_renewed(token, sent);
                        self.begin(token, sent);
                    }
                }
            }
            (View::Ended(why), State::Leading(term, _)) => term.end(why),
            (View::Idle | View::Standby, State::Leading(..)) => self.finish(),
            _ => {}
        }
        self.log_end();
    }

    fn log_renewed(&self, token: FencingToken, sent: Moment) {
        let Self { lease, candidate, .. } = self;
        let until = sent.plus(Duration::from_nanos(self.bounds.validity)).monotonic;
        let sent = sent.monotonic;
        tracing::trace!(target: "leasehold::term", %lease, %candidate, %token, sent, until, "renewed");
    }

    /// Logs what has ended the term, whoever found it out.
    fn log_end(&mut self) {
        let Self {
            lease, candidate, state: State::Leading(term, _), told, publisher, kernel, ..
        } = self
        else {
            return;
        };
        let token = term.token;
        let why = term.reason();
        let unrenewed = why == Some(End::Lapsed);
        if term.stopping().is_cancelled() && (why.is_none() || unrenewed) && !told.stopping {
            told.stopping = true;
            match (publisher.trouble(), kernel.preferred()) {
                (None, None) => {
                    tracing::info!(target: "leasehold::term", %lease, %candidate, %token, "stopping");
                }
                (None, Some(preferred)) => {
                    tracing::info!(target: "leasehold::term", %lease, %candidate, %token, %preferred, "stopping: another is preferred");
                }
                (Some(why), _) => {
                    tracing::warn!(target: "leasehold::term", %lease, %candidate, %token, why, "stopping: no renewal is confirmed");
                }
            }
        }
        if let Some(why) = why.filter(|_| !told.end) {
            told.end = true;
            tracing::info!(target: "leasehold::term", %lease, %candidate, %token, why = why.as_str(), "ended");
        }
    }

    fn begin(&mut self, token: FencingToken, sent: Moment) {
        let State::Campaigning(campaign) = std::mem::replace(&mut self.state, State::Idle) else {
            return;
        };
        let term = Term::begin(TermParts {
            lease: self.lease.clone(),
            candidate: self.candidate.clone(),
            token,
            sent,
            overrun: campaign.overrun,
            bounds: self.bounds,
            clock: self.calls.clock.clone(),
            lock: self.calls.lock.clone(),
        });
        tracing::info!(target: "leasehold::term", lease = %self.lease, candidate = %self.candidate, %token, "leading");
        self.told = Told::default();
        self.warden.watch(term.clone());
        self.state = State::Leading(term.clone(), campaign.shutdown);
        // Nobody waits for the guard any more: it is dropped, and the term with it.
        let _ = campaign.reply.send(Ok(Leadership::new(term)));
    }

    fn finish(&mut self) {
        self.log_end();
        let State::Leading(term, _) = std::mem::replace(&mut self.state, State::Idle) else {
            return;
        };
        let released = self.kernel.evidence().record().is_some_and(|record| {
            matches!(record.tenure, Tenure::Free) && record.token == term.token
        });
        tracing::info!(target: "leasehold::term", lease = %self.lease, candidate = %self.candidate, token = %term.token, released, "finished");
        term.let_go();
        term.finish(released);
        for reply in self.stepping_down.drain(..) {
            let _ = reply.send(released);
        }
    }

    /// The campaign ends with an error.
    pub(super) fn give_up(&mut self, error: Error) {
        let Self { lease, candidate, .. } = self;
        match error.kind() {
            ErrorKind::Cancelled => {
                tracing::info!(target: "leasehold::term", %lease, %candidate, "withdrawn");
            }
            _ => {
                tracing::warn!(target: "leasehold::term", %lease, %candidate, %error, "withdrawn");
            }
        }
        if let State::Campaigning(campaign) = std::mem::replace(&mut self.state, State::Idle) {
            let _ = campaign.reply.send(Err(error));
        }
    }

    pub(super) fn error(&self, kind: ErrorKind, why: &'static str) -> Error {
        Error::new(kind, format!("campaign for {}", self.lease), why)
    }
}
