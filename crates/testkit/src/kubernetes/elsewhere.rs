use std::path::{Path, absolute};

use super::{Apiserver, ServerError, access::Access, recipe::PROGRAM};
use crate::server::{Directory, Tool, outcome};

/// Somebody's cluster, and a directory of one's own for what leads there.
pub(super) struct Elsewhere {
    pub(super) access: Access,
    pub(super) directory: Directory,
}

impl Elsewhere {
    pub(super) fn new(kubeconfig: &str) -> Result<Self, ServerError> {
        let directory = Directory::new()?;
        let file = absolute(Path::new(kubeconfig))?;
        let words = ["config", "view", "--minify", "--flatten", "--raw", "--output=json"];
        let words = words.into_iter().map(str::to_owned);
        let words: Vec<String> =
            words.chain([format!("--kubeconfig={}", file.display())]).collect();
        // It says nothing of what is in there, if it fails.
        let said = outcome(Apiserver::TOOL, tool().run(&words));
        let reason = match &said {
            Ok(said) => match Access::of(said) {
                Some(access) => return Ok(Self { access, directory }),
                None => "there is no cluster in its current context".to_owned(),
            },
            Err(error) => error.to_string(),
        };
        Err(ServerError::Setting { variable: PROGRAM.url, reason })
    }
}

pub(super) fn tool() -> Tool {
    Tool::of(Apiserver::TOOL, PROGRAM.find().ok().as_deref())
}
