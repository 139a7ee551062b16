use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use leasehold_core::{Error, ErrorKind};
use redis::{ClientTlsConfig, TlsCertificates};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};

/// Which certificates are trusted, and which one is shown.
///
/// The server's certificate must be valid for the host (or the IP address) that is connected to,
/// and signed by an authority of the system, or by one of a file ([`with_ca`](Self::with_ca)).
/// There is no way to turn this off.
///
/// Files are read once, when they are named: a process that is to use a renewed certificate makes
/// a new configuration.
///
/// # The process' provider of cryptography
///
/// rustls wants one for the process. One that the program has installed is used; else the first
/// connection installs that of `ring`. A program that depends on another one installs it first
/// thing in `main` (`CryptoProvider::install_default`).
#[derive(Clone, PartialEq, Eq)]
pub struct Tls {
    ca: Option<Pem>,
    /// The certificate and its key.
    client: Option<(Pem, Pem)>,
}

/// A file's content, and its name.
#[derive(Clone, PartialEq, Eq)]
struct Pem {
    path: PathBuf,
    bytes: Arc<[u8]>,
}

impl Tls {
    /// Trusts the authorities of the system, and shows no certificate.
    #[expect(clippy::new_without_default, reason = "there is no default for what one trusts")]
    pub const fn new() -> Self {
        Self { ca: None, client: None }
    }

    /// Trusts only the authorities whose certificates are in this PEM file.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] where the file is missing, or holds no certificate that can be an
    /// authority's; [`ErrorKind::Denied`] where it may not be read.
    pub fn with_ca(mut self, file: impl AsRef<Path>) -> Result<Self, Error> {
        let pem = Pem::read(file.as_ref())?;
        let mut roots = RootCertStore::empty();
        for certificate in pem.certificates()? {
            roots.add(certificate).map_err(|error| {
                pem.refused(format!("{error}; name the certificate of an authority"))
            })?;
        }
        self.ca = Some(pem);
        Ok(self)
    }

    /// Shows the certificate of this PEM file (followed by those that lead to its authority, if
    /// there are any between), whose private key is in the other one, without a passphrase.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] where a file is missing, holds no certificate or no key, or where
    /// the two do not belong together; [`ErrorKind::Denied`] where one may not be read.
    pub fn with_client_certificate(
        mut self,
        certificate: impl AsRef<Path>,
        key: impl AsRef<Path>,
    ) -> Result<Self, Error> {
        let certificate = Pem::read(certificate.as_ref())?;
        let key = Pem::read(key.as_ref())?;
        let chain = certificate.certificates()?;
        let private = PrivateKeyDer::from_pem_slice(&key.bytes).map_err(|_| {
            key.refused("it holds no private key in PEM format that needs no passphrase")
        })?;
        // What the client will do with them at each connection: better refused here.
        ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .and_then(|builder| {
                let trusting_nobody = builder.with_root_certificates(RootCertStore::empty());
                trusting_nobody.with_client_auth_cert(chain, private)
            })
            .map_err(|error| {
                certificate.refused(format!("with the key in {:?}: {error}", key.path))
            })?;
        self.client = Some((certificate, key));
        Ok(self)
    }

    /// As the client takes it.
    pub(crate) fn certificates(&self) -> TlsCertificates {
        TlsCertificates {
            client_tls: self.client.as_ref().map(|(certificate, key)| ClientTlsConfig {
                client_cert: certificate.bytes.to_vec(),
                client_key: key.bytes.to_vec(),
            }),
            root_cert: self.ca.as_ref().map(|ca| ca.bytes.to_vec()),
        }
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls")
            .field("ca", &self.ca.as_ref().map(|ca| &ca.path))
            .field("client", &self.client.as_ref().map(|(shown, key)| (&shown.path, &key.path)))
            .finish()
    }
}

impl Pem {
    fn read(path: &Path) -> Result<Self, Error> {
        let operation = || format!("read the file {path:?} for TLS");
        match fs::read(path) {
            Ok(bytes) => Ok(Self { path: path.to_owned(), bytes: bytes.into() }),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                let message = format!("{error}; let this user read it");
                Err(Error::new(ErrorKind::Denied, operation(), message).with_source(error))
            }
            Err(error) => {
                let message = format!("{error}; name a file in PEM format");
                Err(Error::new(ErrorKind::Invalid, operation(), message).with_source(error))
            }
        }
    }

    fn certificates(&self) -> Result<Vec<CertificateDer<'static>>, Error> {
        match CertificateDer::pem_slice_iter(&self.bytes).collect::<Result<Vec<_>, _>>() {
            Ok(certificates) if !certificates.is_empty() => Ok(certificates),
            Ok(_) => Err(self.refused("it holds no certificate in PEM format")),
            Err(error) => Err(self.refused(format!("it is torn, or not in PEM format: {error}"))),
        }
    }

    fn refused(&self, why: impl Into<String>) -> Error {
        Error::new(ErrorKind::Invalid, format!("use the file {:?} for TLS", self.path), why.into())
    }
}

/// The provider that connections will use.
fn provider() -> Arc<CryptoProvider> {
    CryptoProvider::get_default().cloned().unwrap_or_else(|| Arc::new(ring::default_provider()))
}

/// Sees to it that the process has a provider. Without, and with two of them in the graph of
/// crates, the first connection would panic.
pub(crate) fn install_provider() {
    if CryptoProvider::get_default().is_none() {
        // Lost to another thread: then there is one.
        let _ = ring::default_provider().install_default();
    }
}
