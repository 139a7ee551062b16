//! The files that TLS is configured with.

use std::{
    fs,
    path::{Path, PathBuf},
};

use leasehold_core::ErrorKind;
use leasehold_redis::{RedisConfig, Tls};
use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};

/// A directory with an authority `ca.pem`, `own.pem` and `own.key` that belong together, and the
/// key of somebody else, `other.key`.
struct Certificates(tempfile::TempDir);

impl Certificates {
    fn new() -> Self {
        let all = Self(tempfile::tempdir().unwrap());
        let (key, other) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap().pem();
        all.write("ca.pem", &certificate);
        all.write("own.pem", &certificate);
        all.write("own.key", key.serialize_pem());
        all.write("other.key", other.serialize_pem());
        all
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        fs::write(self.path(name), content).unwrap();
        self.path(name)
    }
}

#[test]
fn certificates_are_read_from_the_files_that_are_named() {
    let files = Certificates::new();
    let (ca, own, key) = (files.path("ca.pem"), files.path("own.pem"), files.path("own.key"));
    let own_authority = Tls::new().with_ca(&ca).unwrap();
    let both = own_authority.clone().with_client_certificate(&own, &key).unwrap();
    let (ca, own, key) = (ca.display(), own.display(), key.display());
    for (url, tls) in [
        (format!("rediss://h?ca={ca}#jobs"), &own_authority),
        (format!("rediss://h?key={key}&ca={ca}&cert={own}#jobs"), &both),
        (format!("rediss+cluster://h?ca={ca}&cert={own}&key={key}#jobs"), &both),
        (format!("rediss+sentinel://h/m?ca={ca}&cert={own}&key={key}#jobs"), &both),
    ] {
        let (config, _) = RedisConfig::from_url(&url).unwrap();
        assert_eq!(config.clone().with_tls(tls.clone()), config, "{url}");
        assert_ne!(config.clone().with_tls(Tls::new()), config, "{url}");
        let said = format!("{config:?} {config:#?}");
        assert!(said.contains("ca.pem"), "{said}");
        for file in ["ca.pem", "own.key"] {
            let content = fs::read_to_string(files.path(file)).unwrap();
            let secret = content.lines().nth(1).unwrap();
            assert!(!said.contains(secret), "{said}");
        }
    }
}

#[test]
fn a_file_that_is_no_certificate_is_named_with_what_is_wrong() {
    let files = Certificates::new();
    let ca = fs::read(files.path("ca.pem")).unwrap();
    let torn = [&ca[..ca.len() / 2], b"\n"].concat();
    let unfinished = String::from_utf8(ca.clone()).unwrap().replace("END", "DNE");
    let no_certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let second_broken = [&ca[..], no_certificate.as_bytes()].concat();
    for (name, content, why) in [
        ("empty.pem", &b""[..], "no certificate in PEM format"),
        ("binary.der", &[0x30, 0x82, 0xff, 0x00], "no certificate in PEM format"),
        ("text.pem", b"hello", "no certificate in PEM format"),
        ("torn.pem", &torn, "PEM format"),
        ("unfinished.pem", unfinished.as_bytes(), "PEM format"),
        ("wrong.pem", no_certificate.as_bytes(), "name the certificate of an authority"),
        ("second.pem", &second_broken, "name the certificate of an authority"),
    ] {
        let error = Tls::new().with_ca(files.write(name, content)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
        let said = error.to_string();
        assert!(said.contains(name) && said.contains(why), "{said}");
    }
    let key = Tls::new().with_ca(files.path("own.key")).unwrap_err();
    assert!(key.to_string().contains("no certificate"), "{key}");
}

#[test]
fn a_certificate_without_its_key_is_refused() {
    let files = Certificates::new();
    let encrypted =
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let nonsense = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    files.write("encrypted.key", encrypted);
    files.write("nonsense.key", nonsense);
    for (certificate, key, named, why) in [
        ("own.pem", "other.key", "other.key", "own.pem"),
        ("own.pem", "nonsense.key", "nonsense.key", "own.pem"),
        ("own.pem", "own.pem", "own.pem", "no private key"),
        ("own.pem", "encrypted.key", "encrypted.key", "passphrase"),
        ("own.key", "own.key", "own.key", "no certificate"),
    ] {
        let (certificate, key) = (files.path(certificate), files.path(key));
        let error = Tls::new().with_client_certificate(certificate, key).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
        let said = error.to_string();
        assert!(said.contains(named) && said.contains(why), "{said}");
    }
}

#[test]
fn a_file_that_cannot_be_read_is_named_with_the_reason() {
    let files = Certificates::new();
    let missing = files.path("missing.pem");
    let by_url = format!("rediss://h?ca={}#jobs", missing.display());
    let own = files.path("own.pem");
    for error in [
        RedisConfig::from_url(&by_url).unwrap_err(),
        Tls::new().with_ca(&missing).unwrap_err(),
        Tls::new().with_client_certificate(&own, &missing).unwrap_err(),
        Tls::new().with_client_certificate(&missing, &own).unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
        let said = error.to_string();
        assert!(said.contains("missing.pem") && said.contains("No such file"), "{said}");
    }
    let directory = Tls::new().with_ca(Path::new("/")).unwrap_err();
    assert!(directory.to_string().contains("directory"), "{directory}");
}
