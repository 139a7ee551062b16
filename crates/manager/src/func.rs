use std::{borrow::Cow, fmt, sync::Arc};

use async_trait::async_trait;
use futures::{FutureExt, future::BoxFuture};
use leasehold_core::Leading;

use crate::{BoxError, Group, Runnable, Scope};

type Work = dyn Fn(Scope) -> BoxFuture<'static, Result<(), BoxError>> + Send + Sync;

/// A [`Runnable`] made of closures.
#[derive(Clone)]
pub struct Func {
    name: Arc<str>,
    needs_leader_election: bool,
    group: Group,
    start: Arc<Work>,
    warm_up: Option<Arc<Work>>,
}

impl Func {
    /// One that runs on the leader alone. What it gives to [`Leading::spawn`] ends with the term, and has no
    /// time of its own to drain: a [`Runnable`] has that for what it gives to [`Scope::spawn`].
    pub fn leader_only<W, F>(name: impl Into<Arc<str>>, start: W) -> Self
    where
        W: Fn(Leading) -> F + Send + Sync + 'static,
        F: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        Self::new(name.into(), true, move |scope| match scope.leading() {
            Ok(lead) => start(lead.clone()).boxed(),
            Err(error) => futures::future::err(error.into()).boxed(),
        })
    }

    /// One that runs on every copy.
    pub fn everywhere<W, F>(name: impl Into<Arc<str>>, start: W) -> Self
    where
        W: Fn(Scope) -> F + Send + Sync + 'static,
        F: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        Self::new(name.into(), false, move |scope| start(scope).boxed())
    }

    fn new(
        name: Arc<str>,
        needs_leader_election: bool,
        start: impl Fn(Scope) -> BoxFuture<'static, Result<(), BoxError>> + Send + Sync + 'static,
    ) -> Self {
        let start = Arc::new(start);
        Self { name, needs_leader_election, group: Group::Others, start, warm_up: None }
    }

    /// Sets with whom it starts and stops, if it runs on every copy.
    #[must_use]
    pub const fn in_group(mut self, group: Group) -> Self {
        self.group = group;
        self
    }

    /// Sets its [`warm_up`](Runnable::warm_up), if it runs on the leader alone.
    #[must_use]
    pub fn with_warm_up<W, F>(mut self, warm_up: W) -> Self
    where
        W: Fn(Scope) -> F + Send + Sync + 'static,
        F: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        self.warm_up = Some(Arc::new(move |scope| warm_up(scope).boxed()));
        self
    }
}

#[async_trait]
impl Runnable for Func {
    fn name(&self) -> Cow<'_, str> {
        (&*self.name).into()
    }

    fn needs_leader_election(&self) -> bool {
        self.needs_leader_election
    }

    fn group(&self) -> Group {
        self.group
    }

    async fn start(&self, scope: Scope) -> Result<(), BoxError> {
        (self.start)(scope).await
    }

    async fn warm_up(&self, scope: Scope) -> Result<(), BoxError> {
        match &self.warm_up {
            Some(warm_up) => warm_up(scope).await,
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Func {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, needs_leader_election, group, .. } = self;
        f.debug_struct("Func")
            .field("name", name)
            .field("needs_leader_election", needs_leader_election)
            .field("group", group)
            .finish_non_exhaustive()
    }
}
