use std::sync::{Mutex, PoisonError};

use kube::core::DynamicObject;
use leasehold_core::{Error, ErrorKind, LeaseName, Observation, Record, Swap};
use tokio::sync::watch::Sender;

use crate::{
    Kubernetes,
    judge::{self, Shown, Unshowable},
    record::{self, Name, Step},
    warned::Warned,
};

/// One lease, for its lock and for those who watch.
pub(crate) struct Lease {
    pub(crate) kubernetes: Kubernetes,
    pub(crate) name: String,
    /// As [`LeaseLock::describe`] shows it.
    title: String,
    /// The greatest version that a call was answered with: a watch that does not show it soon is
    /// deaf.
    pub(crate) answered: Sender<u64>,
    /// What is unbelievable is warned of once: the last that was.
    warned_of: Mutex<String>,
    /// That somebody else's candidates stand for it is warned of once.
    warned_of_others: Warned,
    /// That changes are not pushed is warned of once.
    warned_of_blindness: Warned,
}

impl Lease {
    pub(crate) fn new(kubernetes: Kubernetes, name: &LeaseName) -> Self {
        let title = format!(
            "kubernetes lease {name:?} in namespace {:?} at {}",
            kubernetes.namespace(),
            kubernetes.server()
        );
        Self {
            kubernetes,
            name: name.as_str().to_owned(),
            title,
            answered: Sender::new(0),
            warned_of: Mutex::default(),
            warned_of_others: Warned::default(),
            warned_of_blindness: Warned::default(),
        }
    }

    pub(crate) fn title(&self) -> &str {
        &self.title
    }

    pub(crate) fn operation(&self, verb: &str) -> String {
        format!("{verb} {}", self.title)
    }

    /// What is there now.
    pub(crate) async fn observe(&self) -> Result<Observation, Error> {
        let operation = self.operation("read");
        let look = async |api| record::look(&api, &self.name).await;
        match self.kubernetes.ask(&operation, look).await? {
            Some(object) => self.answered(object, &operation),
            None => Ok(judge::absent()),
        }
    }

    /// Replaces exactly the expected observation, or says that it was refused.
    pub(crate) async fn swap(
        &self,
        expected: &Observation,
        record: &Record,
    ) -> Result<Swap, Error> {
        let operation = self.operation("replace");
        let mixed_fleet = self.kubernetes.config().is_mixed_fleet();
        let swap =
            async |api| record::swap(&api, &self.place(), expected, record, mixed_fleet).await;
        match self.kubernetes.ask(&operation, swap).await? {
            Step::Written(object) => Ok(Swap::Written(self.answered(object, &operation)?)),
            Step::Refused => Ok(Swap::Refused(None)),
        }
    }

    /// Does all that an election will write, without doing it.
    pub(crate) async fn rehearse(&self) -> Result<(), Error> {
        let seen = self.observe().await?;
        let operation = self.operation("rehearse a write of");
        let rehearse = async |api| record::rehearse(&api, &self.place(), &seen).await;
        self.kubernetes.ask(&operation, rehearse).await
    }

    fn place(&self) -> Name<'_> {
        Name { namespace: self.kubernetes.namespace(), lease: &self.name }
    }

    /// What a call was answered with.
    fn answered(&self, object: DynamicObject, operation: &str) -> Result<Observation, Error> {
        let seen = self.shown(object, operation)?;
        let number = seen.version.number();
        self.answered.send_if_modified(|greatest| {
            let news = number > *greatest;
            *greatest = number.max(*greatest);
            news
        });
        Ok(seen)
    }

    /// # Errors
    /// The record is of a newer format, or there is no sense in the answer.
    pub(crate) fn shown(
        &self,
        object: DynamicObject,
        operation: &str,
    ) -> Result<Observation, Error> {
        let Shown { observation, flaw, foreign } = judge::shown(object).map_err(|unshowable| {
            let kind = match unshowable {
                Unshowable::Newer(_) => ErrorKind::NewerFormat,
                Unshowable::Nonsense(_) => ErrorKind::Unexpected,
            };
            Error::new(kind, operation.to_owned(), unshowable.to_string())
        })?;
        if let Some(flaw) = flaw {
            let mut warned_of = self.warned_of.lock().unwrap_or_else(PoisonError::into_inner);
            if *warned_of != flaw {
                tracing::warn!(lease = %self.title, "what the Lease says is not believed: {flaw}");
                *warned_of = flaw;
            }
        }
        if foreign && !self.kubernetes.config().is_mixed_fleet() && self.warned_of_others.is_first()
        {
            let holder = observation.record.as_ref().and_then(Record::holder);
            tracing::warn!(
                lease = %self.title,
                holder,
                "candidates of another library stand for this lease: set mixed_fleet on all of ours"
            );
        }
        Ok(observation)
    }

    /// To watch is forbidden: a handover takes as long as a crash.
    pub(crate) fn warn_of_blindness(&self) {
        if self.warned_of_blindness.is_first() {
            tracing::warn!(
                lease = %self.title,
                "this account may not watch the Lease, so that a release is seen no sooner than a \
                 crash: give it the verb \"watch\""
            );
        }
    }
}
