use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Who runs at present, by name; one that has spawned tasks is there as often.
#[derive(Clone, Debug, Default)]
pub(crate) struct Running(Arc<Mutex<Vec<Arc<str>>>>);

impl Running {
    pub(crate) fn enter(&self, name: Arc<str>) -> Present {
        self.names_inside().push(name.clone());
        Present { name, running: self.clone() }
    }

    /// Each once.
    pub(crate) fn names(&self) -> Vec<Arc<str>> {
        let mut names = self.names_inside().clone();
        names.sort();
        names.dedup();
        names
    }

    fn names_inside(&self) -> MutexGuard<'_, Vec<Arc<str>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// It runs until this is dropped.
#[derive(Debug)]
pub(crate) struct Present {
    name: Arc<str>,
    running: Running,
}

impl Drop for Present {
    fn drop(&mut self) {
        let mut names = self.running.names_inside();
        if let Some(at) = names.iter().position(|name| *name == self.name) {
            names.swap_remove(at);
        }
    }
}
