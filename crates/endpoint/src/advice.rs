//! What can be done about what TLS, or the way to a server, refuses.

use leasehold_core::ErrorKind;
use rustls::{AlertDescription, CertificateError};

/// A kind of error, and what to do about it.
pub type Advice = (ErrorKind, String);

/// About what TLS refuses, where a URL without it begins with `plain`, and with it with `over_tls`.
pub fn of_tls(error: &rustls::Error, plain: &str, over_tls: &str) -> Advice {
    let (kind, advice) = match error {
        rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer) => (
            ErrorKind::Invalid,
            "no authority that is trusted has signed its certificate: name that one's with ca=",
        ),
        rustls::Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => (ErrorKind::Invalid, "connect to it by a name that is in its certificate"),
        rustls::Error::InvalidCertificate(_) => {
            (ErrorKind::Unreachable, "see its certificate, and the clock of this host")
        }
        rustls::Error::InvalidMessage(_) => {
            let advice =
                format!("what answers there does not speak TLS: use {plain} instead of {over_tls}");
            return (ErrorKind::Invalid, advice);
        }
        rustls::Error::AlertReceived(
            AlertDescription::CertificateRequired
            | AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
            | AlertDescription::AccessDenied,
        ) => (
            ErrorKind::Denied,
            "it wants a certificate, by an authority that it trusts: name one with cert= and key=",
        ),
        rustls::Error::AlertReceived(AlertDescription::HandshakeFailure) => (
            ErrorKind::Invalid,
            "there is nothing that both sides know: give it TLS 1.2 or newer, and a certificate with a \
             key of P-256, P-384, Ed25519 or RSA",
        ),
        _ => (ErrorKind::Unreachable, "see how TLS is configured there"),
    };
    (kind, advice.to_owned())
}
