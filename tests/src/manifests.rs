//! Reads every manifest and source file, and fails on an arrow that must never be.
//!
//! The arrows are the architecture: who may know whom. A crate that quietly learns about a runtime, a clock or a
//! neighbour's protocol can no longer be tested in virtual time or understood alone.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Protocol and policy: state machines without input or output.
const CORES: [&str; 7] = ["sip", "media", "phone", "browser", "bridge", "sfu", "meter"];

/// Who may use whom inside the workspace, by folder.
const MAY_USE: [(&str, &[&str]); 11] = [
    ("sip", &[]),
    ("media", &[]),
    ("meter", &[]),
    ("browser", &["media"]),
    ("phone", &["sip", "media"]),
    ("bridge", &["phone", "media", "browser"]),
    ("sfu", &["browser", "media"]),
    (
        "engine",
        &["sip", "media", "phone", "browser", "bridge", "sfu", "meter"],
    ),
    ("store", &["engine", "meter"]),
    ("carrier", &["sip", "media"]),
    ("app", &["engine", "store", "carrier"]),
];

/// Runtimes, servers and databases: what no core may link.
const INPUT_OUTPUT: [&str; 9] = [
    "tokio",
    "axum",
    "sqlx",
    "hyper",
    "mio",
    "quinn-udp",
    "socket2",
    "async-std",
    "smol",
];

/// What a core would write if it read a clock or touched the world.
const WORLD: [&str; 9] = [
    "Instant::now(",
    "SystemTime::now(",
    ".elapsed()",
    "thread::sleep",
    "thread::spawn",
    "UdpSocket",
    "TcpStream",
    "TcpListener",
    "File::open",
];

#[test]
fn every_crate_is_drawn() {
    let drawn: BTreeSet<_> = MAY_USE.iter().map(|(folder, _)| *folder).collect();
    let found = Workspace::read();
    let found: BTreeSet<_> = found.crates.keys().map(String::as_str).collect();
    assert_eq!(
        found, drawn,
        "crates/ and MAY_USE in tests/src/manifests.rs disagree: draw the new crate's arrows there and in ARCHITECTURE.md"
    );
}

#[test]
fn crates_use_only_whom_they_may() {
    let workspace = Workspace::read();
    let mut wrong = Vec::new();
    for (folder, may_use) in MAY_USE {
        for used in workspace.own(folder) {
            if !may_use.contains(&used.as_str()) {
                wrong.push(format!(
                    "crates/{folder} uses crates/{used}, but may use only {may_use:?}"
                ));
            }
        }
    }
    none(&wrong);
}

#[test]
fn cores_know_no_runtime_and_no_database() {
    let workspace = Workspace::read();
    let mut wrong = Vec::new();
    for folder in CORES {
        for package in workspace.linked(folder) {
            if INPUT_OUTPUT.contains(&package.as_str()) {
                wrong.push(format!(
                    "crates/{folder} depends on `{package}`: a core does no input or output"
                ));
            }
        }
    }
    none(&wrong);
}

#[test]
fn cores_read_no_clock() {
    let mut wrong = Vec::new();
    for folder in CORES {
        wrong.extend(lines_saying(
            folder,
            &WORLD,
            "a core gets `now` as an argument, and the world as inputs",
        ));
    }
    none(&wrong);
}

#[test]
fn sip_parses_no_sdp_and_media_sees_no_sip() {
    let workspace = Workspace::read();
    let mut wrong = Vec::new();
    for (folder, stranger) in [("sip", "media"), ("media", "sip")] {
        if workspace.every(folder).contains(&package_of(stranger)) {
            wrong.push(format!(
                "crates/{folder} depends on crates/{stranger}: they meet in crates/phone"
            ));
        }
    }
    wrong.extend(lines_saying(
        "sip",
        &["\"m=", "\"a=", "\"v=0"],
        "SIP carries a session description without reading it",
    ));
    wrong.extend(lines_saying(
        "media",
        &["SIP/2.0", "CSeq"],
        "media knows no SIP header",
    ));
    none(&wrong);
}

#[test]
fn rooms_know_no_sip() {
    let workspace = Workspace::read();
    let mut wrong = Vec::new();
    for stranger in ["sip", "phone", "bridge", "meter"] {
        if workspace.every("sfu").contains(&package_of(stranger)) {
            wrong.push(format!(
                "crates/sfu depends on crates/{stranger}: a phone in a room is a seat whose audio comes from media"
            ));
        }
    }
    none(&wrong);
}

