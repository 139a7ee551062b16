use std::fmt;

/// Where one server is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HostPort {
    /// An IPv6 address is without its brackets, as a resolver takes it.
    pub host: String,
    /// Of TCP.
    pub port: u16,
}

impl HostPort {
    /// This port of this host.
    pub fn new(host: impl Into<String>, port: u16) -> Self {
        Self { host: host.into(), port }
    }
}

/// As one reads it in an error: `10.0.0.5:2379`, `[::1]:2379`.
impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}
