use std::{fs, io, net::Ipv4Addr, path::Path, sync::Arc};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, Error, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose,
};

pub(crate) const CA: &str = "ca.pem";
pub(crate) const CERTIFICATE: &str = "server.pem";
pub(crate) const KEY: &str = "server.key";
pub(crate) const CLIENT_CERTIFICATE: &str = "client.pem";
pub(crate) const CLIENT_KEY: &str = "client.key";

/// An authority of its own, and what it has signed, in PEM.
#[derive(Clone)]
pub(crate) struct Tls {
    pems: Arc<Pems>,
    /// Whether clients must show a certificate too.
    pub(crate) both_sides: bool,
}

struct Pems {
    ca: String,
    server: (String, String),
    client: (String, String),
}

impl Tls {
    pub(crate) fn new(both_sides: bool) -> Result<Self, Error> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        params.distinguished_name.push(DnType::CommonName, "Leasehold's tests");
        let key = KeyPair::generate()?;
        let ca = params.self_signed(&key)?.pem();
        let issuer = Issuer::new(params, key);

        let signed = |name: &str| {
            let names = vec!["localhost".to_owned(), Ipv4Addr::LOCALHOST.to_string()];
            let mut params = CertificateParams::new(names)?;
            params.distinguished_name.push(DnType::CommonName, name);
            params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
            // A server is a client too: of its master, and of the other nodes of its cluster.
            params.extended_key_usages =
                vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
            let key = KeyPair::generate()?;
            Ok::<_, Error>((params.signed_by(&key, &issuer)?.pem(), key.serialize_pem()))
        };
        let (server, client) = (signed("server")?, signed("client")?);
        Ok(Self { pems: Arc::new(Pems { ca, server, client }), both_sides })
    }

    pub(crate) fn write(&self, directory: &Path) -> io::Result<()> {
        let Pems { ca, server, client } = &*self.pems;
        fs::write(directory.join(CA), ca)?;
        fs::write(directory.join(CERTIFICATE), &server.0)?;
        fs::write(directory.join(KEY), &server.1)?;
        fs::write(directory.join(CLIENT_CERTIFICATE), &client.0)?;
        fs::write(directory.join(CLIENT_KEY), &client.1)
    }

    /// The certificate of the authority.
    #[cfg(feature = "redis")]
    pub(crate) fn ca(&self) -> &str {
        &self.pems.ca
    }

    /// A client's certificate and key, where clients must show one.
    #[cfg(feature = "redis")]
    pub(crate) fn of_a_client(&self) -> Option<(&str, &str)> {
        let (certificate, key) = &self.pems.client;
        self.both_sides.then_some((certificate, key))
    }
}
