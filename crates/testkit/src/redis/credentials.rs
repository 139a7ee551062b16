/// What nobody may read in a log, and what a URL must not carry as it is.
const CANDIDATES_PASSWORD: &str = "c4nd:d@te/%41?";
const OPERATORS_PASSWORD: &str = "0per@t:r/%42#";

/// Who may do what at a server.
#[derive(Clone, Debug, Default)]
pub(super) enum Credentials {
    /// Everybody everything.
    #[default]
    Nobody,
    /// Everybody who knows it everything.
    Password(String),
    /// A candidate what it needs, an operator everything, others nothing.
    Users,
}

/// One side's name, if it has one, and password.
pub(super) type Login<'a> = Option<(Option<&'a str>, &'a str)>;

impl Credentials {
    pub(super) fn of_a_candidate(&self) -> Login<'_> {
        match self {
            Self::Nobody => None,
            Self::Password(password) => Some((None, password)),
            Self::Users => Some((Some("leasehold"), CANDIDATES_PASSWORD)),
        }
    }

    pub(super) fn of_the_operator(&self) -> Login<'_> {
        match self {
            Self::Users => Some((Some("operator"), OPERATORS_PASSWORD)),
            _ => self.of_a_candidate(),
        }
    }

    /// The lines of the configuration that make it so.
    pub(super) fn lines(&self, cluster: bool) -> Vec<String> {
        match self {
            Self::Nobody => Vec::new(),
            Self::Password(password) => vec![format!("requirepass {}", quoted(password))],
            Self::Users => {
                // To be sent on to where a slot moves.
                let asking = if cluster { " +asking" } else { "" };
                vec![
                    "user default off".to_owned(),
                    format!(
                        "user operator on {} ~* &* +@all",
                        quoted(&format!(">{OPERATORS_PASSWORD}"))
                    ),
                    format!(
                        "user leasehold on {} ~leasehold:* &leasehold:* -@all +eval +evalsha +exists +hmget \
                         +hset +time +info +publish +subscribe +unsubscribe +hello +auth{asking}",
                        quoted(&format!(">{CANDIDATES_PASSWORD}"))
                    ),
                ]
            }
        }
    }

    /// With them a server follows another, now or when it is told to.
    pub(super) fn lines_of_a_replica(&self) -> Vec<String> {
        let Some((user, password)) = self.of_the_operator() else { return Vec::new() };
        let user = user.map(|user| format!("masteruser {user}"));
        user.into_iter().chain([format!("masterauth {}", quoted(password))]).collect()
    }

    /// With them a sentinel gets in there.
    pub(super) fn lines_of_a_sentinel(&self, name: &str) -> Vec<String> {
        let Some((user, password)) = self.of_the_operator() else { return Vec::new() };
        let user = user.map(|user| format!("sentinel auth-user {name} {user}"));
        user.into_iter()
            .chain([format!("sentinel auth-pass {name} {}", quoted(password))])
            .collect()
    }
}

/// As the configuration wants a value that may hold anything.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
