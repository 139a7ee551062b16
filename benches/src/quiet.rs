use std::time::Duration;

use anyhow::Result;

use crate::{
    group::{Cast, Group},
    outcome::Ledger,
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
                    Ok(group) => self.counted(store, Some(group), each).await,
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
                    let these = ledger.rows.iter_mut().filter(|row| {
                        (&row.store, &row.program, row.timing)
                            == (&store.name, &cast.program.name, cast.timing)
                    });
                    for row in these {
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
    async fn counted(&self, store: &Store, group: Option<Group>, each: Duration) -> Result<f64> {
        /// For standbys that have just come to have seen what they want to see.
        const SETTLE: Duration = Duration::from_millis(500);
        let Some(mut group) = group else {
            let before = store.requests().await?;
            tokio::select! {
                () = tokio::time::sleep(each) => {}
                () = self.interrupt.cancelled() => {}
            }
            return Ok(store.requests().await? - before);
        };
        let counted = async {
            group.listen(SETTLE).await?;
            let before = store.requests().await?;
            group.listen(each).await?;
            Ok(store.requests().await? - before)
        };
        let counted = counted.await;
        group.disperse().await;
        counted
    }
}
