use std::{future::Future, time::Duration};

use anyhow::{Context, Result, ensure};
use etcd_client::{self, Client, ConnectOptions};
use percent_encoding::percent_decode_str;
use tokio::time;

/// Where an election is held.
pub(crate) struct Place {
    pub(crate) client: Client,
    /// What the keys of all candidates begin with.
    pub(crate) keys: String,
}

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(1);

impl Place {
    /// The one that a URL names, of the form `etcd://[user:password@]host:port[,host:port…]/NAME`.
    /// All members are spoken to.
    pub(crate) async fn connect(url: &str) -> Result<Self> {
        const FORM: &str = "etcd://[user:password@]host:port[,host:port…]/NAME is needed";
        let (authority, rest) =
            url.strip_prefix("etcd://").and_then(|rest| rest.split_once('/')).context(FORM)?;
        let name = rest.split(['?', '#']).next().unwrap_or_default();
        ensure!(!name.is_empty(), FORM);
        let mut options = ConnectOptions::new().with_connect_timeout(PATIENCE);
        let members = match authority.rsplit_once('@') {
            None => authority,
            Some((user, members)) => {
                let (user, password) = user.split_once(':').context(FORM)?;
                options = options.with_user(decoded(user)?, decoded(password)?);
                options = options.with_auto_token_refresh(true);
                members
            }
        };
        let members: Vec<_> = members.split(',').map(|member| format!("http://{member}")).collect();
        let client = within(Client::connect(members, Some(options))).await?;
        // Not below `leasehold/`: who watches all of that would be woken by this.
        Ok(Self { client, keys: format!("election/{name}/") })
    }

    /// Gives a lease back, and with it the key. What cannot be given back expires.
    pub(crate) async fn revoke(&self, lease: i64) {
        if let Err(error) = within(self.client.lease_client().revoke(lease)).await {
            eprintln!("its lease is left to expire: {error:#}");
        }
    }
}

/// Waits for an answer, for as long as that makes sense.
pub(crate) async fn within<T>(
    answer: impl Future<Output = Result<T, etcd_client::Error>>,
) -> Result<T> {
    Ok(time::timeout(PATIENCE, answer)
        .await
        .with_context(|| format!("no answer in {PATIENCE:?}"))??)
}

fn decoded(text: &str) -> Result<String> {
    Ok(percent_decode_str(text).decode_utf8()?.into_owned())
}
