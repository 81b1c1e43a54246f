//! The tables of rules in the crates' docs say which file obeys a rule and which test proves it. Every name in them is that of something
//! that exists, so that a rule whose test is renamed or gone is found out here.
//!
//! A table counts if a column of its head begins with `test`; another one, `file` or `where`, says where the rule is obeyed, else it is
//! in the file that the table stands in. In these two columns `a/b.rs` and `a/` are paths: from the file that the table stands in, from its
//! module's folder, from the crate's `src`, from the crate, or from `crates`. In the test column any other word in code, or with an
//! underscore, is a test: of the file before it, else of the crate; `begins_so_…` is any that begins so, and fuzz `x` a fuzz target. A cell
//! that names nothing ("beside it") means the tests in the rule's own file.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::manifests::{crates, folders, is_rust, walk};

#[test]
fn every_rule_has_a_file_and_a_test_that_exist() {
    let mut rows = 0;
    let mut wrong = Vec::new();
    for folder in folders(&crates()) {
        let checked = Crate::read(&folder);
        for row in checked.files.keys().flat_map(|file| rows_of(file)) {
            rows += 1;
            let complaints = checked.complaints(&row);
            wrong.extend(complaints.map(|what| format!("{}: {what}", row.place())));
        }
    }
    assert!(
        wrong.is_empty(),
        "not as the tables say:\n  {}",
        wrong.join("\n  ")
    );
    assert!(rows > 100, "{rows} rows: the tables are not read");
}

#[test]
fn a_row_that_is_not_true_is_named() {
    let checked = Crate {
        src: crates().join("sip/src"),
        files: BTreeMap::from([(
            crates().join("sip/src/tests/digest.rs"),
            BTreeSet::from(["the_first_challenge".to_owned()]),
        )]),
    };
    let row = |files: &str, tests: &str| Row {
        doc: crates().join("sip/src/digest.rs"),
        line: 1,
        files: files.to_owned(),
        tests: tests.to_owned(),
    };
    let complaints = |files, tests| checked.complaints(&row(files, tests)).count();
    assert_eq!(
        complaints("`challenge.rs`", "`tests/digest.rs`: the_first_challenge"),
        0
    );
    assert_eq!(complaints("`digest/`", "`the_first_…`"), 0);
    assert_eq!(complaints("`challenge.rs`", "fuzz `digest_challenge`"), 0);
    assert_eq!(complaints("`gone.rs`", "`tests/digest.rs`"), 1);
    assert_eq!(complaints("somewhere", "`tests/digest.rs`"), 1);
    assert_eq!(complaints("`challenge.rs`", "`tests/gone.rs`"), 1);
    assert_eq!(
        complaints("`challenge.rs`", "`tests/digest.rs`: the_second_challenge"),
        1
    );
    assert_eq!(
        complaints("`challenge.rs`", "the_second_challenge, `other_…`"),
        2
    );
    assert_eq!(complaints("`challenge.rs`", "fuzz `gone`"), 1);
    assert_eq!(
        complaints("`challenge.rs`", "beside it"),
        1,
        "there is none"
    );
}

/// One row of a table, and where it stands.
struct Row {
    doc: PathBuf,
    line: usize,
    files: String,
    tests: String,
}

/// The source files of a crate with the tests in each.
struct Crate {
    src: PathBuf,
    files: BTreeMap<PathBuf, BTreeSet<String>>,
}

impl Row {
    fn place(&self) -> String {
        let doc = self.doc.strip_prefix(crates()).unwrap_or(&self.doc);
        format!("crates/{}:{}", doc.display(), self.line)
    }
}

impl Crate {
    fn read(folder: &Path) -> Crate {
        let src = folder.join("src");
        let files = walk(&src).into_iter().filter(|file| is_rust(file));
        let files = files.map(|file| (file.clone(), tests_in(&fs::read_to_string(file).unwrap())));
        Crate {
            files: files.collect(),
            src,
        }
    }

    fn complaints(&self, row: &Row) -> impl Iterator<Item = String> {
        let mut wrong = Vec::new();
        let files = self.files_of(row, &mut wrong);
        self.check_tests(row, &files, &mut wrong);
        wrong.into_iter()
    }

    fn files_of(&self, row: &Row, wrong: &mut Vec<String>) -> Vec<PathBuf> {
        let mut found = Vec::new();
        for word in words(&row.files).filter(Word::is_path) {
            match self.resolve(row, word.text) {
                Some(path) => found.push(path),
                None => wrong.push(format!("no file {}", word.text)),
            }
        }
        if found.is_empty() && wrong.is_empty() {
            wrong.push(format!("no file is named in {:?}", row.files));
        }
        found
    }

    fn check_tests(&self, row: &Row, files: &[PathBuf], wrong: &mut Vec<String>) {
        let mut of: Option<PathBuf> = None;
        let mut names = 0;
        let mut before = "";
        for word in words(&row.tests) {
            if word.is_path() {
                names += 1;
                of = self.resolve(row, word.text);
                if of.as_ref().is_none_or(|file| !self.has_tests(file)) {
                    wrong.push(format!("no tests in {}", word.text));
                }
            } else if word.is_name() {
                names += 1;
                let is_known = match before {
                    "fuzz" => fuzz_target(word.text).exists(),
                    _ => self.has_test(of.as_deref(), word.text),
                };
                if !is_known {
                    wrong.push(format!("no test {}", word.text));
                }
            }
            before = word.text;
        }
        let is_beside = || files.iter().any(|file| self.has_tests(file));
        if names == 0 && !is_beside() {
            wrong.push(format!(
                "{:?} names no test, and there is none beside the rule",
                row.tests
            ));
        }
    }

