use std::fmt;

/// One member, as its clients reach it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    /// An IPv6 address is without its brackets, as a resolver takes it.
    pub(crate) host: String,
    pub(crate) port: u16,
}

/// As one reads it in an error: `10.0.0.5:2379`, `[::1]:2379`.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}
