//! The conformance suite finds backends out. Each of these breaks one rule of the contract, and is
//! named after it; the suite has to notice.

mod fixture;
mod sinner;

use std::{
    future::Future,
    panic::{self, AssertUnwindSafe},
};

use fixture::SinfulFixture;
use leasehold_testkit::conformance::sentence::{
    absence, cancelling, describing, eras, garbage, observing, racing, swapping, versions, watching,
};
use sinner::Sin;
use tokio::runtime;

/// Runs a sentence of the suite and says whether it fails. Its time is simulated: what hangs is
/// found at once.
fn fails(test: impl Future<Output = ()>) -> bool {
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .expect("a runtime for the test");
    panic::catch_unwind(AssertUnwindSafe(|| runtime.block_on(test))).is_err()
}

macro_rules! finds_out {
    ($($sinner:ident: $sin:ident, $group:ident :: $sentence:ident;)*) => {$(
        #[test]
        fn $sinner() {
            let judge = |sin| fails(async move { $group::$sentence(&SinfulFixture::new(sin)).await });
            assert!(judge(Some(Sin::$sin)), "{} does not notice", stringify!($sentence));
            assert!(!judge(None), "{} fails without a sin", stringify!($sentence));
        }
    )*};
}

finds_out! {
    who_swaps_over_a_version_read_anew: Rereads, swapping::a_swap_over_an_older_version_is_refused;
    who_takes_a_version_of_another_era: IgnoresEra, swapping::a_swap_over_the_version_of_another_era_is_refused;
    who_goes_on_from_a_lost_era: IgnoresEra, eras::a_swap_from_before_a_change_of_era_is_refused;
    who_reports_a_refusal_as_an_error: RefusesByError, swapping::a_refusal_shows_what_is_there_or_nothing;
    who_shows_by_a_refusal_what_was_expected: RefusesBlindly, swapping::a_refusal_shows_what_is_there_or_nothing;
    who_writes_although_it_refuses: WritesAnyway, swapping::a_refusal_changes_nothing;
    who_checks_and_writes_in_two_steps: TwoSteps, racing::of_two_swaps_over_one_observation_exactly_one_is_written;
    who_loses_updates: TwoSteps, racing::many_writers_lose_no_update;
    who_creates_in_two_steps: TwoSteps, racing::of_many_creations_exactly_one_is_written;
    who_resurrects_the_deleted: Resurrects, absence::a_deleted_record_is_never_resurrected;
    who_restarts_versions_after_a_deletion: Restarts, versions::versions_grow_across_deletion_and_recreation;
    who_takes_the_recreated_for_the_deleted: Restarts, absence::a_recreated_record_is_not_taken_for_the_deleted_one;
    who_shows_nothing_as_vacant: InventsVacant, absence::a_deleted_record_is_shown_as_absent;
    who_gives_garbage_away: FreesGarbage, garbage::what_cannot_be_read_is_shown_as_vacant;
    who_shows_garbage_as_nothing: HidesGarbage, garbage::what_cannot_be_read_is_shown_as_vacant;
    who_fails_on_garbage: FailsOnGarbage, garbage::what_cannot_be_read_is_shown_as_vacant;
    who_rounds_durations: RoundsDurations, observing::short_and_long_durations_are_observed_to_the_nanosecond;
    who_trims_names: TrimsNames, observing::odd_holder_names_are_observed_unchanged;
    who_loses_the_stamp: LosesStamp, observing::what_is_written_is_observed_whole;
    who_counts_in_doubles: CountsInDoubles, observing::great_tokens_and_stamps_are_observed_unchanged;
    who_reads_from_a_cache: ReadsFromCache, observing::a_read_that_begins_after_a_write_was_answered_shows_it;
    who_returns_another_version_than_it_wrote: ReturnsExpected, swapping::a_written_swap_returns_what_is_then_observed;
    who_lets_a_dropped_swap_overwrite: OverwritesLate, cancelling::a_dropped_swap_is_not_written_over_a_later_one;
    who_forgets_to_begin_a_watch: BeginsEmpty, watching::a_watch_shows_what_is_there_now;
    who_pushes_only_what_was_there_first: PushesOnce, watching::a_watch_shows_the_writes_of_another_handle;
    who_ends_a_watch_at_a_deletion: EndsAtDeletion, watching::a_watch_goes_on_after_a_deletion;
    who_has_one_watch_at_a_time: OneWatch, watching::a_watch_that_is_dropped_leaves_the_others_alive;
    who_claims_a_death: ClaimsDeath, describing::a_living_holder_is_never_shown_as_gone;
    who_names_nothing: NamesNothing, describing::a_description_names_the_lease;
    who_tells_its_password: TellsSecret, describing::no_description_shows_a_secret;
}
