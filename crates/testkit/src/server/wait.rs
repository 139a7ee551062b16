use std::{
    thread,
    time::{Duration, Instant},
};

/// What servers settle among themselves, by gossip and timeouts of seconds.
const LIMIT: Duration = Duration::from_secs(60);

/// Asks again until there is an answer: what servers settle among themselves they tell nobody.
/// None if there is none in time.
pub(crate) fn until<T>(mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + LIMIT;
    loop {
        let answer = ask();
        if answer.is_some() || Instant::now() > end {
            return answer;
        }
        thread::sleep(Duration::from_millis(50));
    }
}
