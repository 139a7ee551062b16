use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time;

use crate::monotonic;

/// When which lease changes hands, so that several can be measured side by side and yet never two
/// at the same time: waiting costs no processor time, a handover does.
#[derive(Clone, Debug, Default)]
pub(crate) struct Calendar {
    bookings: Arc<Mutex<Bookings>>,
}

#[derive(Debug, Default)]
struct Bookings {
    next: u64,
    /// From and to, in nanoseconds of the monotonic clock.
    spans: BTreeMap<u64, (u64, u64)>,
}

/// A span of time in which only one lease changes hands. It lasts until it is dropped, should that
/// be later than what was booked.
#[derive(Debug)]
pub(crate) struct Booking {
    key: u64,
    calendar: Calendar,
}

impl Calendar {
    /// How often one looks whether the time is free.
    const LOOK: Duration = Duration::from_millis(1);

    /// Waits until nothing is booked for so long from now, and books that.
    pub(crate) async fn now(&self, length: Duration) -> Booking {
        loop {
            let now = monotonic();
            if let Some(booking) = self.at(now, now + length.as_nanos() as u64) {
                return booking;
            }
            time::sleep(Self::LOOK).await;
        }
    }

    /// Books that span, unless something in it is booked already.
    pub(crate) fn at(&self, from: u64, to: u64) -> Option<Booking> {
        let now = monotonic();
        let mut bookings = self.bookings();
        // What has not been dropped goes on.
        let taken = bookings.spans.values().any(|(f, t)| *f < to && from < (*t).max(now + 1));
        if taken {
            return None;
        }
        let key = bookings.next;
        bookings.next += 1;
        bookings.spans.insert(key, (from, to));
        Some(Booking { key, calendar: self.clone() })
    }

    fn bookings(&self) -> MutexGuard<'_, Bookings> {
        self.bookings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Booking {
    /// The span turned out to be another one.
    pub(crate) fn move_to(&self, from: u64, to: u64) {
        self.calendar.bookings().spans.insert(self.key, (from, to));
    }
}

impl Drop for Booking {
    fn drop(&mut self) {
        self.calendar.bookings().spans.remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_booked_is_taken_until_it_is_dropped() {
        let calendar = Calendar::default();
        let later = monotonic() + 1_000_000_000;
        let first = calendar.at(later, later + 10).unwrap();
        assert!(calendar.at(later + 9, later + 20).is_none());
        assert!(calendar.at(later + 10, later + 20).is_some());
        first.move_to(later + 100, later + 110);
        assert!(calendar.at(later, later + 10).is_some());
        drop(first);
        assert!(calendar.at(later + 100, later + 110).is_some());
    }

    #[test]
    fn what_lasts_longer_than_booked_goes_on() {
        let calendar = Calendar::default();
        let now = monotonic();
        let _overdue = calendar.at(now - 10, now - 5).unwrap();
        let now = monotonic();
        assert!(calendar.at(now, now + 10).is_none());
    }
}
