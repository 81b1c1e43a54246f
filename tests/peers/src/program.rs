//! Programs of the system that the tests talk to.

use std::path::PathBuf;

/// Finds a program, or says why the test cannot be made.
///
/// `./dev test` installs the programs. Where that is impossible the test passes with its reason in its output; in CI it fails.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let also = ["/usr/sbin".into(), "/sbin".into()];
    let mut folders = std::env::split_paths(&path).chain(also);
    let found = folders.find_map(|folder| {
        let file: PathBuf = folder.join(name);
        file.is_file().then_some(file)
    });
    if found.is_none() {
        let why = format!("{name} is not installed");
        assert!(!is_ci(), "{why}");
        skip(&why);
    }
    found
}

fn is_ci() -> bool {
    std::env::var("CI").is_ok_and(|ci| ci == "true" || ci == "1")
}

/// Says that this test proves nothing on this machine.
pub(crate) fn skip(why: &str) {
    eprintln!("SKIPPED: {why}");
}
