//! The task that listens to etcd for all who watch.

use std::{future, io, time::Duration};

use etcd_client::{EventType, GetOptions, KeyValue, WatchOptions, WatchResponse, WatchStream};
use futures::{FutureExt, future::BoxFuture};
use leasehold_endpoint::{Connection as _, LONGEST_CALL};
use tokio::time::{self, Instant};

use crate::{
    Etcd,
    client::Effect,
    config::Address,
    connection::Connection,
    hub::{News, Range},
    trouble::Trouble,
    txn::{Seen, Value},
};

/// How long etcd may take to begin a watch: as long as to connect.
const BEGINNING: Duration = Duration::from_secs(1);

/// How long what etcd is known to have written may be under way to us.
const UNDER_WAY: Duration = Duration::from_millis(100);

/// A watch that lasted so long was a good one: trouble begins anew.
const GOOD: Duration = Duration::from_secs(1);

pub(crate) struct Listener {
    etcd: Etcd,
    /// Up to where changes were told: the cluster, and the revision. None: they have to be looked
    /// for.
    told: Option<(u64, i64)>,
    /// Of what.
    range: Range,
    /// The present watch was asked for: there was a connection.
    asked: bool,
    /// Something was told by it.
    good: bool,
    ended: bool,
}

/// Why a watch ended.
enum End {
    /// Nobody listens any more.
    Unwanted,
    /// Somebody listens to more than was asked for, or nobody knows whether all was told.
    Anew,
    /// What is to come is no continuation of what was told: it has to be looked for.
    Gap,
    /// It is tried again, for another member may do better.
    Broke(Trouble, Address),
}

impl Listener {
    pub(crate) const fn new(etcd: Etcd) -> Self {
        Self { etcd, told: None, range: Range::Prefix, asked: false, good: false, ended: false }
    }

    pub(crate) async fn run(mut self) {
        let mut failures = 0;
        loop {
            // Another member is asked at once.
            if failures != 1 {
                let rest = self.etcd.hub().readers().rest();
                rest.await;
            }
            let began = Instant::now();
            (self.asked, self.good) = (false, false);
            let end = self.listen().await;
            let good = self.good || began.elapsed() > GOOD;
            if good {
                failures = 0;
            }
            // Between connections in vain there are pauses already.
            let in_vain = self.asked && matches!(end, End::Gap | End::Broke(..));
            self.etcd.hub().readers().hear_nothing(good, in_vain);
            match end {
                End::Unwanted => {
                    if self.etcd.hub().readers().are_gone() {
                        self.ended = true;
                        return;
                    }
                }
                End::Anew => {}
                End::Gap if failures <= self.etcd.rotation().len() => {
                    failures += 1;
                    self.told = None;
                }
                End::Gap => return,
                End::Broke(trouble, member) => {
                    failures += 1;
                    let hopeless = !trouble.is_the_members() && !trouble.is_a_login_that_ended();
                    if hopeless || failures > self.etcd.rotation().len() {
                        self.ended = true;
                        let why = News::Broke(trouble, member);
                        return self.etcd.hub().readers().end(Some(why));
                    }
                }
            }
        }
    }

    /// One watch, on one connection, from its beginning to its end.
    async fn listen(&mut self) -> End {
        let etcd = self.etcd.clone();
        let visit = etcd.rotation().visit();
        let member = visit.host.address.clone();
        let connection = match visit.connection().await {
            Ok(connection) => connection,
            Err(trouble) => {
                visit.ends(!trouble.is_the_members());
                return End::Broke(trouble, member);
            }
        };
        self.asked = true;
        let end = match self.begin(&connection).await {
            Ok(stream) => self.follow(&connection, stream).await,
            Err(end) => Err(end),
        };
        match end {
            Ok(end) => {
                visit.ends(true);
                end
            }
            Err(None) => {
                visit.ends(true);
                End::Gap
            }
            Err(Some(trouble)) => {
                let trouble = trouble.of_an_open_connection();
                let retired = !connection.is_good();
                if trouble.is_a_login_that_ended() || trouble.breaks_the_connection() {
                    connection.retire();
                }
                // Whoever has retired the connection has also said whether the member is to blame.
                visit.ends(retired || !trouble.is_the_members());
                End::Broke(trouble, member)
            }
        }
    }

    /// Asks for all that comes after what was told, and awaits that it will be.
    async fn begin(&mut self, connection: &Connection) -> Result<WatchStream, Option<Trouble>> {
        let mut options = WatchOptions::new().with_fragment();
        self.range = self.etcd.hub().readers().choose_range();
        let from = match &self.range {
            Range::Key(key) => key.clone(),
            Range::Prefix => {
                options = options.with_prefix();
                self.etcd.config().prefix().to_owned()
            }
        };
        if let Some((_, revision)) = self.told {
            // Once more: of what one transaction has written, some may have been under way.
            options = options.with_start_revision(revision);
        }
        let mut client = connection.watch_client();
        let begun = time::timeout(BEGINNING, async {
            let mut stream = client.watch(from, Some(options)).await?;
            let first = stream.message().await?;
            Ok::<_, etcd_client::Error>((stream, first))
        });
        let (stream, first) = tokio::select! {
            begun = begun => match begun {
                Ok(begun) => begun.map_err(|error| Some(error.into()))?,
                Err(_) => return Err(Some(Trouble::Late(BEGINNING))),
            },
            () = connection.ended() => return Err(end()),
        };
        let first = first.ok_or_else(end)?;
        refused(&first)?;
        let header = first.header().ok_or_else(end)?;
        let (cluster, revision) = (header.cluster_id(), header.revision());
        let missed = match self.told {
            None => {
                self.told = Some((cluster, revision));
                true
            }
            // Of another memory: what was asked for may come after hours, or never.
            Some((known, told)) if known != cluster || told > revision => return Err(None),
            Some(_) => false,
        };
        self.etcd.hub().readers().hear_all(missed);
        Ok(stream)
    }

