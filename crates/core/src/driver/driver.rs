use std::{sync::Arc, time::Duration};

use futures::future::BoxFuture;
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use super::{
    calls::Calls,
    outcome::Outcome,
    pushes::{Push, Pushes},
};
use crate::{
    Candidate, Clock, Error, ErrorKind, FencingToken, Leadership, LeaseLock, Moment, RandomPart,
    Status, Tenure, Timing,
    kernel::{Answer, Bounds, End, Event, Kernel, View},
    time::{
        term::{Overrun, Term, TermParts},
        warden::Warden,
    },
};

/// What an elector asks of its driver.
pub(crate) enum Command {
    Campaign(Campaign),
    /// Answered when the term that was there has been given back; false if there was none.
    StepDown(oneshot::Sender<bool>),
}

/// Somebody wants to lead.
pub(crate) struct Campaign {
    /// The guard, or why there is none. Its end withdraws the campaign.
    pub(crate) reply: oneshot::Sender<Result<Leadership, Error>>,
    pub(crate) shutdown: CancellationToken,
    pub(crate) overrun: Overrun,
}

pub(crate) struct Setup {
    pub(crate) lock: Arc<dyn LeaseLock>,
    pub(crate) candidate: Candidate,
    pub(crate) timing: Timing,
    pub(crate) drain: Duration,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) warden: Warden,
    pub(crate) status: watch::Sender<Status>,
}

pub(crate) struct Driver {
    kernel: Kernel,
    bounds: Bounds,
    timing: Timing,
    /// `name` and random part, for logs.
    candidate: Arc<str>,
    lease: Arc<str>,
    warden: Warden,
    calls: Calls,
    pushes: Pushes,
    outcome: Outcome,
    state: State,
    /// When the kernel wants to be called again, and when that was asked for.
    timer: Option<(Moment, u64, BoxFuture<'static, ()>)>,
    stepping_down: Vec<oneshot::Sender<bool>>,
    /// Wants to lead once the term whose guard is gone has been given back.
    next: Option<Campaign>,
}

enum State {
    Idle,
    Campaigning(Campaign),
    /// The term, and what asks it to stop from outside.
    Leading(Arc<Term>, CancellationToken),
}

/// What the driver has waited for.
enum Woken {
    Command(Option<Command>),
    Answer(Result<Answer, Error>),
    Push(Push),
    /// The campaign's future was dropped.
    Abandoned,
    Shutdown,
    Stopping,
    Ended,
    WorkEnded,
    Timer,
}

impl Driver {
    pub(crate) fn new(setup: Setup) -> Self {
        let Setup { lock, candidate, timing, drain, clock, warden, status } = setup;
        let part = RandomPart::random();
        let bounds = Bounds::new(&timing, drain);
        let lease: Arc<str> = lock.describe().into();
        let name: Arc<str> = format!("{}-{part}", candidate.name()).into();
        Self {
            kernel: Kernel::new(candidate.shared_name(), part, bounds),
            bounds,
            timing,
            candidate: name.clone(),
            lease: lease.clone(),
            warden,
            pushes: Pushes::new(lock.clone(), clock.clone(), timing.retry_interval()),
            calls: Calls::new(lock, clock, timing.call_timeout()),
            outcome: Outcome::new(lease, name, status),
            state: State::Idle,
            timer: None,
            stepping_down: Vec::new(),
            next: None,
        }
    }

    /// Lives until the elector and its guards are gone, and nothing is left to be given back.
    pub(crate) async fn drive(mut self, mut commands: mpsc::UnboundedReceiver<Command>) {
        let mut deserted = false;
        while !(deserted && matches!(self.kernel.view(), View::Idle)) {
            let event = match self.wait(&mut commands, deserted).await {
                Woken::Command(Some(command)) => self.commanded(command),
                Woken::Command(None) => {
                    deserted = true;
                    None
                }
                Woken::Answer(answer) => self.answered(answer),
                Woken::Push(push) => self.pushed(push),
                Woken::Abandoned => Some(self.abandoned()),
                Woken::Shutdown => Some(self.shut_down()),
                Woken::Stopping => Some(Event::Resign),
                Woken::Ended => Some(self.ended()),
                Woken::WorkEnded => Some(Event::WorkEnded),
                Woken::Timer => Some(self.timed()),
            };
            if let Some(event) = event {
                self.step(event);
            }
            if matches!(self.state, State::Idle)
                && let Some(next) = self.next.take()
            {
                let event = self.campaign(next);
                self.step(event);
            }
        }
    }

