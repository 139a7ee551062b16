use std::fmt;

/// What a server asks for before it lets anybody in. Its `Debug` shows no password.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// None for Redis' default user, who has a password alone (`requirepass`).
    pub user: Option<String>,
    /// In plain text.
    pub password: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("user", &self.user).finish_non_exhaustive()
    }
}
