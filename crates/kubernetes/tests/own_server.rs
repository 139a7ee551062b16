//! What is done to a whole apiserver, and so to one of its own.

use std::{
    fs,
    sync::{Arc, LazyLock},
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use leasehold_core::{Candidate, Elector, ErrorKind, Status, Timing, create_free};
use leasehold_kubernetes::KubernetesLock;
use leasehold_testkit::kubernetes::{Apiserver, ApiserverOptions};
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair},
};
use rustls::pki_types::{PrivatePkcs8KeyDer, pem::PemObject};
use serde_json::Value;
use tokio::{task, time};
use tokio_util::sync::CancellationToken;

/// Who the manifests are for.
const USER: &str = "leasehold";

/// One that nobody stops.
static SERVER: LazyLock<Apiserver> = LazyLock::new(own);

fn own() -> Apiserver {
    ApiserverOptions::new().own().start().unwrap_or_else(|error| panic!("{error}"))
}

fn manifest(name: &str) -> String {
    fs::read_to_string(format!("{}/manifests/{name}.yaml", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

async fn until(what: &str, is_so: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(30), "not so in time: {what}");
        time::sleep(Duration::from_millis(100)).await;
    }
}

/// A token as the apiserver signs them, but with all of its times so many seconds earlier.
fn signed_earlier(server: &Apiserver, seconds: i64) -> String {
    let token = server.token(USER);
    let mut parts = token.split('.');
    let (header, claims) = (parts.next().unwrap(), parts.next().unwrap());
    let mut claims: Value =
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
    for time in ["iat", "nbf", "exp"] {
        claims[time] = (claims[time].as_i64().unwrap() - seconds).into();
    }
    let signed = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()));
    let pem = fs::read(server.run_directory().join("accounts.key")).unwrap();
    let key = PrivatePkcs8KeyDer::from_pem_slice(&pem).unwrap();
    let random = SystemRandom::new();
    let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
    let key = EcdsaKeyPair::from_pkcs8(algorithm, key.secret_pkcs8_der(), &random).unwrap();
    let signature = key.sign(&random, signed.as_bytes()).unwrap();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_has_expired_is_named() {
    let server = SERVER.new_namespace();
    server.apply(&manifest("role"));
    server.until_may(USER, "update", "leases/jobs", true);
    let url = |token: &str| server.url_with(&server.kubeconfig_with(token), "jobs");
    // It is its time alone that is wrong: it is good for an hour.
    KubernetesLock::connect(&url(&signed_earlier(&server, 1_800))).await.unwrap();
    let expired = signed_earlier(&server, 7_200);
    let error = KubernetesLock::connect(&url(&expired)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied, "{error}");
    assert!(error.to_string().contains("credentials are expired"), "{error}");
    assert!(!format!("{error} {error:?}").contains(&expired), "{error}");
}

/// What an account asks of Leases is of the level for leader election once this is applied.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_flow_schema_is_heeded_by_the_apiserver() {
    SERVER.apply(&manifest("flow-schema"));
    let text = SERVER.kubectl(&["get", "flowschema", "leasehold", "--output=json"]);
    let schema: Value = serde_json::from_str(&text).unwrap();
    let schema = schema["metadata"]["uid"].as_str().unwrap();
    let level = "--output=jsonpath={.metadata.uid}";
    let level = SERVER.kubectl(&["get", "prioritylevelconfiguration", "leader-election", level]);
    // It may not, and is told so, with what the answer was classified as.
    let asks = |verb: &str, what: &str| {
        let account = "--as=system:serviceaccount:default:leasehold";
        let words = [verb, what, "jobs", "--namespace=default", account, "--v=8"];
        SERVER.try_kubectl(&words).unwrap_err().to_string()
    };
    until("heeded", || {
        let said = asks("get", "lease");
        said.contains(schema) && said.contains(&level)
    })
    .await;
    let said = asks("get", "configmap");
    assert!(said.contains("Flowschema-Uid") && !said.contains(schema), "{said}");
}

/// One that has just started refuses for a moment whoever is no operator: it knows no role yet.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_of_the_apiserver_is_survived_with_what_the_manifest_grants() {
    let server = Arc::new(own());
    server.apply(&manifest("role"));
    server.until_may(USER, "update", "leases/jobs", true);
    let seconds = Duration::from_secs;
    let timing = Timing::new(seconds(40), seconds(30), seconds(1)).unwrap();
    let elector = async |name: &str| {
        let lock = KubernetesLock::connect(&server.url_of(USER, "jobs")).await.unwrap();
        create_free(&lock).await.unwrap();
        Elector::new(lock, Candidate::new(name).unwrap()).with_timing(timing)
    };
    let (leader, standby) = (elector("a").await, elector("b").await);
    let shutdown = CancellationToken::new();
    let leadership = leader.campaign(&shutdown).await.unwrap();
    let campaign = async { (standby.campaign(&shutdown).await.unwrap(), Instant::now()) };
    let restart = async {
        let follows = |status: &Status| matches!(status, Status::Following { leader: Some(_) });
        standby.status().wait_for(follows).await.unwrap();
        let restarted = server.clone();
        task::spawn_blocking(move || restarted.restart()).await.unwrap();
        assert!(leadership.is_current());
        // No event to await: the watches pause for 2 s and then 4 s of this process's clock between attempts.
        time::sleep(seconds(2 + 4)).await;
        let resigned = Instant::now();
        leadership.resign().await;
        resigned
    };
    let ((leadership, led), resigned) = futures::future::join(campaign, restart).await;
    let took = led.saturating_duration_since(resigned);
    assert!(took < timing.lease_duration() / 4, "a release was seen after {took:?}");
    leadership.resign().await;
}