#[test]
fn money_does_not_know_what_it_pays_for() {
    let workspace = Workspace::read();
    let mut wrong: Vec<String> = workspace
        .linked("meter")
        .into_iter()
        .map(|package| format!("crates/meter depends on `{package}`: it depends on nothing"))
        .collect();
    for folder in workspace.crates.keys() {
        let may = ["engine", "store"].contains(&folder.as_str());
        if !may && workspace.own(folder).contains("meter") {
            wrong.push(format!(
                "crates/{folder} uses crates/meter: only engine and store do"
            ));
        }
    }
    none(&wrong);
}

#[test]
fn only_browser_knows_the_webrtc_stack() {
    let workspace = Workspace::read();
    let mut wrong = workspace.outside(&["rtc", "webrtc", "str0m"], &["browser"]);
    for folder in workspace
        .crates
        .keys()
        .filter(|folder| *folder != "browser")
    {
        wrong.extend(lines_saying(
            folder,
            &["use rtc::", " rtc::", "(rtc::", "<rtc::", "&rtc::"],
            "types of `rtc` stay inside crates/browser",
        ));
    }
    none(&wrong);
}

#[test]
fn rsip_is_optional_and_only_in_sip() {
    let workspace = Workspace::read();
    let mut wrong = workspace.outside(&["rsip"], &["sip"]);
    if workspace.always_linked("sip").contains("rsip") {
        wrong.push("crates/sip links `rsip` always: it belongs behind the feature `rsip`".into());
    }
    for file in sources("sip") {
        if file.ends_with("interop.rs")
            || file.components().any(|part| part.as_os_str() == "interop")
        {
            continue;
        }
        wrong.extend(saying(
            &file,
            &["rsip::"],
            "types of `rsip` stay in the module `interop`",
        ));
    }
    none(&wrong);
}

#[test]
fn sql_is_only_in_store_and_in_the_clinic() {
    none(&Workspace::read().outside(
        &["sqlx", "rusqlite", "diesel", "sea-orm"],
        &["store", "app"],
    ));
}

#[test]
fn json_is_only_in_the_clinic() {
    none(&Workspace::read().outside(&["serde_json", "simd-json", "sonic-rs"], &["app"]));
}

#[test]
fn there_is_one_binary() {
    let programs: Vec<_> = Workspace::read()
        .crates
        .keys()
        .filter(|folder| {
            crates().join(folder).join("src/main.rs").exists()
                || crates().join(folder).join("src/bin").exists()
        })
        .cloned()
        .collect();
    assert_eq!(
        programs,
        ["app"],
        "plain `cargo run` works only while there is exactly one binary"
    );
}

/// The `Cargo.toml` of every folder in `crates/`.
struct Workspace {
    crates: BTreeMap<String, toml::Table>,
}

impl Workspace {
    fn read() -> Workspace {
        let crates = folders(&crates())
            .into_iter()
            .map(|path| (name(&path), manifest(&path.join("Cargo.toml"))))
            .collect();
        Workspace { crates }
    }

    /// Packages that a build of the crate may link: all but what only its tests use.
    fn linked(&self, folder: &str) -> BTreeSet<String> {
        self.packages(folder, &["dependencies", "build-dependencies"], |_| true)
    }

    /// Packages that a build links whichever features are chosen.
    fn always_linked(&self, folder: &str) -> BTreeSet<String> {
        self.packages(folder, &["dependencies"], |entry| !flag(entry, "optional"))
    }

    /// Packages of the build and of the tests.
    fn every(&self, folder: &str) -> BTreeSet<String> {
        self.packages(
            folder,
            &["dependencies", "build-dependencies", "dev-dependencies"],
            |_| true,
        )
    }

    /// Folders of this workspace that the crate links.
    fn own(&self, folder: &str) -> BTreeSet<String> {
        let linked = self.linked(folder);
        self.crates
            .keys()
            .filter(|other| linked.contains(&package_of(other)))
            .cloned()
            .collect()
    }

    /// Complaints about crates other than `allowed` that link one of `packages`.
    fn outside(&self, packages: &[&str], allowed: &[&str]) -> Vec<String> {
        let strangers = self
            .crates
            .keys()
            .filter(|folder| !allowed.contains(&folder.as_str()));
        strangers
            .flat_map(|folder| {
                self.linked(folder)
                    .into_iter()
                    .filter(|package| packages.contains(&package.as_str()))
                    .map(move |package| {
                        format!("crates/{folder} depends on `{package}`: only {allowed:?} may")
                    })
            })
            .collect()
    }

