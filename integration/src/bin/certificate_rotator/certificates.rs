//! An authority, and the certificate of a server that it has signed.

use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};

/// The server's name.
const NAME: &str = "webhook.example.svc";

/// The authority lives this many times as long as what it signs.
const AUTHORITY: u32 = 10;

/// All that is rotated together, in PEM.
#[derive(Clone)]
pub(crate) struct Certificates {
    pub(crate) authority: String,
    pub(crate) authority_key: String,
    /// When the authority expires.
    pub(crate) authority_until: SystemTime,
    pub(crate) server: String,
    pub(crate) server_key: String,
    /// When the server's was made.
    pub(crate) issued: SystemTime,
}

impl Certificates {
    /// A new one for the server, by the same authority, unless that would expire before it: then by a
    /// new one.
    pub(crate) fn next_after(old: Option<&Self>, validity: Duration) -> Result<Self, rcgen::Error> {
        let issued = SystemTime::now();
        let living = old.filter(|old| old.authority_until > issued + validity * 2);
        let (authority, authority_key, authority_until) = match living {
            Some(old) => (old.authority.clone(), old.authority_key.clone(), old.authority_until),
            None => new_authority(issued, validity * AUTHORITY)?,
        };
        let key = KeyPair::from_pem(&authority_key)?;
        let issuer = Issuer::from_ca_cert_pem(&authority, key)?;
        let server_key = KeyPair::generate()?;
        let mut params = CertificateParams::new(vec![NAME.to_owned()])?;
        params.distinguished_name.push(DnType::CommonName, NAME);
        params.use_authority_key_identifier_extension = true;
        params.key_usages.push(KeyUsagePurpose::DigitalSignature);
        params.extended_key_usages.push(ExtendedKeyUsagePurpose::ServerAuth);
        params.not_before = issued.into();
        params.not_after = (issued + validity).into();
        let server = params.signed_by(&server_key, &issuer)?;
        Ok(Self {
            authority,
            authority_key,
            authority_until,
            server: server.pem(),
            server_key: server_key.serialize_pem(),
            issued,
        })
    }
}

fn new_authority(
    from: SystemTime,
    validity: Duration,
) -> Result<(String, String, SystemTime), rcgen::Error> {
    let until = from + validity;
    let mut params = CertificateParams::new(Vec::new())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, "an authority of one's own");
    params.key_usages.extend([KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign]);
    params.not_before = from.into();
    params.not_after = until.into();
    let key = KeyPair::generate()?;
    let authority = params.self_signed(&key)?;
    Ok((authority.pem(), key.serialize_pem(), until))
}
