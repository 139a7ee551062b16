use std::{sync::Arc, time::Duration};

use futures::future::BoxFuture;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::{
    calls::Calls,
    command::{Campaign, Command, Setup},
    publisher::Publisher,
    pushes::{Push, Pushes},
};
use crate::{
    End, Error, ErrorKind, Moment, RandomPart, Timing,
    kernel::{Answer, Bounds, Event, Kernel, View},
    time::{term::Term, warden::Warden},
};

pub(crate) struct Driver {
    pub(super) kernel: Kernel,
    pub(super) bounds: Bounds,
    pub(super) timing: Timing,
    /// `name` and random part, for logs.
    pub(super) candidate: Arc<str>,
    pub(super) lease: Arc<str>,
    pub(super) warden: Warden,
    pub(super) calls: Calls,
    pub(super) pushes: Pushes,
    pub(super) publisher: Publisher,
    pub(super) state: State,
    /// When the kernel wants to be called again, and when that was asked for.
    pub(super) timer: Option<(Moment, u64, BoxFuture<'static, ()>)>,
    pub(super) stepping_down: Vec<oneshot::Sender<bool>>,
    /// Who waits until nothing is left to be given back.
    pub(super) settling: Vec<oneshot::Sender<()>>,
    /// What was logged of the watch, until it shows something again.
    pub(super) watch_trouble: Vec<Option<ErrorKind>>,
    /// What it has shown since it broke: the first is no news, and shown by a look.
    pub(super) watch_shown: usize,
    /// What was logged of the present term.
    pub(super) told: Told,
    /// Wants to lead once the term whose guard is gone has been given back.
    pub(super) next: Option<Campaign>,
}

#[derive(Default)]
pub(super) struct Told {
    pub(super) stopping: bool,
    pub(super) end: bool,
}

pub(super) enum State {
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
    /// The campaign's future was dropped, or its shutdown was asked for.
    Withdrawn,
    /// The end of the present term was asked for.
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
        let name: Arc<str> = format!("{}_{part}", candidate.name()).into();
        Self {
            kernel: Kernel::new(candidate.shared_name(), part, bounds),
            bounds,
            timing,
            candidate: name.clone(),
            lease: lease.clone(),
            warden,
            pushes: Pushes::new(lock.clone(), clock.clone(), timing.retry_interval()),
            calls: Calls::new(lock, clock, timing.call_timeout()),
            publisher: Publisher::new(lease, name, status),
            state: State::Idle,
            timer: None,
            stepping_down: Vec::new(),
            settling: Vec::new(),
            watch_trouble: Vec::new(),
            watch_shown: 0,
            told: Told::default(),
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
                Woken::Withdrawn => self.withdrawn(),
                Woken::Shutdown | Woken::Stopping => Some(Event::Resign),
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
            if matches!(self.kernel.view(), View::Idle) {
                for reply in self.settling.drain(..) {
                    // Who does not wait any more does not need to know.
                    let _ = reply.send(());
                }
            }
        }
    }

    async fn wait(
        &mut self,
        commands: &mut mpsc::UnboundedReceiver<Command>,
        deserted: bool,
    ) -> Woken {
        let view = self.kernel.view();
        let leads = matches!(view, View::Leading { .. });
        let holds = leads || matches!(view, View::Draining { .. });
        let works = holds || matches!(view, View::Ended(_));
        let Self { state, next, calls, pushes, timer, .. } = self;
        let (mut pending, mut term, mut shutdown) = (next.as_mut(), None, None);
        match state {
            State::Idle => {}
            State::Campaigning(campaign) => pending = Some(campaign),
            State::Leading(current, asked) => {
                term = Some(&**current);
                shutdown = Some(&*asked);
            }
        }
        let (cancelled, reply) =
            pending.map(|campaign| (&campaign.shutdown, &mut campaign.reply)).unzip();
        // Heard already, by `stopping`: the term is over, and renewed until its work has ended.
        let resigned = term.is_some_and(|term| term.why() == Some(End::Resigned));
        tokio::select! {
            // What ends a term comes first, and news of it before the passing of time.
            biased;
            () = of(term, |term| term.ended().cancelled()), if holds && !resigned => Woken::Ended,
            () = of(term, |term| term.work.wait()), if works => Woken::WorkEnded,
            () = of(term, |term| term.stopping().cancelled()), if leads => Woken::Stopping,
            () = of(shutdown, |shutdown| shutdown.cancelled()), if leads => Woken::Shutdown,
            () = of(cancelled, |shutdown| shutdown.cancelled()) => Woken::Withdrawn,
            () = of(reply, |reply| reply.closed()) => Woken::Withdrawn,
            command = commands.recv(), if !deserted => Woken::Command(command),
            answer = calls.answer() => Woken::Answer(answer),
            push = pushes.next() => Woken::Push(push),
            () = of(timer.as_mut(), |(_, _, sleep)| sleep) => Woken::Timer,
        }
    }

    pub(super) fn step(&mut self, event: Event) {
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
        self.publisher.publish(view, term, self.kernel.evidence());
        self.pushes.set_wanted(!matches!(view, View::Idle));
        let timer = self.kernel.next_timer(now);
        if let Some(after) = timer {
            let waits = matches!(view, View::Standby) && after > self.bounds.lease;
            self.publisher
                .waits(waits.then(|| Duration::from_nanos(after)), self.kernel.evidence());
        }
        self.timer = timer.map(|after| {
            let (clock, rest) = (&self.calls.clock, Duration::from_nanos(after));
            let stands_by = matches!(view, View::Standby);
            (now, after, if stands_by { clock.sleep_exactly(rest) } else { clock.sleep(rest) })
        });
    }
}

/// If the runtime ends, or a backend panics, nothing renews the term any more: it ends at once. The
/// lock is kept by the term, for its work may go on elsewhere.
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