    fn resolve(&self, row: &Row, path: &str) -> Option<PathBuf> {
        let beside = row.doc.parent().unwrap().to_owned();
        let below = row.doc.with_extension("");
        let own = self.src.join("..");
        let mut bases = [beside, below, self.src.clone(), own, crates()].into_iter();
        bases.find_map(|base| base.join(path).canonicalize().ok())
    }

    /// The tests in a file, or anywhere in a folder; of this crate or of another.
    fn tests_at(&self, path: &Path) -> BTreeSet<String> {
        let is_own = is_within(path, &self.src.canonicalize().unwrap());
        if !is_own && path.is_file() {
            return tests_in(&fs::read_to_string(path).unwrap());
        }
        let within = self.files.iter().filter(|(file, _)| is_within(file, path));
        within.flat_map(|(_, tests)| tests.clone()).collect()
    }

    fn has_tests(&self, path: &Path) -> bool {
        !self.tests_at(path).is_empty()
    }

    fn has_test(&self, file: Option<&Path>, name: &str) -> bool {
        let tests = self.tests_at(file.unwrap_or(&self.src.canonicalize().unwrap()));
        let fits = |test: &String| match name.strip_suffix('…') {
            Some(beginning) => test.starts_with(beginning),
            None => test == name,
        };
        tests.iter().any(fits)
    }
}

fn is_within(file: &Path, path: &Path) -> bool {
    let file = file.canonicalize();
    file.is_ok_and(|file| file.starts_with(path))
}

fn fuzz_target(name: &str) -> PathBuf {
    crates().join(format!("../fuzz/fuzz_targets/{name}.rs"))
}

/// The names of the functions under `#[test]` and its like.
fn tests_in(text: &str) -> BTreeSet<String> {
    let mut is_next = false;
    let mut found = BTreeSet::new();
    for line in text.lines().map(str::trim) {
        is_next |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
        let function = line
            .strip_prefix("async ")
            .unwrap_or(line)
            .strip_prefix("fn ");
        if let (true, Some(function)) = (is_next, function) {
            is_next = false;
            found.extend(function.split('(').next().map(str::to_owned));
        }
    }
    found
}

/// The rows of all tables of rules in the docs of a file.
fn rows_of(doc: &Path) -> Vec<Row> {
    let text = fs::read_to_string(doc).unwrap();
    let mut rows = Vec::new();
    let mut head: Option<Vec<String>> = None;
    for (index, line) in text.lines().enumerate() {
        let cells = line.trim().strip_prefix("//! |").map(cells);
        match (&head, cells) {
            (_, None) => head = None,
            (None, Some(cells)) => head = Some(cells),
            (Some(head), Some(cells)) => rows.extend(row(doc, index + 1, head, &cells)),
        }
    }
    rows
}

/// A row of a table that has a column of tests; none for the line below the head.
fn row(doc: &Path, line: usize, head: &[String], cells: &[String]) -> Option<Row> {
    let column = |is_it: fn(&str) -> bool| {
        let column = head.iter().position(|cell| is_it(cell))?;
        cells.get(column).cloned()
    };
    let is_dashes = |cell: &String| cell.chars().all(|letter| letter == '-');
    let tests = column(|cell| cell.starts_with("test"))?;
    let own = || format!("`{}`", doc.file_name().unwrap().display());
    (!cells.iter().all(is_dashes)).then(|| Row {
        doc: doc.to_owned(),
        line,
        files: column(|cell| matches!(cell, "file" | "where")).unwrap_or_else(own),
        tests,
    })
}

fn cells(line: &str) -> Vec<String> {
    let line = line.trim().trim_end_matches('|');
    line.split('|').map(|cell| cell.trim().to_owned()).collect()
}

/// A word of a cell, or all of a span of code.
#[derive(Clone, Copy)]
struct Word<'a> {
    text: &'a str,
    is_code: bool,
}

impl Word<'_> {
    fn is_path(&self) -> bool {
        self.is_code && (self.text.ends_with(".rs") || self.text.ends_with('/'))
    }

    fn is_name(&self) -> bool {
        let is_ident = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '…');
        let is_ident = self.text.chars().all(is_ident);
        is_ident && (self.is_code || self.text.contains('_'))
    }
}

fn words(cell: &str) -> impl Iterator<Item = Word<'_>> {
    let is_between = |letter: char| !letter.is_alphanumeric() && !matches!(letter, '_' | '…');
    cell.split('`').enumerate().flat_map(move |(index, part)| {
        let is_code = index % 2 == 1;
        let split: Vec<&str> = match is_code {
            true => vec![part],
            false => part
                .split(is_between)
                .filter(|word| !word.is_empty())
                .collect(),
        };
        split.into_iter().map(move |text| Word { text, is_code })
    })
}
