//! Whom to believe, and what to show: TLS as the kubeconfig or the service account wants it.
//!
//! The client library would do this too, but with whatever provider of cryptography the process
//! has, which it installs where there is none, and panics where there are two to choose from.

use std::{fs, sync::Arc};

use base64::{Engine, engine::general_purpose::STANDARD};
use kube::{Config, config::AuthInfo};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use secrecy::ExposeSecret;

/// # Errors
/// What is wrong with it, as one reads it after "could not use the credentials: ".
pub(crate) fn config(config: &Config) -> Result<ClientConfig, String> {
    if config.accept_invalid_certs {
        return Err("insecure-skip-tls-verify is set, and whoever answers could give the lease \
                    away: name the server's certificate-authority instead"
            .to_owned());
    }
    let provider = CryptoProvider::get_default().cloned();
    let provider = provider.unwrap_or_else(|| Arc::new(ring::default_provider()));
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("{error}; install another provider of cryptography"))?
        .with_root_certificates(roots(config)?);
    match identity(&config.auth_info)? {
        None => Ok(builder.with_no_client_auth()),
        Some((chain, key)) => builder
            .with_client_auth_cert(chain, key)
            .map_err(|error| format!("client-certificate and client-key: {error}")),
    }
}

fn roots(config: &Config) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    let Some(authorities) = &config.root_cert else {
        // One that cannot be read, among a hundred, is not needed.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        return Ok(roots);
    };
    for authority in authorities {
        roots.add(CertificateDer::from(authority.clone())).map_err(|error| {
            format!("the certificate-authority is none that can be believed: {error}")
        })?;
    }
    Ok(roots)
}

type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

fn identity(auth: &AuthInfo) -> Result<Option<Identity>, String> {
    let key_data = auth.client_key_data.as_ref().map(|key| key.expose_secret());
    let chain = pem(
        "client-certificate",
        auth.client_certificate_data.as_deref(),
        &auth.client_certificate,
    )?;
    let key = pem("client-key", key_data, &auth.client_key)?;
    let (chain, key) = match (chain, key) {
        (Some(chain), Some(key)) => (chain, key),
        (None, None) => return Ok(None),
        _ => return Err("client-certificate and client-key go together, and one is missing".into()),
    };
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&chain)
        .collect::<Result<_, _>>()
        .map_err(|error| format!("the client-certificate is not in PEM format: {error}"))?;
    let key = PrivateKeyDer::from_pem_slice(&key)
        // Whatever the parser says of it might repeat it.
        .map_err(|_| "the client-key is no private key in PEM format without a passphrase")?;
    Ok(Some((chain, key)))
}

/// What is there by value, or else in a file.
fn pem(what: &str, data: Option<&str>, file: &Option<String>) -> Result<Option<Vec<u8>>, String> {
    if let Some(data) = data.filter(|data| !data.is_empty()) {
        let data =
            STANDARD.decode(data).map_err(|_| format!("the {what}-data is not in base64"))?;
        return Ok(Some(data));
    }
    let Some(file) = file.as_deref().filter(|file| !file.is_empty()) else { return Ok(None) };
    match fs::read(file) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) => Err(format!("the {what} {file:?} cannot be read: {error}")),
    }
}
