//! What the documents of the project point at is there: files, headings, and the tests they name.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

/// What is asked of one document.
#[derive(Default)]
struct Document {
    links: Vec<String>,
    /// As links name them.
    headings: BTreeSet<String>,
    /// Words of code that can be nothing but the name of a test.
    tests: Vec<String>,
}

fn read(path: &Path) -> Document {
    let text = fs::read_to_string(path).unwrap();
    let mut document = Document::default();
    let mut heading = None;
    for event in Parser::new_ext(&text, Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::Link { dest_url, .. }) => document.links.push(dest_url.into_string()),
            Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
            Event::End(TagEnd::Heading(_)) => {
                document.headings.extend(heading.take().map(|title| anchor(&title)));
            }
            Event::Text(text) => heading.iter_mut().for_each(|title| title.push_str(&text)),
            Event::Code(code) => {
                heading.iter_mut().for_each(|title| title.push_str(&code));
                if is_a_test(&code) {
                    document.tests.push(code.into_string());
                }
            }
            _ => {}
        }
    }
    document
}

/// As GitHub makes it.
fn anchor(title: &str) -> String {
    let kept = title.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

/// Tests are sentences: no other name in `docs` has that many words.
fn is_a_test(code: &str) -> bool {
    let words = code.split('_');
    words.clone().count() >= 5
        && words
            .into_iter()
            .all(|word| !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase()))
}

fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// All files with this ending, but for what is built.
fn files(directory: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() {
            if name != "target" && !name.starts_with('.') {
                found.extend(files(&path, ending));
            }
        } else if name.ends_with(ending) {
            found.push(path);
        }
    }
    found
}

/// A file of tests that no `mod` declares is compiled by nothing, and missed by nobody.
#[test]
fn every_file_of_tests_belongs_to_a_program() {
    let mut checked = 0;
    let mut left_out = Vec::new();
    for path in files(&project(), ".rs") {
        let parts: Vec<_> = path.iter().collect();
        let Some(tests) = parts.iter().rposition(|part| *part == "tests") else { continue };
        let krate: PathBuf = parts[..tests].iter().collect();
        let Ok(manifest) = fs::read_to_string(krate.join("Cargo.toml")) else { continue };
        checked += 1;
        let relative = path.strip_prefix(&krate).unwrap().to_str().unwrap();
        let of_module = if path.ends_with("mod.rs") { path.parent().unwrap() } else { &path };
        let module = format!("mod {};", of_module.file_stem().unwrap().to_str().unwrap());
        let folder = of_module.parent().unwrap();
        let parents = [folder.join("main.rs"), folder.join("mod.rs"), folder.with_extension("rs")];
        let is_declared = parents
            .iter()
            .any(|parent| fs::read_to_string(parent).is_ok_and(|text| text.contains(&module)));
        if !is_declared && !manifest.contains(&format!("path = \"{relative}\"")) {
            left_out.push(path);
        }
    }
    assert!(checked > 100, "only {checked}");
    assert!(left_out.is_empty(), "{left_out:#?}");
}

#[test]
fn every_link_leads_somewhere() {
    let documents: BTreeMap<PathBuf, Document> =
        files(&project(), ".md").into_iter().map(|path| (path.clone(), read(&path))).collect();
    assert!(documents.len() > 5);
    let mut dead = Vec::new();
    for (path, document) in &documents {
        for link in document.links.iter().filter(|link| !link.contains("://")) {
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let target =
                if file.is_empty() { path.clone() } else { path.parent().unwrap().join(file) };
            let is_there = target.canonicalize().is_ok_and(|target| {
                heading.is_empty()
                    || documents.get(&target).is_some_and(|it| it.headings.contains(heading))
            });
            if !is_there {
                dead.push(format!("{}: {link}", path.display()));
            }
        }
    }
    assert!(dead.is_empty(), "{dead:#?}");
}

#[test]
fn every_test_that_is_named_exists() {
    let code: String =
        files(&project(), ".rs").iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    let mut named = 0;
    for path in files(&project().join("docs"), ".md") {
        for test in read(&path).tests {
            assert!(code.contains(&format!("fn {test}(")), "{}: no test {test}", path.display());
            named += 1;
        }
    }
    assert!(named > 20, "only {named}");
}
