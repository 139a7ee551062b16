//! The contract, one test for each sentence.

use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf, sync::Arc};

use async_trait::async_trait;
use leasehold_core::{LeaseLock, LeaseName};
use leasehold_file::FileLock;
use leasehold_testkit::{
    conformance,
    conformance::{Feat, Fixture, Garbage},
};
use tempfile::TempDir;

conformance!(file, FileFixture::new());

const LEASE: &str = "jobs";

struct FileFixture {
    directory: TempDir,
}

impl FileFixture {
    fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    fn open(&self, name: &str) -> Arc<dyn LeaseLock> {
        Arc::new(FileLock::open(self.directory.path(), LeaseName::new(name).unwrap()).unwrap())
    }

    /// The record files, the newest last.
    fn records(&self) -> Vec<(u64, PathBuf)> {
        let mut records: Vec<_> = fs::read_dir(self.directory.path())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter_map(|path| {
                let name = path.file_name()?.to_str()?;
                Some((name.strip_prefix("jobs.")?.parse().ok()?, path))
            })
            .collect();
        records.sort();
        records
    }
}

#[async_trait]
impl Fixture for FileFixture {
    async fn lock(&self) -> Arc<dyn LeaseLock> {
        self.open(LEASE)
    }

    async fn other_lock(&self) -> Arc<dyn LeaseLock> {
        self.open("jobs.nightly")
    }

    fn lease_name(&self) -> String {
        LEASE.to_owned()
    }

    fn secrets(&self) -> Vec<String> {
        Vec::new()
    }

    fn compares_era(&self) -> bool {
        true
    }

    async fn delete(&self) {
        for (_, path) in self.records() {
            fs::remove_file(path).unwrap();
        }
    }

    async fn garble(&self, garbage: Garbage) -> Feat {
        let (number, newest) = self.records().pop().unwrap();
        let bytes = garbage.bytes();
        // As the record in a whole file, where it can be; else as all that is in the file.
        let bytes = match str::from_utf8(&bytes) {
            Ok(record) if serde_json::from_str::<serde_json::Value>(record).is_ok() => {
                let version = match garbage {
                    Garbage::AbsurdVersion => u64::MAX,
                    _ => number,
                };
                format!(r#"{{"record":{record},"version":{version},"alive":null}}"#).into_bytes()
            }
            _ => bytes,
        };
        let other = self.directory.path().join("other");
        fs::write(&other, bytes).unwrap();
        fs::rename(other, newest).unwrap();
        Feat::Done
    }

    async fn renew_era(&self) -> Feat {
        Feat::Impossible("the era is this host's boot; tests/boot.rs writes what another boot left")
    }

    async fn forget(&self) -> Feat {
        self.delete().await;
        Feat::Done
    }

    async fn touch(&self) -> Feat {
        let (_, newest) = self.records().pop().unwrap();
        fs::File::options().append(true).open(&newest).unwrap();
        fs::set_permissions(&newest, PermissionsExt::from_mode(0o640)).unwrap();
        fs::hard_link(&newest, self.directory.path().join("backup of jobs")).unwrap();
        Feat::Done
    }
}
