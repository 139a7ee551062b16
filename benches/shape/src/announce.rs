use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use http::{Method, Request, Response};
use serde_json::json;
use tower_layer::Layer;
use tower_service::Service;

use crate::{Voice, monotonic};

/// A layer of a client of Kubernetes that tells of each write: just before it leaves, those too that
/// the client repeats by itself, and when it was confirmed. It changes nothing.
#[derive(Clone, Debug)]
pub struct Announce {
    /// None where nothing is to be told.
    voice: Option<Arc<Voice>>,
    validity: Duration,
    hushed: Arc<AtomicBool>,
}

impl Announce {
    /// Tells by this voice that a confirmed write is believed in for so long.
    pub fn new(voice: Option<Arc<Voice>>, validity: Duration) -> Self {
        Self { voice, validity, hushed: Arc::default() }
    }

    /// What is written from now on neither acquires nor renews (a release, for example), or does so
    /// again.
    pub fn hush(&self, hushed: bool) {
        self.hushed.store(hushed, Ordering::Relaxed);
    }
}

impl<S> Layer<S> for Announce {
    type Service = Announcing<S>;

    fn layer(&self, inner: S) -> Announcing<S> {
        Announcing { inner, announce: self.clone() }
    }
}

/// What [`Announce`] makes of a client.
#[derive(Clone, Debug)]
pub struct Announcing<S> {
    inner: S,
    announce: Announce,
}

impl<S, B, A> Service<Request<B>> for Announcing<S>
where
    S: Service<Request<B>, Response = Response<A>>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let Announce { voice, validity, hushed } = &self.announce;
        let writes = [Method::POST, Method::PUT, Method::PATCH].contains(request.method());
        let told = writes && !hushed.load(Ordering::Relaxed);
        let Some(voice) = voice.clone().filter(|_| told) else {
            return Box::pin(self.inner.call(request));
        };
        let sent = monotonic();
        voice.say_at(sent, "sending", json!({}));
        let until = sent + validity.as_nanos() as u64;
        let answer = self.inner.call(request);
        Box::pin(async move {
            let answer = answer.await?;
            if answer.status().is_success() {
                voice.say("renewed", json!({"sent": sent, "until": until}));
            }
            Ok(answer)
        })
    }
}
