//! The table of promises says what the code says.

use std::{fmt::Write, fs, path::Path};

use leasehold::{
    Guarantees, LeaseLock, LeaseName, connect,
    etcd::{Etcd, EtcdConfig},
    kubernetes::{Kubernetes, KubernetesConfig},
    redis::{Redis, RedisConfig},
};

const BEGIN: &str =
    "<!-- guarantees: made by integration/tests/readme.rs from `LeaseLock::guarantees` -->\n";
const END: &str = "<!-- /guarantees -->";

const KUBECONFIG: &str = "
clusters: [{name: a, cluster: {server: 'https://localhost:6443'}}]
contexts: [{name: a, context: {cluster: a, user: a}}]
users: [{name: a, user: {token: none}}]
current-context: a
";

fn table(backends: &[Guarantees]) -> String {
    let yes = |yes| if yes { "yes" } else { "no" };
    let mut table = String::from(
        "| store | changes are pushed | a crash is proven, not waited out | shortest lease | when the store loses its memory |\n\
         |---|---|---|---|---|\n",
    );
    for Guarantees { backend, memory_loss, pushes, proves_death, shortest_lease, .. } in backends {
        let (pushes, proves_death) = (yes(*pushes), yes(*proves_death));
        writeln!(
            table,
            "| {backend} | {pushes} | {proves_death} | {shortest_lease:?} | {memory_loss} |"
        )
        .expect("a string takes all");
    }
    table
}

#[tokio::test]
async fn the_table_of_the_readme_is_what_the_backends_guarantee() {
    let directory = tempfile::tempdir().unwrap();
    let file = format!("file://{}/jobs", directory.path().display());
    let mut backends = Vec::new();
    for url in ["memory:jobs", &file] {
        backends.push(connect(url).await.unwrap().guarantees());
    }
    // What they promise they say without a server.
    let jobs = || LeaseName::new("jobs").unwrap();
    let redis = Redis::new(RedisConfig::single("localhost", 6379));
    backends.push(redis.lock(jobs()).guarantees());
    let etcd = Etcd::new(EtcdConfig::new([("localhost", 2379)]).unwrap());
    backends.push(etcd.lock(jobs()).guarantees());
    let kubeconfig = directory.path().join("kubeconfig");
    fs::write(&kubeconfig, KUBECONFIG).unwrap();
    let kubernetes = Kubernetes::new(KubernetesConfig::new().with_kubeconfig(kubeconfig)).await;
    backends.push(kubernetes.unwrap().lock(jobs()).unwrap().guarantees());
    let expected = table(&backends);

    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let text = fs::read_to_string(&readme).unwrap();
    let (before, rest) = text.split_once(BEGIN).expect("the table's beginning is marked");
    let (written, after) = rest.split_once(END).expect("the table's end is marked");
    if std::env::var_os("LEASEHOLD_WRITE_README").is_some() {
        fs::write(&readme, format!("{before}{BEGIN}{expected}{END}{after}")).unwrap();
    } else {
        assert_eq!(
            written, expected,
            "the README is behind: write it anew with LEASEHOLD_WRITE_README=1 cargo test -p leasehold-integration --features redis,etcd,kubernetes --test integration readme::"
        );
    }
}
