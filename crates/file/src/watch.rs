use std::{sync::Arc, thread, time::Duration};

use futures::stream::{self, BoxStream};
use leasehold_core::{Error, ErrorKind, Observation, RandomPart, Record};

use crate::{
    inotify::{News, Subscription},
    lock::blocking,
    store::Store,
};

/// The system tells of a close before it releases the file's lock: a microsecond before, or as
/// long as the dying process is kept off its processor in between.
const RELEASED_AFTER: [Duration; 6] = [
    Duration::from_micros(100),
    Duration::from_micros(200),
    Duration::from_micros(400),
    Duration::from_micros(800),
    Duration::from_micros(1600),
    Duration::from_micros(3200),
];

/// Where that was not enough, the pause before the next look, and the longest: a dying process may
/// be kept off its processor for long.
const LOOK_AGAIN: (Duration, Duration) = (Duration::from_millis(10), Duration::from_millis(500));

struct Watch {
    store: Arc<Store>,
    subscription: Option<Subscription>,
    /// What was shown last: most changes in the directory change nothing that is seen.
    shown: Option<Observation>,
    /// Who has closed the file that he keeps locked while he lives, and is not proven to be gone.
    dying: Option<Dying>,
    ended: bool,
}

struct Dying {
    part: RandomPart,
    /// What he had written. Should he write again, he lives.
    record: Option<Record>,
    pause: Duration,
}

/// The observation now, then one after each change.
pub(crate) fn observations(store: Arc<Store>) -> BoxStream<'static, Result<Observation, Error>> {
    let watch = Watch { store, subscription: None, shown: None, dying: None, ended: false };
    Box::pin(stream::unfold(watch, |mut watch| async move {
        if watch.ended {
            return None;
        }
        let next = watch.next().await;
        watch.ended = next.is_err();
        Some((next, watch))
    }))
}

impl Watch {
    async fn next(&mut self) -> Result<Observation, Error> {
        loop {
            let seen = match &mut self.subscription {
                None => {
                    let (subscription, seen) = begin(self.store.clone()).await?;
                    self.subscription = Some(subscription);
                    seen
                }
                Some(subscription) => {
                    let news = match &self.dying {
                        None => subscription.next().await,
                        Some(Dying { pause, .. }) => tokio::select! {
                            news = subscription.next() => news,
                            () = tokio::time::sleep(*pause) => News::default(),
                        },
                    };
                    let closed = news.closed.clone();
                    let seen = look_again(self.store.clone(), news).await?;
                    self.note_dying(&closed, &seen);
                    seen
                }
            };
            if self.shown.as_ref() != Some(&seen) {
                self.shown = Some(seen.clone());
                return Ok(seen);
            }
        }
    }

    fn note_dying(&mut self, closed: &[RandomPart], seen: &Observation) {
        let (first, longest) = LOOK_AGAIN;
        let record = seen.record.as_ref();
        let holds = |part| record.is_some_and(|record| record.is_held_by(part));
        self.dying = match (self.dying.take(), closed.iter().find(|part| holds(**part))) {
            _ if seen.holder_gone => None,
            (_, Some(part)) => Some(Dying { part: *part, record: record.cloned(), pause: first }),
            (Some(dying), None) if holds(dying.part) && dying.record.as_ref() == record => {
                Some(Dying { pause: (dying.pause * 2).min(longest), ..dying })
            }
            _ => None,
        };
    }
}

/// Subscribes first and looks then, so that no change falls between.
async fn begin(store: Arc<Store>) -> Result<(Subscription, Observation), Error> {
    blocking(&store.clone(), move || {
        let subscription = Subscription::new(&store.directory, &store.names)
            .map_err(|errno| store.failed("watching the directory", errno))?;
        Ok((subscription, store.observe()?.observation))
    })
    .await
}

async fn look_again(store: Arc<Store>, news: News) -> Result<Observation, Error> {
    if news.ended {
        return Err(Error::new(
            ErrorKind::Unreachable,
            format!("watch {}", store.title),
            "the directory was moved, deleted or unmounted: see who does that, and watch again",
        ));
    }
    blocking(&store.clone(), move || {
        let mut seen = store.observe()?.observation;
        for pause in RELEASED_AFTER {
            if seen.holder_gone || !closed_by_holder(&news.closed, &seen) {
                break;
            }
            thread::sleep(pause);
            seen = store.observe()?.observation;
        }
        Ok(seen)
    })
    .await
}

fn closed_by_holder(closed: &[RandomPart], seen: &Observation) -> bool {
    seen.record.as_ref().is_some_and(|record| closed.iter().any(|part| record.is_held_by(*part)))
}
