use percent_encoding::percent_decode_str;

use super::{EtcdServer, ToolError};

/// What nobody may read in a log, and what a URL must not carry as it is.
const CANDIDATES_PASSWORD: &str = "c4nd:d@te/%41?";
const ROOTS_PASSWORD: &str = "r00t@t:r/%42#";
pub(super) const PREFIX: &str = "leasehold/";

/// A name and a password.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Login {
    pub(super) user: String,
    pub(super) password: String,
}

impl Login {
    pub(super) fn candidate() -> Self {
        Self { user: "leasehold".to_owned(), password: CANDIDATES_PASSWORD.to_owned() }
    }

    /// Of `user:password`, as a URL has it.
    pub(super) fn of_a_url(text: &str) -> Self {
        let (user, password) = text.split_once(':').unwrap_or((text, ""));
        let [user, password] =
            [user, password].map(|part| percent_decode_str(part).decode_utf8_lossy().into_owned());
        Self { user, password }
    }

    pub(super) fn root() -> Self {
        Self { user: "root".to_owned(), password: ROOTS_PASSWORD.to_owned() }
    }
}

/// From now on everybody needs a password.
pub(super) fn set_up(server: &EtcdServer) -> Result<(), ToolError> {
    let (candidate, root) = (Login::candidate(), Login::root());
    let added = |login: &Login| format!("{}:{}", login.user, login.password);
    let steps: [&[&str]; 7] = [
        &["user", "add", &added(&root)],
        &["user", "grant-role", "root", "root"],
        &["role", "add", "leasehold"],
        &["role", "grant-permission", "leasehold", "--prefix=true", "readwrite", PREFIX],
        &["user", "add", &added(&candidate)],
        &["user", "grant-role", &candidate.user, "leasehold"],
        &["auth", "enable"],
    ];
    for words in steps {
        server.etcdctl_of(None, words)?;
    }
    Ok(())
}
