//! What is asked beside the election. It shares no connection with it: a Pod that takes its time (a
//! webhook may look at it first) must not make anybody doubt the connections of a lease.

use std::time::Duration;

use kube::Client;

use crate::{Kubernetes, error};

/// How long an answer is waited for.
const LONGEST_CALL: Duration = Duration::from_secs(5);

pub(crate) enum Trouble {
    /// By the apiserver's own word: to ask again at once is of no use.
    Refused(String),
    /// It may have been done, or be done yet.
    Unknown(String),
}

/// Asks on a new connection: there is seldom anything to be asked, and one that was idle for so long
/// may lead nowhere.
pub(crate) async fn ask<T>(
    kubernetes: &Kubernetes,
    operation: &str,
    call: impl AsyncFnOnce(Client) -> kube::Result<T>,
) -> Result<T, Trouble> {
    let asked = async {
        let client =
            kubernetes.aside().await.map_err(|error| Trouble::Unknown(error.to_string()))?;
        call(client).await.map_err(|error| match error {
            kube::Error::Api(status) if is_refusal(status.code) => {
                Trouble::Refused(format!("{operation}: {}", status.message))
            }
            kube::Error::Api(status) => {
                Trouble::Unknown(format!("{operation}: {} {}", status.code, status.message))
            }
            error => {
                let (server, namespace) = (kubernetes.server(), kubernetes.namespace());
                Trouble::Unknown(error::failed(operation, server, namespace, error).to_string())
            }
        })
    };
    match tokio::time::timeout(LONGEST_CALL, asked).await {
        Ok(answer) => answer,
        Err(_) => Err(Trouble::Unknown(error::too_late(operation, LONGEST_CALL).to_string())),
    }
}

/// 401 is none: credentials are renewed.
fn is_refusal(code: u16) -> bool {
    matches!(code, 403 | 404 | 405 | 409 | 422)
}
