//! Killing and freezing the leader in the middle of a rotation: there is never half a pair, never a
//! certificate that does not verify, and never a second rotation where one was due.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use leasehold_integration::within;
use rcgen::{KeyPair, PublicKeyData};
use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    sync::mpsc,
};
use x509_parser::pem::parse_x509_pem;

/// A rotation is due after half of it.
const VALIDITY: Duration = Duration::from_secs(2);
const ROUNDS: usize = 8;

struct Rotators {
    /// The lease, and where the certificates are kept.
    lease: String,
    vault: String,
    kubeconfig: PathBuf,
    said: mpsc::UnboundedSender<(usize, String)>,
    all: Vec<Child>,
}

impl Rotators {
    fn start(&mut self) {
        let at = self.all.len();
        let mut child = Command::new(env!("CARGO_BIN_EXE_certificate_rotator"))
            .arg(format!("rotator-{at}"))
            .args([&self.lease, &self.vault])
            .env("KUBECONFIG", &self.kubeconfig)
            .arg(format!("{}s", VALIDITY.as_secs_f64()))
            .arg("0.1s")
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let said = self.said.clone();
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                let _ = said.send((at, line));
            }
        });
        self.all.push(child);
    }

    fn signal(&self, at: usize, signal: Signal) {
        let pid = Pid::from_raw(self.all[at].id().unwrap().cast_signed()).unwrap();
        kill_process(pid, signal).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_fault_in_the_middle_of_a_rotation_leaves_two_half_a_pair_or_what_does_not_verify() {
    let directory = tempfile::tempdir().unwrap();
    let lease = format!("file://{}/lease", directory.path().display());
    let vault = directory.path().join("certificates");
    rotate(lease, vault.display().to_string(), PathBuf::new(), || {}).await;
    check(&vault);
}

#[cfg(feature = "kubernetes")]
#[tokio::test(flavor = "multi_thread")]
async fn nor_does_it_in_a_secret_of_kubernetes() {
    use std::collections::BTreeMap;

    use leasehold_testkit::kubernetes::Apiserver;

    let server = tokio::task::block_in_place(Apiserver::shared);
    let lease = server.url("lease");
    let (_, query) = lease.split_once("kubeconfig=").expect("it says where its kubeconfig is");
    let path = query.split('&').next().unwrap();
    let kubeconfig = percent_encoding::percent_decode_str(path).decode_utf8().unwrap().into_owned();
    let vault = format!("secret:{}/certificates", server.namespace());
    let verified = || {
        // All of one version, by one request.
        let each = "{{range $name, $text := .data}}#{{$name}}|{{base64decode $text}}{{end}}";
        let words = ["get", "secret", "certificates", &format!("--output=go-template={each}")];
        let data = tokio::task::block_in_place(|| server.kubectl(&words));
        let files: BTreeMap<&str, &str> =
            data.split('#').filter_map(|file| file.split_once('|')).collect();
        let file = |name: &str| files[name];
        verify(file("ca.crt"), file("ca.key"), file("tls.crt"), file("tls.key"));
    };
    rotate(lease.clone(), vault, PathBuf::from(kubeconfig), verified).await;
}

/// Kills and freezes leaders in the middle of rotations, and looks at what is there after each.
async fn rotate(lease: String, vault: String, kubeconfig: PathBuf, look: impl Fn() + Send) {
    let (said, mut lines) = mpsc::unbounded_channel();
    let mut rotators = Rotators { lease, vault, kubeconfig, said, all: Vec::new() };
    for _ in 0..3 {
        rotators.start();
    }
    let (mut rotated, mut last_token) = (Vec::new(), 0);
    // The terms that were struck while a rotation was on its way, and how many they had done.
    let mut struck = Vec::new();
    for round in 0..ROUNDS {
        // In the middle, it has said that it begins, and pauses before it writes; or just after it, when
        // nothing is due for whoever comes next.
        let moment = if round % 4 < 2 { "rotating" } else { "rotated" };
        let (leader, token) = next(&mut lines, moment, last_token, &mut rotated).await;
        if moment == "rotating" {
            struck.push((token, rotations_of(token, &rotated)));
        }
        let freezes = round % 2 == 1;
        rotators.signal(leader, if freezes { Signal::STOP } else { Signal::KILL });
        // Another one does what was due, or will be.
        let (successor, next_token) = next(&mut lines, "rotated", token + 1, &mut rotated).await;
        assert_ne!(successor, leader);
        look();
        if freezes {
            rotators.signal(leader, Signal::CONT);
        } else {
            rotators.start();
        }
        last_token = next_token;
    }
    for at in 0..rotators.all.len() {
        if rotators.all[at].try_wait().unwrap().is_none() {
            rotators.signal(at, Signal::TERM);
            let ended = within("it ends", "", rotators.all[at].wait()).await.unwrap();
            assert!(ended.success(), "rotator-{at}: {ended}");
        }
    }
    look();
    // Each was struck in the middle, unless it was faster than the signal.
    let interrupted = |(token, done): &&(u64, usize)| rotations_of(*token, &rotated) == *done;
    assert!(struck.iter().filter(interrupted).count() > ROUNDS / 4, "{struck:?}: {rotated:?}");
    let issued: Vec<u64> = rotated.iter().map(|(_, issued)| *issued).collect();
    assert!(issued.len() >= ROUNDS, "{issued:?}");
    assert_once_when_due(&issued);
}

fn rotations_of(token: u64, rotated: &[(u64, u64)]) -> usize {
    rotated.iter().filter(|(term, _)| *term == token).count()
}

/// Waits until somebody says this, in a term of this token or a later one.
async fn next(
    lines: &mut mpsc::UnboundedReceiver<(usize, String)>,
    what: &str,
    least: u64,
    rotated: &mut Vec<(u64, u64)>,
) -> (usize, u64) {
    let said = async {
        loop {
            let (at, line) = lines.recv().await.unwrap();
            let mut words = line.split(' ');
            let said = words.next().unwrap();
            let token: u64 = words.next().unwrap().parse().unwrap();
            if said == "rotated" {
                rotated.push((token, words.next().unwrap().parse().unwrap()));
            }
            if said == what && token >= least {
                return (at, token);
            }
        }
    };
    within(what, "", said).await
}

fn check(vault: &Path) {
    let mut generations: Vec<u64> = fs::read_dir(vault)
        .unwrap()
        .filter_map(|entry| {
            let name = entry.unwrap().file_name().into_string().unwrap();
            name.strip_prefix("generation.").map(|number| number.parse().unwrap())
        })
        .collect();
    generations.sort_unstable();
    assert!(generations.iter().copied().eq(1..=generations.len() as u64), "{generations:?}");
    let (mut tokens, mut rotations) = (Vec::new(), Vec::new());
    for generation in generations {
        let directory = vault.join(format!("generation.{generation}"));
        let file = |name: &str| fs::read_to_string(directory.join(name)).unwrap();
        tokens.push(file("token").parse::<u64>().unwrap());
        // A new leader has shown its token before there was anything.
        if directory.join("issued").exists() {
            verify(&file("ca.crt"), &file("ca.key"), &file("tls.crt"), &file("tls.key"));
            rotations.push((file("issued").parse::<u64>().unwrap(), file("tls.crt")));
        }
    }
    assert!(tokens.is_sorted(), "an older term has written after a newer one: {tokens:?}");
    // Generations in which only a token was shown repeat the certificate.
    rotations.dedup();
    let issued: Vec<u64> = rotations.iter().map(|(issued, _)| *issued).collect();
    assert!(issued.len() >= ROUNDS, "{issued:?}");
    assert_once_when_due(&issued);
}

fn assert_once_when_due(issued: &[u64]) {
    let due = (VALIDITY / 2).as_millis() as u64;
    assert!(issued.is_sorted_by(|one, next| *next >= one + due), "rotated twice: {issued:?}");
}

fn verify(authority: &str, authority_key: &str, server: &str, server_key: &str) {
    let (_, authority) = parse_x509_pem(authority.as_bytes()).unwrap();
    let (_, server) = parse_x509_pem(server.as_bytes()).unwrap();
    let (authority, server) = (authority.parse_x509().unwrap(), server.parse_x509().unwrap());
    authority.verify_signature(None).unwrap();
    server.verify_signature(Some(authority.public_key())).unwrap();
    assert_eq!(server.issuer(), authority.subject());
    assert!(authority.validity().not_after >= server.validity().not_after);
    for (certificate, key) in [(&authority, authority_key), (&server, server_key)] {
        let key = KeyPair::from_pem(key).unwrap();
        assert_eq!(certificate.public_key().raw, key.subject_public_key_info());
    }
}
