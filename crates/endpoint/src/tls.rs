use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use leasehold_core::{Error, ErrorKind};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};

use crate::invalid;

/// Which certificates are trusted, and which one is shown.
///
/// The server's certificate must be valid for the host (or the IP address) that is connected to,
/// and signed by an authority of the system, or by one of a file ([`with_ca`](Self::with_ca)).
/// There is no way to turn this off.
///
/// Files are read when they are named, and the system's authorities (where `SSL_CERT_FILE` and
/// `SSL_CERT_DIR` say, if they are set) at the first connection, and never again: a process that is
/// to use a renewed certificate makes a new configuration.
///
/// The provider of cryptography is the one that the process has installed
/// (`rustls::crypto::CryptoProvider::install_default`), or else that of `ring`. None is installed.
#[derive(Clone)]
pub struct Tls {
    ca: Option<Pem>,
    /// The certificate and its key.
    client: Option<(Pem, Pem)>,
    /// Made of these once: it remembers servers, and the system has many authorities.
    built: Arc<OnceLock<Arc<ClientConfig>>>,
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
    pub fn new() -> Self {
        Self { ca: None, client: None, built: Arc::default() }
    }

    /// Trusts only the authorities whose certificates are in this PEM file.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] where the file is missing, or holds no certificate that can be an
    /// authority's; [`ErrorKind::Denied`] where it may not be read.
    pub fn with_ca(self, file: impl AsRef<Path>) -> Result<Self, Error> {
        let ca = Pem::read(file.as_ref())?;
        ca.authorities()?;
        Ok(Self { ca: Some(ca), built: Arc::default(), ..self })
    }

    /// Shows the certificate of this PEM file (followed by those that lead to its authority, if
    /// there are any between), whose private key is in the other one, without a passphrase.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] where a file is missing, holds no certificate or no key, or where
    /// the two do not belong together; [`ErrorKind::Denied`] where one may not be read.
    pub fn with_client_certificate(
        self,
        certificate: impl AsRef<Path>,
        key: impl AsRef<Path>,
    ) -> Result<Self, Error> {
        let client = Some((Pem::read(certificate.as_ref())?, Pem::read(key.as_ref())?));
        let tls = Self { client, built: Arc::default(), ..self };
        tls.config()?;
        Ok(tls)
    }

    /// For all connections: what they negotiate beyond TLS is added to a copy.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] where the certificate and its key, or the provider and TLS, do not go
    /// together.
    pub fn config(&self) -> Result<Arc<ClientConfig>, Error> {
        if let Some(built) = self.built.get() {
            return Ok(built.clone());
        }
        let roots = match &self.ca {
            Some(ca) => ca.authorities()?,
            None => authorities_of_the_system(),
        };
        let provider = CryptoProvider::get_default().cloned();
        let provider = provider.unwrap_or_else(|| Arc::new(ring::default_provider()));
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| invalid("use TLS", format!("{error}; install another provider")))?
            .with_root_certificates(roots);
        let config = match &self.client {
            None => builder.with_no_client_auth(),
            Some((certificate, key)) => builder
                .with_client_auth_cert(certificate.certificates()?, key.private_key()?)
                .map_err(|error| {
                    certificate.refused(format!("with the key in {:?}: {error}", key.path))
                })?,
        };
        Ok(self.built.get_or_init(|| Arc::new(config)).clone())
    }
}

/// One that cannot be read, among a hundred, is not needed.
fn authorities_of_the_system() -> RootCertStore {
    let found = rustls_native_certs::load_native_certs();
    for error in found.errors {
        tracing::warn!("some of the system's authorities cannot be trusted: {error}");
    }
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    roots
}

/// The same files, with the same content.
impl PartialEq for Tls {
    fn eq(&self, other: &Self) -> bool {
        (&self.ca, &self.client) == (&other.ca, &other.client)
    }
}

impl Eq for Tls {}

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

    fn authorities(&self) -> Result<RootCertStore, Error> {
        let mut roots = RootCertStore::empty();
        for certificate in self.certificates()? {
            roots.add(certificate).map_err(|error| {
                self.refused(format!("{error}; name the certificate of an authority"))
            })?;
        }
        Ok(roots)
    }

    fn private_key(&self) -> Result<PrivateKeyDer<'static>, Error> {
        PrivateKeyDer::from_pem_slice(&self.bytes).map_err(|_| {
            self.refused("it holds no private key in PEM format that needs no passphrase")
        })
    }

    fn refused(&self, why: impl Into<String>) -> Error {
        invalid(format!("use the file {:?} for TLS", self.path), why)
    }
}