    async fn wait(
        &mut self,
        commands: &mut mpsc::UnboundedReceiver<Command>,
        deserted: bool,
    ) -> Woken {
        let view = self.kernel.view();
        let waits = matches!(view, View::Standby);
        let leads = matches!(view, View::Leading { .. });
        let holds = leads || matches!(view, View::Draining { .. });
        let works = holds || matches!(view, View::Ended(_));
        let Self { state, calls, pushes, timer, .. } = self;
        let (mut campaign, mut term, mut shutdown) = (None, None, None);
        match state {
            State::Idle => {}
            State::Campaigning(pending) => {
                shutdown = Some(pending.shutdown.clone());
                campaign = Some(&mut pending.reply);
            }
            State::Leading(current, asked) => {
                shutdown = Some(asked.clone());
                term = Some(&**current);
            }
        }
        // Heard already, by `stopping`: the term is over, and renewed until its work has ended.
        let resigned = term.is_some_and(|term| term.why() == Some(End::Resigned));
        tokio::select! {
            // What ends a term comes first, and news of it before the passing of time.
            biased;
            () = of(term, |term| term.ended().cancelled()), if holds && !resigned => Woken::Ended,
            () = of(term, |term| term.work.wait()), if works => Woken::WorkEnded,
            () = of(term, |term| term.stopping().cancelled()), if leads => Woken::Stopping,
            () = of(shutdown.as_ref(), |shutdown| shutdown.cancelled()), if waits || leads => Woken::Shutdown,
            () = of(campaign, |reply| reply.closed()), if waits => Woken::Abandoned,
            command = commands.recv(), if !deserted => Woken::Command(command),
            answer = calls.answer() => Woken::Answer(answer),
            push = pushes.next() => Woken::Push(push),
            () = of(timer.as_mut(), |(_, _, sleep)| sleep) => Woken::Timer,
        }
    }

    fn commanded(&mut self, command: Command) -> Option<Event> {
        match (command, &self.state) {
            (Command::Campaign(campaign), State::Idle) => Some(self.campaign(campaign)),
            (Command::Campaign(campaign), State::Leading(term, _))
                if term.work.is_closed() && self.next.is_none() =>
            {
                self.next = Some(campaign);
                None
            }
            (Command::Campaign(campaign), _) => {
                let why = "this elector campaigns or leads already: one term at a time";
                // Who does not wait for the answer does not need it.
                let _ = campaign.reply.send(Err(self.error(ErrorKind::Busy, why)));
                None
            }
            (Command::StepDown(reply), State::Leading(term, _)) => {
                term.stop();
                self.stepping_down.push(reply);
                Some(Event::Resign)
            }
            (Command::StepDown(reply), _) => {
                let _ = reply.send(false);
                None
            }
        }
    }

    fn campaign(&mut self, campaign: Campaign) -> Event {
        tracing::info!(
            target: "leasehold::term",
            lease = %self.lease,
            candidate = %self.candidate,
            timing = %self.timing,
            failover_bound = ?self.timing.failover_bound(),
            "campaigning"
        );
        self.state = State::Campaigning(campaign);
        Event::Campaign
    }

    fn answered(&mut self, answer: Result<Answer, Error>) -> Option<Event> {
        match answer {
            Ok(answer) => {
                self.outcome.answered();
                Some(Event::Answer(answer))
            }
            Err(error) => {
                tracing::warn!(target: "leasehold::term", lease = %self.lease, candidate = %self.candidate, %error, "no answer");
                self.outcome.unanswered(&error);
                self.step(Event::Answer(Answer::Unknown));
                let hopeless = !self.outcome.ever && matches!(self.state, State::Campaigning(_));
                hopeless.then(|| {
                    self.give_up(error);
                    Event::Withdraw
                })
            }
        }
    }

    fn pushed(&mut self, push: Push) -> Option<Event> {
        match push {
            Push::Hint(seen) => Some(Event::Hint(seen)),
            Push::Broke(error) => {
                let error = error.map_or_else(|| "it ended".to_owned(), |error| error.to_string());
                tracing::warn!(target: "leasehold::term", lease = %self.lease, candidate = %self.candidate, error, "watch broke");
                Some(Event::Poll)
            }
            Push::Again => Some(Event::Poll),
        }
    }

    fn abandoned(&mut self) -> Event {
        self.state = State::Idle;
        Event::Withdraw
    }

