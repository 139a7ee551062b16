//! The contract of [`LeaseLock`](leasehold_core::LeaseLock), one named test for each sentence.
//!
//! A backend brings a [`Fixture`], and [`conformance!`](crate::conformance!) makes the tests of it.
//! Nothing here assumes the speed of one process or versions that grow by one, and nothing waits
//! by the clock where something can be awaited: the same suite runs against memory and against a
//! cluster.

mod expect;
mod fixture;
mod garbage;
mod memory_fixture;
mod run;
mod sentences;
mod writer;

/// The tests themselves, by what they are about. [`conformance!`](crate::conformance!) calls them.
pub mod sentence {
    pub use super::sentences::{
        absence, cancelling, describing, eras, garbage, observing, racing, swapping, versions,
        watching,
    };
}

pub use fixture::{Feat, Fixture};
pub use garbage::Garbage;
pub use memory_fixture::MemoryFixture;
pub use run::run;

/// Makes a module of tests, one for each sentence of the contract, for one backend.
///
/// The second argument gives a [`Fixture`], anew for each test; it may `.await`.
///
/// ```
/// use leasehold_testkit::{conformance, conformance::MemoryFixture};
///
/// conformance!(memory, MemoryFixture::new());
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! conformance {
    ($name:ident, $fixture:expr $(,)?) => {
        mod $name {
            #[allow(unused_imports, reason = "the fixture may need what is around it, or not")]
            use super::*;

            $crate::conformance_tests! { $fixture;
                observing::what_is_written_is_observed_whole
                observing::odd_holder_names_are_observed_unchanged
                observing::short_and_long_durations_are_observed_to_the_nanosecond
                observing::great_tokens_and_stamps_are_observed_unchanged
                observing::a_record_without_a_stamp_is_observed_without_one
                observing::every_handle_observes_the_same
                observing::observing_changes_nothing
                observing::a_read_that_begins_after_a_write_was_answered_shows_it
                observing::nothing_expires
                observing::leases_of_other_names_do_not_disturb_each_other

                absence::a_lease_that_was_never_written_is_shown_as_absent
                absence::a_deleted_record_is_shown_as_absent
                absence::a_record_is_written_where_nothing_is
                absence::a_record_written_where_nothing_is_belongs_to_the_era_it_is_shown_in
                absence::an_operator_makes_a_lease_free_where_nothing_is
                absence::a_swap_over_nothing_is_refused_where_something_is
                absence::a_deleted_record_is_never_resurrected
                absence::a_recreated_record_is_not_taken_for_the_deleted_one

                swapping::a_swap_over_what_is_there_is_written
                swapping::a_written_swap_returns_what_is_then_observed
                swapping::a_swap_over_what_another_handle_observed_is_written
                swapping::a_swap_over_an_older_version_is_refused
                swapping::a_swap_over_a_version_to_come_is_refused
                swapping::a_swap_over_the_version_of_another_era_is_refused
                swapping::a_refusal_shows_what_is_there_or_nothing
                swapping::a_refusal_changes_nothing
                swapping::a_swap_that_is_sent_twice_is_written_once
                swapping::a_renewal_a_release_and_an_acquisition_are_the_same_step

                racing::of_two_swaps_over_one_observation_exactly_one_is_written
                racing::of_many_creations_exactly_one_is_written
                racing::many_writers_lose_no_update
                racing::an_observation_amid_writes_is_never_torn

                versions::versions_grow_with_every_write
                versions::versions_grow_across_a_release
                versions::versions_grow_across_deletion_and_recreation
                versions::no_version_is_above_what_is_believed

                cancelling::a_dropped_swap_is_written_or_not_and_harms_nothing
                cancelling::a_dropped_swap_is_not_written_over_a_later_one
                cancelling::a_dropped_observation_harms_nothing

                garbage::what_cannot_be_read_is_shown_as_vacant
                garbage::what_cannot_be_read_is_replaced_by_an_exact_swap
                garbage::a_swap_over_a_record_that_was_garbled_is_refused
                garbage::a_swap_over_other_garbage_is_refused
                garbage::versions_grow_across_garbage
                garbage::an_absurd_version_is_not_believed
                garbage::a_newer_format_is_an_error_that_names_it
                garbage::a_newer_format_is_never_overwritten

                eras::the_era_stays_while_the_store_does
                eras::another_memory_of_the_store_is_another_era
                eras::a_swap_from_before_a_change_of_era_is_refused
                eras::a_record_from_before_a_change_of_era_keeps_its_own
                eras::a_store_that_forgot_shows_another_era_or_greater_versions
                eras::a_touched_record_is_the_same_record

                watching::a_watch_shows_what_is_there_now
                watching::a_watch_shows_that_nothing_is_there
                watching::a_watch_shows_the_writes_of_another_handle
                watching::a_watch_goes_on_after_a_deletion
                watching::a_watch_shows_only_what_was_there
                watching::a_watch_that_is_dropped_leaves_the_others_alive
                watching::who_watches_late_is_shown_what_is_there_now
                watching::a_watch_of_one_lease_is_not_shown_another

                describing::a_description_names_the_lease
                describing::no_description_shows_a_secret
                describing::guarantees_are_the_same_whenever_they_are_asked
                describing::guarantees_make_sense
                describing::a_living_holder_is_never_shown_as_gone
                describing::only_a_store_that_proves_death_shows_a_holder_as_gone
            }
        }
    };
}

/// What [`conformance!`] expands to.
#[doc(hidden)]
#[macro_export]
macro_rules! conformance_tests {
    ($fixture:expr; $($group:ident :: $sentence:ident)*) => {$(
        #[test]
        fn $sentence() {
            $crate::conformance::run(stringify!($sentence), async {
                let fixture = $fixture;
                $crate::conformance::sentence::$group::$sentence(&fixture).await;
            });
        }
    )*};
}
