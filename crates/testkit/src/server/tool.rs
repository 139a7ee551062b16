use std::{
    env, io,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use super::{ServerError, program};

/// A program of the operator, that comes with a server's.
pub(crate) struct Tool {
    name: &'static str,
    path: Option<PathBuf>,
}

/// What an operator's tool said when it failed.
#[derive(Debug, thiserror::Error)]
#[error("{tool}: {said}")]
pub struct ToolError {
    /// Which of them.
    tool: &'static str,
    said: String,
}

impl ToolError {
    pub(crate) fn new(tool: &'static str, error: impl ToString) -> Self {
        Self { tool, said: error.to_string() }
    }
}

impl From<ToolError> for ServerError {
    fn from(error: ToolError) -> Self {
        Self::Refused(Box::new(error))
    }
}

/// What a tool printed, without the end of the last line.
pub(crate) fn outcome(tool: &'static str, done: io::Result<Done>) -> Result<String, ToolError> {
    match done {
        Ok(done) if done.succeeded => Ok(done.said.trim_end_matches('\n').to_owned()),
        Ok(done) => Err(ToolError::new(tool, done.complained.trim())),
        Err(error) => Err(ToolError::new(tool, error)),
    }
}

/// What it did.
pub(crate) struct Done {
    pub(crate) succeeded: bool,
    pub(crate) said: String,
    pub(crate) complained: String,
}

impl Tool {
    /// The one beside this server's program, else the one on the PATH or kept by a set-up.
    pub(crate) fn of(name: &'static str, server: Option<&Path>) -> Self {
        let beside = server.and_then(Path::parent).map(Path::to_path_buf);
        let mut places = beside.into_iter().chain(program::places());
        Self {
            name,
            path: places.find_map(|place| Some(place.join(name)).filter(|path| path.is_file())),
        }
    }

    pub(crate) fn run(&self, words: &[String]) -> io::Result<Done> {
        let path = self.path.as_ref().ok_or_else(|| {
            let reason = format!(
                "there is none on the PATH, nor beside the server's program, nor kept by the project's \
                 set-up: {} belongs to what the tests need",
                self.name
            );
            io::Error::new(io::ErrorKind::NotFound, reason)
        })?;
        let mut command = Command::new(path);
        // What the user's environment says of a server is of another one.
        let prefix = format!("{}_", self.name.to_uppercase());
        for (name, _) in env::vars_os() {
            if name.to_string_lossy().starts_with(&prefix) {
                command.env_remove(name);
            }
        }
        Ok(command.args(words).stdin(Stdio::null()).output()?.into())
    }
}

impl From<Output> for Done {
    fn from(output: Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let Output { status, stdout, stderr } = output;
        Self { succeeded: status.success(), said: text(&stdout), complained: text(&stderr) }
    }
}
