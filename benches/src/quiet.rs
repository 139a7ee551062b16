use std::time::Duration;

use anyhow::Result;

use crate::{
    Row,
    group::{Cast, Group},
    outcome::Ledger,
    row::Lease,
    stage::Stage,
    store::Store,
};

impl Stage {
    /// What the store is asked for by each of these, one after the other, with nobody else there.
    pub(crate) async fn requests(
        &self,
        store: &Store,
        casts: &[Cast],
        each: Duration,
        ledger: &mut Ledger,
    ) {
        let mut usual = None;
        for cast in std::iter::once(None).chain(casts.iter().map(Some)) {
            let counted = match cast {
                None => self.counted(store, None, each).await,
                Some(cast) => match Group::start(cast.clone(), self.interrupt.clone()).await {
                    Ok(mut group) => {
                        let counted = self.counted(store, Some(&mut group), each).await;
                        // What happened in it has happened, whether it was counted or not.
                        let mut lease = Lease { name: cast.name.clone(), ..Lease::default() };
                        lease.close(group).await;
                        self.judge(store, cast, lease, ledger);
                        counted
                    }
                    Err(error) => Err(error),
                },
            };
            if self.interrupt.is_cancelled() {
                return;
            }
            self.progress.tick();
            match (counted, cast) {
                (Ok(count), None) => usual = Some(count),
                (Ok(count), Some(cast)) => {
                    // Less what it does by itself, and what it costs to ask it.
                    let more = (count - usual.unwrap_or_default()).max(0.0);
                    for row in rows_of(store, cast, ledger) {
                        row.requests_per_second = Some(more / each.as_secs_f64());
                    }
                }
                (Err(error), cast) => {
                    let who = cast.map_or("nobody", |cast| cast.program.name.as_str());
                    let text = format!("{}: not counted for {who}: {error:#}", store.name);
                    ledger.warnings.push(self.trouble(text));
                    if cast.is_none() {
                        return;
                    }
                }
            }
        }
    }

    /// How much the store is asked for in a while, with these who campaign, or with nobody.
    async fn counted(
        &self,
        store: &Store,
        group: Option<&mut Group>,
        each: Duration,
    ) -> Result<f64> {
        /// For standbys that have just come to have seen what they want to see.
        const SETTLE: Duration = Duration::from_millis(500);
        let Some(group) = group else {
            let before = store.requests().await?;
            tokio::select! {
                () = tokio::time::sleep(each) => {}
                () = self.interrupt.cancelled() => {}
            }
            return Ok(store.requests().await? - before);
        };
        group.listen(SETTLE).await?;
        let before = store.requests().await?;
        group.listen(each).await?;
        Ok(store.requests().await? - before)
    }

    /// Two at work at once, though nothing was done to anybody, are no better than after a fault:
    /// the lease is added to the first row of the same program at the same timing.
    fn judge(&self, store: &Store, cast: &Cast, lease: Lease, ledger: &mut Ledger) {
        let is_fine = lease.overlaps.is_empty() && lease.stale_tokens.is_empty();
        let (name, program) = (&store.name, &cast.program.name);
        let what = format!(
            "{name}: {program} at {}: while its requests were counted, overlaps: {}, tokens that did not grow: {}",
            cast.timing,
            lease.overlaps.len(),
            lease.stale_tokens.len(),
        );
        let row = rows_of(store, cast, ledger).next();
        let fault = row.as_ref().map(|row| row.fault);
        if let Some(row) = row {
            row.overlaps.extend_from_slice(&lease.overlaps);
            row.stale_tokens.extend_from_slice(&lease.stale_tokens);
            row.leases.push(lease);
        }
        if is_fine {
            return;
        }
        let shown = fault.map_or(String::new(), |fault| format!(", shown with {fault}"));
        ledger.warnings.push(self.trouble(format!("{what}{shown}")));
    }
}

/// The rows of a program on a store at a timing.
fn rows_of<'a>(
    store: &'a Store,
    cast: &'a Cast,
    ledger: &'a mut Ledger,
) -> impl Iterator<Item = &'a mut Row> {
    ledger.rows.iter_mut().filter(|row| {
        (&row.store, &row.program, row.timing) == (&store.name, &cast.program.name, cast.timing)
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::{Fault, Overlap, program::Program, progress::Progress, row::Subject};

    #[test]
    fn two_at_once_while_nothing_was_done_are_a_violation_too() {
        let store = Store::given("redis://127.0.0.1:1/#jobs").unwrap();
        let timing = "1s/700ms/150ms".parse().unwrap();
        let program = Program {
            name: "leasehold".into(),
            path: "leasehold".into(),
            is_peer: false,
            arguments: &[],
            about: "",
            below_a_second: None,
            least_lease: Duration::ZERO,
            waits_out: false,
            keeps_lease: false,
            defaults: None,
        };
        let cast = Cast {
            program: Arc::new(program),
            url: "redis://127.0.0.1:1/#jobs-quiet".into(),
            link: None,
            name: "quiet".into(),
            timing,
            wait: timing.lease,
            contenders: 3,
        };
        let subject = Subject {
            store: "redis".into(),
            program: "leasehold".into(),
            is_peer: false,
            settings: "equal".into(),
            fault: Fault::Resign,
            timing,
        };
        let rows = vec![Row::new(subject, None, Vec::new())];
        let mut ledger = Ledger { rows, ..Ledger::default() };
        let stage = Stage {
            floor: "floor".into(),
            progress: Progress::new(),
            interrupt: CancellationToken::new(),
        };
        stage.judge(&store, &cast, Lease::default(), &mut ledger);
        assert!(!ledger.rows[0].is_violated() && ledger.warnings.is_empty());
        assert_eq!(ledger.rows[0].leases.len(), 1, "its terms were looked through");

        let overlap = Overlap { earlier: Some(1), later: Some(2), nanos: 5 };
        let lease = Lease { overlaps: vec![overlap], ..Lease::default() };
        stage.judge(&store, &cast, lease, &mut ledger);
        assert!(ledger.rows[0].is_violated());
        assert_eq!(
            (&ledger.rows[0].overlaps[..], ledger.rows[0].leases.len()),
            (&[overlap][..], 2)
        );
        assert!(ledger.warnings[0].contains("overlaps: 1,"), "{:?}", ledger.warnings);
    }
}
