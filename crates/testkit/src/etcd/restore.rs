use std::{fs, path::Path, sync::atomic::Ordering};

use super::{EtcdServer, ToolError, member};

/// How data are restored from a snapshot (`etcdutl snapshot restore`).
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Restore {
    bump_revision: Option<u64>,
    new_cluster: Option<String>,
}

impl Restore {
    /// With the revisions of the snapshot, into the cluster that it is of: the cluster has the same id
    /// as before.
    pub fn new() -> Self {
        Self::default()
    }

    /// With revisions that are higher by so much, and those before it compacted
    /// (`--bump-revision`, `--mark-compacted`).
    pub fn bump_revision(mut self, by: u64) -> Self {
        self.bump_revision = Some(by);
        self
    }

    /// Into a new cluster, as the documentation of etcd advises (`--initial-cluster-token`): it has
    /// another id.
    pub fn new_cluster(mut self) -> Self {
        self.new_cluster = Some(member::new_token());
        self
    }
}

impl EtcdServer {
    /// Saves all its data (`etcdctl snapshot save`).
    ///
    /// # Errors
    /// If `etcdctl` fails, or the file cannot be written.
    ///
    /// # Panics
    /// If it is not a server of one's own.
    pub fn snapshot(&self, to: &Path) -> Result<(), ToolError> {
        let failed = |error| ToolError::new("etcdctl snapshot save", error);
        // A container can write there, and nowhere else.
        let saved = self.run_directory().join(format!("saved-{:016x}.db", rand::random::<u64>()));
        self.try_etcdctl(&["snapshot", "save", &saved.to_string_lossy()])?;
        fs::copy(&saved, to).map_err(failed)?;
        fs::remove_file(&saved).map_err(failed)
    }

    /// Starts it again at the same address with the data of a snapshot; kills it before, if it runs.
    /// What was written since the snapshot is lost. Returns when it is ready.
    ///
    /// # Panics
    /// If it is not a server of one's own, is a member of an [`EtcdCluster`](super::EtcdCluster), which
    /// has a method of its own, or does not start; with what `etcdutl` says, if that fails.
    pub fn restore(&self, snapshot: &Path, how: &Restore) {
        assert!(
            self.member().seat.is_none(),
            "a cluster is restored as a whole: EtcdCluster::restore"
        );
        self.prepare_to_restore(snapshot, how);
        self.kill();
        self.member().restored.fetch_add(1, Ordering::Relaxed);
        self.restart();
    }

    /// Makes the data that it has when it is started after the next count.
    pub(super) fn prepare_to_restore(&self, snapshot: &Path, how: &Restore) {
        let (own, member) = (self.own(), self.member());
        let copy = own.directory().join("to-be-restored.db");
        fs::copy(snapshot, &copy).unwrap_or_else(|error| panic!("{}: {error}", snapshot.display()));
        let data = own.directory().join(member.data_after(1));
        let token = how.new_cluster.as_ref().unwrap_or(&member.token);
        let mut words = ["snapshot", "restore"].map(str::to_owned).to_vec();
        words.push(copy.display().to_string());
        words.push(format!("--data-dir={}", data.display()));
        words.extend(member.identity(&own.place(), token));
        if let Some(by) = how.bump_revision {
            words.extend([format!("--bump-revision={by}"), "--mark-compacted".to_owned()]);
        }
        self.tool("etcdutl", &words).unwrap_or_else(|error| panic!("{error}"));
    }
}
