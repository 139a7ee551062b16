//! Files that are there as a whole, or as they were.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

/// Writes it in a place of its own until it is whole: whoever is killed meanwhile leaves the one
/// that was there before.
///
/// # Errors
/// It cannot be written.
pub(crate) fn write(file: &Path, contents: impl AsRef<[u8]>) -> Result<()> {
    let part = part(file);
    let written = fs::write(&part, contents).and_then(|()| fs::rename(&part, file));
    written.with_context(|| format!("could not write {}", file.display()))
}

/// Tries whether it will be possible to write it, and leaves what is there as it is.
///
/// # Errors
/// It will not be.
pub(crate) fn check(file: &Path) -> Result<()> {
    let part = part(file);
    let tried = fs::write(&part, "").and_then(|()| fs::remove_file(&part));
    tried.with_context(|| format!("could not write {}", file.display()))?;
    anyhow::ensure!(!file.is_dir(), "could not write {}: it is a directory", file.display());
    Ok(())
}

fn part(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    // Two runs may write the same file.
    name.push(format!(".{}.part", std::process::id()));
    name.into()
}
