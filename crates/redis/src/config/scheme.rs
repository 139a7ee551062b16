use leasehold_core::Error;
use leasehold_endpoint::{Form, Known, invalid};

/// Which kind of place a URL names.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Scheme {
    Single,
    Unix,
    Sentinel,
    Cluster,
}

impl Scheme {
    /// The scheme of a URL, whether it is over TLS, and what comes after it.
    pub(super) fn of(url: &str) -> Result<(Self, bool, &str), Error> {
        let (name, rest) = url.split_once("://").unwrap_or_default();
        let (scheme, tls) = match name.to_ascii_lowercase().as_str() {
            "redis" => (Self::Single, false),
            "rediss" => (Self::Single, true),
            "redis+unix" => (Self::Unix, false),
            "redis+sentinel" => (Self::Sentinel, false),
            "rediss+sentinel" => (Self::Sentinel, true),
            "redis+cluster" => (Self::Cluster, false),
            "rediss+cluster" => (Self::Cluster, true),
            _ => {
                let why = "it begins with none of redis://, redis+unix://, redis+sentinel://, \
                           redis+cluster://, nor, for TLS, rediss://, rediss+sentinel://, \
                           rediss+cluster://";
                return Err(invalid("use the URL", why));
            }
        };
        Ok((scheme, tls, rest))
    }

    pub(super) const fn form(self) -> Form {
        Form(match self {
            Self::Single => "redis://[user:password@]host[:port][/db]#NAME",
            Self::Unix => "redis+unix:///path/to.sock[?db=1&user=…&password=…]#NAME",
            Self::Sentinel => {
                "redis+sentinel://[user:password@]host[:port][,host[:port]…]/MASTER[/db]\
                 [?sentinel_user=…&sentinel_password=…]#NAME"
            }
            Self::Cluster => "redis+cluster://[user:password@]host[:port][,host[:port]…]#NAME",
        })
    }

    /// What may stand behind the question mark.
    pub(super) const fn parameters(self, tls: bool) -> Known {
        let names: &[_] = match (self, tls) {
            (Self::Unix, _) => &["db", "user", "password"],
            (Self::Sentinel, false) => &["sentinel_user", "sentinel_password"],
            (Self::Sentinel, true) => &["sentinel_user", "sentinel_password", "ca", "cert", "key"],
            (Self::Single | Self::Cluster, false) => &[],
            (Self::Single | Self::Cluster, true) => &["ca", "cert", "key"],
        };
        Known { names, over_tls: "rediss" }
    }

    pub(super) fn refuse(self, why: impl AsRef<str>) -> Error {
        self.form().refuse(why)
    }
}
