use std::{sync::Arc, time::Duration};

use futures::{StreamExt, future::BoxFuture, stream::BoxStream};
use rand::RngExt;

use crate::{Clock, Error, LeaseLock, Observation};

/// What the store pushes, and, while it does not, the turn to look for oneself.
pub(super) struct Pushes {
    lock: Arc<dyn LeaseLock>,
    clock: Arc<dyn Clock>,
    retry: Duration,
    state: State,
}

enum State {
    Off,
    On(BoxStream<'static, Result<Observation, Error>>),
    /// The watch broke: it is opened again after a pause.
    Broken(BoxFuture<'static, ()>),
}

/// Something to be told to the kernel.
pub(super) enum Push {
    Hint(Observation),
    /// The watch has ended; nothing is pushed until it is back.
    Broke(Option<Error>),
    /// The pause is over: the watch was opened again, and one should look meanwhile.
    Again,
}

impl Pushes {
    pub(super) fn new(lock: Arc<dyn LeaseLock>, clock: Arc<dyn Clock>, retry: Duration) -> Self {
        Self { lock, clock, retry, state: State::Off }
    }

    /// Watches while somebody wants to know.
    pub(super) fn set_wanted(&mut self, wanted: bool) {
        match (&self.state, wanted) {
            (State::Off, true) => self.state = State::On(self.lock.watch()),
            (State::On(_) | State::Broken(_), false) => self.state = State::Off,
            _ => {}
        }
    }

    /// The next push; never, while nobody wants to know.
    ///
    /// Cancel safe: nothing is taken from the watch before it is returned.
    pub(super) async fn next(&mut self) -> Push {
        match &mut self.state {
            State::Off => std::future::pending().await,
            State::On(watch) => match watch.next().await {
                Some(Ok(seen)) => Push::Hint(seen),
                end => {
                    // From half the interval to one and a half: many candidates that lost one
                    // store do not come back at one instant.
                    let pause = self.retry.mul_f64(rand::rng().random_range(0.5..1.5));
                    self.state = State::Broken(self.clock.sleep(pause));
                    Push::Broke(end.and_then(Result::err))
                }
            },
            State::Broken(pause) => {
                pause.await;
                self.state = State::On(self.lock.watch());
                Push::Again
            }
        }
    }
}