    fn shut_down(&mut self) -> Event {
        match &self.state {
            State::Leading(term, _) => {
                term.stop();
                Event::Resign
            }
            _ => {
                self.give_up(self.error(ErrorKind::Cancelled, "it was told to end"));
                Event::Withdraw
            }
        }
    }

    /// The term was found to have ended by its clock, or its guard was dropped just now.
    fn ended(&self) -> Event {
        match &self.state {
            State::Leading(term, _) if term.why() == Some(End::Resigned) => Event::Resign,
            _ => Event::Lapsed,
        }
    }

    fn timed(&mut self) -> Event {
        if let Some((asked, after, _)) = self.timer.take() {
            let late = self.calls.clock.now().wait(asked).saturating_sub(after);
            if late > self.bounds.retry {
                tracing::warn!(
                    target: "leasehold::term",
                    lease = %self.lease,
                    candidate = %self.candidate,
                    late = ?Duration::from_nanos(late),
                    "late: the runtime is blocked or starved, or the host was suspended"
                );
            }
        }
        Event::Timer
    }

    fn step(&mut self, event: Event) {
        // The clock is read before the request is sent: validity counts from here.
        let now = self.calls.clock.now();
        if let Some(request) = self.kernel.step(now, event) {
            self.calls.send(now, request);
        }
        let view = self.kernel.view();
        self.follow(view);
        let term = match &self.state {
            State::Leading(term, _) => Some(&**term),
            State::Idle | State::Campaigning(_) => None,
        };
        self.outcome.publish(view, term, self.kernel.evidence());
        self.pushes.set_wanted(!matches!(view, View::Idle));
        self.timer = self
            .kernel
            .next_timer(now)
            .map(|after| (now, after, self.calls.clock.sleep(Duration::from_nanos(after))));
    }

    /// Makes the term be what the kernel says it is.
    fn follow(&mut self, view: View) {
        match (view, &self.state) {
            (View::Leading { token, sent } | View::Draining { token, sent, .. }, state) => {
                let until = sent.plus(Duration::from_nanos(self.bounds.validity));
                match state {
                    State::Leading(term, _) => {
                        if term.confirm(sent) {
                            tracing::trace!(target: "leasehold::term", sent = sent.monotonic, until = until.monotonic, "renewed");
                        }
                        if matches!(view, View::Draining { .. }) {
                            term.stop();
                        }
                    }
                    _ => {
                        tracing::trace!(target: "leasehold::term", sent = sent.monotonic, until = until.monotonic, "renewed");
                        self.begin(token, sent);
                    }
                }
            }
            (View::Ended(why), State::Leading(term, _)) => term.end(why),
            (View::Idle | View::Standby, State::Leading(..)) => self.finish(),
            _ => {}
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
        self.warden.watch(term.clone());
        self.state = State::Leading(term.clone(), campaign.shutdown);
        // Nobody waits for the guard any more: it is dropped, and the term with it.
        let _ = campaign.reply.send(Ok(Leadership::new(term)));
    }

    fn finish(&mut self) {
        let State::Leading(term, _) = std::mem::replace(&mut self.state, State::Idle) else {
            return;
        };
        let released = self.kernel.evidence().record().is_some_and(|record| {
            matches!(record.tenure, Tenure::Free) && record.token == term.token
        });
        tracing::info!(target: "leasehold::term", lease = %self.lease, candidate = %self.candidate, token = %term.token, released, "finished");
        term.finish(released);
        for reply in self.stepping_down.drain(..) {
            let _ = reply.send(true);
        }
    }

    /// The campaign ends with an error. What it left in the store is seen to afterwards.
    fn give_up(&mut self, error: Error) {
        if let State::Campaigning(campaign) = std::mem::replace(&mut self.state, State::Idle) {
            let _ = campaign.reply.send(Err(error));
        }
    }

    fn error(&self, kind: ErrorKind, why: &'static str) -> Error {
        Error::new(kind, format!("campaign for {}", self.lease), why)
    }
}

/// If the runtime ends, or a backend panics, nothing renews the term any more: it ends at once,
/// before the lock can be dropped.
impl Drop for Driver {
    fn drop(&mut self) {
        if let State::Leading(term, _) = &self.state {
            term.end(End::Lapsed);
            term.finish(false);
        }
    }
}

/// A future of what is there; never, if it is not.
async fn of<T, F: Future<Output = ()>>(what: Option<T>, future: impl FnOnce(T) -> F) {
    match what {
        Some(what) => future(what).await,
        None => std::future::pending().await,
    }
}
