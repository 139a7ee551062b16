//! What lies beside the page.

use std::{collections::BTreeMap, fs};

use super::{sample, shown::written};

fn csv(directory: &tempfile::TempDir) -> (Vec<String>, Vec<BTreeMap<String, String>>) {
    let mut lines = csv::Reader::from_path(directory.path().join("failover.csv")).unwrap();
    let header = lines.headers().unwrap().iter().map(str::to_owned).collect();
    (header, lines.deserialize().map(Result::unwrap).collect())
}

#[test]
fn the_csv_file_has_a_line_for_each_row_with_what_the_row_has() {
    let outcome = sample::outcome();
    let (_, lines) = csv(&written(&outcome));
    assert_eq!(lines.len(), outcome.rows.len());
    for (line, row) in lines.iter().zip(&outcome.rows) {
        assert_eq!(line["program"], row.program);
        assert_eq!(line["fault"], row.fault.as_str());
        assert_eq!(line["n"], row.failover.n().to_string());
        assert_eq!(line["planned"], line["n"]);
        let p50: f64 = line["failover_p50_ms"].parse().unwrap();
        assert!((p50 - row.failover.p50().unwrap() as f64 / 1e6).abs() <= 0.0005, "{line:?}");
        assert_eq!(line["failover_p99_ms"].is_empty(), row.failover.n() < 100, "{line:?}");
        assert_eq!(line["requests_per_second"].is_empty(), row.store == "file", "{line:?}");
    }
    let worst = lines.iter().find(|line| line["overlaps"] == "10").unwrap();
    let ms = |name: &str| worst[name].parse::<f64>().unwrap();
    assert!(ms("overlap_total_ms") > ms("overlap_worst_ms") && ms("overlap_worst_ms") > 600.0);
}

#[test]
fn the_header_of_the_csv_file_is_the_one_that_is_documented() {
    let (header, _) = csv(&written(&sample::failure()));
    let readme = include_str!("../../README.md");
    let documented: Vec<_> = readme
        .lines()
        .skip_while(|line| !line.starts_with("| field of `failover.csv`"))
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .flat_map(|line| {
            line.split('|')
                .nth(1)
                .unwrap()
                .split(',')
                .map(|name| name.trim().trim_matches('`').to_owned())
        })
        .collect();
    assert_eq!(header, documented);
}

#[test]
fn the_page_and_its_files_need_no_network() {
    let directory = written(&sample::outcome());
    let page = fs::read_to_string(directory.path().join("index.html")).unwrap();
    for reference in ["http://", "https://", "@import", "url(//", "src="] {
        assert!(!page.contains(reference), "{reference}");
    }
    let json = fs::read(directory.path().join("failover.json")).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(json["rows"][0]["failover"]["samples"].as_array().unwrap().len(), 120);
}