    fn packages(
        &self,
        folder: &str,
        sections: &[&str],
        wanted: fn(&toml::Value) -> bool,
    ) -> BTreeSet<String> {
        let manifest = &self.crates[folder];
        let mut tables = vec![manifest];
        if let Some(targets) = manifest.get("target").and_then(toml::Value::as_table) {
            tables.extend(targets.values().filter_map(toml::Value::as_table));
        }
        tables
            .into_iter()
            .flat_map(|table| {
                sections
                    .iter()
                    .filter_map(|section| table.get(*section)?.as_table())
            })
            .flatten()
            .filter(|(_, entry)| wanted(entry))
            .map(|(key, entry)| renamed(entry).unwrap_or(key).to_owned())
            .collect()
    }
}

/// `package = "…"` of a dependency that goes by another name. `rtp = { package = "rtc-rtp" }` is `rtc-rtp`.
fn renamed(entry: &toml::Value) -> Option<&str> {
    entry.get("package")?.as_str()
}

fn flag(entry: &toml::Value, key: &str) -> bool {
    entry
        .get(key)
        .and_then(toml::Value::as_bool)
        .unwrap_or(false)
}

fn package_of(folder: &str) -> String {
    match folder {
        "engine" => "housecall".to_owned(),
        other => format!("housecall-{other}"),
    }
}

fn manifest(path: &Path) -> toml::Table {
    let text =
        fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.parse()
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub(crate) fn crates() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates")
}

pub(crate) fn folders(path: &Path) -> Vec<PathBuf> {
    entries(path)
        .into_iter()
        .filter(|entry| entry.is_dir())
        .collect()
}

fn entries(path: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut entries: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    entries
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

/// Every file below a folder.
pub(crate) fn walk(folder: &Path) -> Vec<PathBuf> {
    let below = |entry: PathBuf| match entry.is_dir() {
        true => walk(&entry),
        false => vec![entry],
    };
    entries(folder).into_iter().flat_map(below).collect()
}

/// The crate's source files, without those that only its tests compile.
fn sources(folder: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    collect(&crates().join(folder).join("src"), &mut files);
    files
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    let entries = entries(folder);
    let of_tests: BTreeSet<String> = entries
        .iter()
        .filter(|entry| is_rust(entry))
        .flat_map(|entry| test_modules(entry))
        .collect();
    for entry in entries {
        let module = entry.file_stem().unwrap().to_string_lossy().into_owned();
        if of_tests.contains(&module) || module == "tests" {
            continue;
        }
        if entry.is_dir() {
            collect(&entry, files);
        } else if is_rust(&entry) {
            files.push(entry);
        }
    }
}

pub(crate) fn is_rust(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "rs")
}

/// Modules in files of their own that a source file declares under `#[cfg(test)]`.
fn test_modules(file: &Path) -> Vec<String> {
    let text = fs::read_to_string(file).unwrap();
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    lines
        .windows(2)
        .filter(|pair| pair[0] == "#[cfg(test)]")
        .filter_map(|pair| {
            pair[1]
                .strip_suffix(';')?
                .rsplit_once("mod ")
                .map(|(_, name)| name.to_owned())
        })
        .collect()
}

fn lines_saying(folder: &str, words: &[&str], why: &str) -> Vec<String> {
    sources(folder)
        .iter()
        .flat_map(|file| saying(file, words, why))
        .collect()
}

/// Complaints about lines of code, comments and tests apart, that contain one of `words`.
fn saying(file: &Path, words: &[&str], why: &str) -> Vec<String> {
    let text = fs::read_to_string(file).unwrap();
    let shown = file
        .strip_prefix(crates())
        .unwrap_or(file)
        .display()
        .to_string();
    code(&text)
        .filter(|(_, line)| words.iter().any(|word| line.contains(word)))
        .map(|(number, line)| format!("crates/{shown}:{number}: `{}`: {why}", line.trim()))
        .collect()
}

/// Numbered lines up to the tests, which stand at the bottom of a file, with comments cut off.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines: Vec<&str> = text.lines().collect();
    let tests = lines.windows(2).position(|pair| {
        pair[0].trim() == "#[cfg(test)]" && pair[1].contains("mod ") && pair[1].ends_with('{')
    });
    let end = tests.unwrap_or(lines.len());
    lines
        .into_iter()
        .take(end)
        .enumerate()
        .map(|(index, line)| (index + 1, line.split("//").next().unwrap_or("")))
}

fn none(wrong: &[String]) {
    assert!(
        wrong.is_empty(),
        "an arrow that must never be:\n  {}",
        wrong.join("\n  ")
    );
}