    /// Tells what comes, until nobody wants to know or nothing comes any more.
    async fn follow(
        &mut self,
        connection: &Connection,
        mut stream: WatchStream,
    ) -> Result<End, Option<Trouble>> {
        let etcd = self.etcd.clone();
        let mut heard = Instant::now();
        let mut check = None;
        // What etcd has, and we were not told, and how long we wait for it.
        let mut missing: Option<(i64, Instant)> = None;
        loop {
            let Some(lease) = etcd.hub().readers().shortest_lease() else {
                return Ok(End::Unwanted);
            };
            if etcd.hub().readers().want_more() {
                // All that others have written since would be told, perhaps an hour of it.
                self.told = None;
                return Ok(End::Anew);
            }
            let overdue = missing.map(|(_, until)| until);
            tokio::select! {
                message = stream.message() => {
                    self.tell(&message.map_err(|error| Some(error.into()))?.ok_or_else(end)?)?;
                    heard = Instant::now();
                    missing = missing.filter(|(newest, _)| self.lacks(*newest));
                }
                () = connection.ended() => return Err(end()),
                () = etcd.hub().changed() => {}
                () = time::sleep_until(heard + lease), if check.is_none() && missing.is_none() => {
                    check = Some(self.check(lease).boxed());
                }
                newest = or_never(&mut check) => {
                    check = None;
                    heard = Instant::now();
                    // The one who asked has said whether the connection, or a member, is to blame.
                    let Some(newest) = newest else { return Ok(End::Anew) };
                    missing = self.lacks(newest).then(|| (newest, heard + UNDER_WAY));
                }
                () = time::sleep_until(overdue.unwrap_or(heard)), if overdue.is_some() => {
                    return Err(end());
                }
            }
        }
    }

    fn lacks(&self, revision: i64) -> bool {
        self.told.is_some_and(|(_, told)| told < revision)
    }

    fn tell(&mut self, message: &WatchResponse) -> Result<(), Option<Trouble>> {
        refused(message)?;
        let header = message.header().ok_or_else(end)?;
        let cluster = header.cluster_id();
        let etcd = self.etcd.clone();
        let readers = etcd.hub().readers();
        for (event, kept) in message.events().iter().filter_map(|event| Some((event, event.kv()?)))
        {
            let revision = kept.mod_revision();
            readers.tell(kept.key(), || {
                let value = match event.event_type() {
                    EventType::Put => Some(Value::new(kept.value())),
                    EventType::Delete => None,
                };
                Seen { cluster, revision, value }
            });
            self.told = Some((cluster, revision));
            self.good = true;
        }
        Ok(())
    }

    /// The revision of something in the range that was written after what was told, by a
    /// linearizable read; 0 where there is nothing. None: nobody knows, or it is another etcd's.
    fn check(&self, lease: Duration) -> impl Future<Output = Option<i64>> + use<> {
        let (etcd, told, range) = (self.etcd.clone(), self.told, self.range.clone());
        async move {
            let (cluster, told) = told?;
            let operation = "see whether the watch is alive";
            let options = GetOptions::new().with_keys_only().with_limit(1);
            let options = options.with_min_mod_revision(told + 1);
            let (from, options) = match range {
                Range::Key(key) => (key, options),
                Range::Prefix => (etcd.config().prefix().to_owned(), options.with_prefix()),
            };
            let ask = etcd.ask(operation, Effect::None, |mut client| {
                let (from, options) = (from.clone(), options.clone());
                async move { client.get(from, Some(options)).await }.boxed()
            });
            let answer = time::timeout(lease.min(LONGEST_CALL), ask).await.ok()?.ok()?;
            if answer.header()?.cluster_id() != cluster {
                return None;
            }
            Some(answer.kvs().first().map_or(0, KeyValue::mod_revision))
        }
    }
}

/// Whatever ends the task: nobody waits for what is told no more.
impl Drop for Listener {
    fn drop(&mut self) {
        if !self.ended {
            self.etcd.hub().readers().end(None);
        }
    }
}

async fn or_never<T>(future: &mut Option<BoxFuture<'static, T>>) -> T {
    match future {
        Some(future) => future.await,
        None => future::pending().await,
    }
}

/// # Errors
/// etcd has ended the watch, or not begun it: because what comes next is compacted, or for what it
/// says.
fn refused(message: &WatchResponse) -> Result<(), Option<Trouble>> {
    match (message.canceled(), message.compact_revision()) {
        (false, _) => Ok(()),
        (true, 0) => Err(Some(Trouble::said(message.cancel_reason()))),
        (true, _) => Err(None),
    }
}

/// A watch that has ended, or that is deaf.
#[expect(clippy::unnecessary_wraps, reason = "as all ends of a watch are told")]
fn end() -> Option<Trouble> {
    Some(io::Error::new(io::ErrorKind::ConnectionAborted, "the watch ended").into())
}
