use std::{sync::Arc, time::Duration};

use futures::future::BoxFuture;

use crate::{
    Clock, Error, ErrorKind, LeaseLock, Moment, Tenure,
    kernel::{Answer, Request},
};

/// The one request that is under way, and its limit in time.
pub(super) struct Calls {
    pub(super) lock: Arc<dyn LeaseLock>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) timeout: Duration,
    flight: Option<BoxFuture<'static, Result<Answer, Error>>>,
}

impl Calls {
    pub(super) fn new(lock: Arc<dyn LeaseLock>, clock: Arc<dyn Clock>, timeout: Duration) -> Self {
        Self { lock, clock, timeout, flight: None }
    }

    /// Sends a request. `now` is the moment that its validity will count from.
    pub(super) fn send(&mut self, now: Moment, request: Request) {
        let (lock, clock, timeout) = (self.lock.clone(), self.clock.clone(), self.timeout);
        let what = match &request {
            Request::Observe => "read",
            Request::Swap { record, .. } => match record.tenure {
                Tenure::Held { .. } => {
                    tracing::trace!(target: "leasehold::term", at = now.monotonic, "sending");
                    "hold"
                }
                Tenure::Free => "release",
                Tenure::Vacant => "mark",
            },
        };
        self.flight = Some(Box::pin(async move {
            let call = async {
                match request {
                    Request::Observe => lock.observe().await.map(Answer::Observed),
                    Request::Swap { expected, record } => {
                        lock.swap(&expected, &record).await.map(Answer::Swapped)
                    }
                }
            };
            tokio::select! {
                biased;
                answer = call => answer,
                () = clock.sleep(timeout) => Err(Error::new(
                    ErrorKind::Timeout,
                    format!("{what} {}", lock.describe()),
                    format!("no answer in {timeout:?}"),
                )),
            }
        }));
    }

    /// The answer to the request that is under way; never, if there is none.
    ///
    /// Cancel safe: the request goes on when this is dropped.
    pub(super) async fn answer(&mut self) -> Result<Answer, Error> {
        match &mut self.flight {
            Some(flight) => {
                let answer = flight.await;
                self.flight = None;
                answer
            }
            None => std::future::pending().await,
        }
    }
}
