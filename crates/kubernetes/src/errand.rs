//! What is asked beside the election. It shares no connection with it: a Pod that takes its time (a
//! webhook may look at it first) must not make anybody doubt the connections of a lease.

use std::time::Duration;

use kube::{Client, core::Status};

use crate::{Kubernetes, client::within, error};

/// How long an answer is waited for.
const LONGEST_CALL: Duration = Duration::from_secs(5);

pub(crate) enum Trouble {
    /// By the apiserver's own word: to ask again at once is of no use.
    Refused(Box<Status>),
    /// It may have been done, or be done yet.
    Unknown(String),
}

/// Asks on a new connection: there is seldom anything to be asked, and one that was idle for so long
/// may lead nowhere.
pub(crate) async fn run<T>(
    kubernetes: &Kubernetes,
    operation: &str,
    call: impl AsyncFnOnce(Client) -> kube::Result<T>,
) -> Result<T, Trouble> {
    let asked = async {
        let client = kubernetes.client_of_its_own().await?;
        Ok(call(client).await)
    };
    match within(operation, LONGEST_CALL, asked).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(kube::Error::Api(status))) if is_refusal(status.code) => {
            Err(Trouble::Refused(status))
        }
        Ok(Err(error)) => {
            let (server, namespace) = (kubernetes.server(), kubernetes.namespace());
            Err(Trouble::Unknown(error::failed(operation, server, namespace, error).to_string()))
        }
        Err(error) => Err(Trouble::Unknown(error.to_string())),
    }
}

/// 401 is none: credentials are renewed.
fn is_refusal(code: u16) -> bool {
    matches!(code, 403 | 404 | 405 | 409 | 422)
}
