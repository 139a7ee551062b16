use leasehold_core::{Error, ErrorKind};
use percent_encoding::percent_decode_str;
use url::Host;

use crate::HostPort;

/// What a URL has to look like, as an error shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Form(pub &'static str);

impl Form {
    /// [`ErrorKind::Invalid`], for this reason, and with the form. The reason must not repeat what
    /// may be a piece of a password.
    pub fn refuse(self, why: impl AsRef<str>) -> Error {
        invalid("use the URL", format!("{}; the form is {}", why.as_ref(), self.0))
    }

    /// Without percent-encoding.
    ///
    /// # Errors
    /// It is not UTF-8 then.
    pub fn decoded(self, text: &str) -> Result<String, Error> {
        let decoded = percent_decode_str(text).decode_utf8();
        decoded.map(Into::into).map_err(|_| self.refuse("its percent-encoding is not UTF-8"))
    }

    /// A `host`, or `host:port`.
    ///
    /// # Errors
    /// It is none. What is there is not repeated, not even a port: where a password holds a `/` that
    /// should have been `%2F`, what is in front of it stands where a port does.
    pub fn host(self, text: &str, default: u16) -> Result<HostPort, Error> {
        // The colons of an IPv6 address are inside of brackets.
        let end = text.find(']').map_or(0, |bracket| bracket + 1);
        let (name, port) = match text[end..].split_once(':') {
            Some((name, port)) => (&text[..end + name.len()], Some(port)),
            None => (text, None),
        };
        if port.is_some_and(|port| port.contains(':')) {
            return Err(self.refuse("a host has several colons: write an IPv6 address as [::1]"));
        }
        if name.is_empty() {
            return Err(self.refuse("a host is missing"));
        }
        let port = match port {
            None => default,
            Some(port) => number(port).filter(|port| *port != 0).ok_or_else(|| {
                self.refuse("what follows the colon behind a host is no port from 1 to 65535")
            })?,
        };
        match Host::parse(name) {
            Ok(Host::Domain(name)) => Ok(HostPort::new(name, port)),
            Ok(Host::Ipv4(address)) => Ok(HostPort::new(address.to_string(), port)),
            Ok(Host::Ipv6(address)) => Ok(HostPort::new(address.to_string(), port)),
            Err(error) => Err(self.refuse(format!("what stands for a host is none: {error}"))),
        }
    }
}

/// Digits alone: a number's parser takes a sign, too.
pub fn number<N: std::str::FromStr>(text: &str) -> Option<N> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// An error of the kind [`ErrorKind::Invalid`].
pub fn invalid(operation: impl Into<String>, message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Invalid, operation.into(), message.into())
}
