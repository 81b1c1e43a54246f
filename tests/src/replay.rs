//! Replays the committed corpora of the fuzz targets, without the fuzzing engine.
//!
//! A target whose check lies in `fuzz/checks/` is replayed by two lines here: its module, and a test.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

#[path = "../../fuzz/checks/dialog_inputs.rs"]
mod dialog_inputs;
#[path = "../../fuzz/checks/digest_challenge.rs"]
mod digest_challenge;
#[path = "../../fuzz/checks/jitter.rs"]
mod jitter;
#[path = "../../fuzz/checks/sip_header_typed.rs"]
mod sip_header_typed;
#[path = "../../fuzz/checks/sip_message.rs"]
mod sip_message;

#[test]
fn sip_messages() {
    replay("sip_message", sip_message::check);
}

#[test]
fn sip_headers() {
    replay("sip_header_typed", sip_header_typed::check);
}

#[test]
fn challenges() {
    replay("digest_challenge", digest_challenge::check);
}

#[test]
fn walks_of_a_user_agent() {
    replay("dialog_inputs", dialog_inputs::check);
}

#[test]
fn streams_of_packets() {
    replay("jitter", jitter::check);
}

/// Runs `check` on each file of a target's corpus, whole and cut at each place; a panic names the file.
fn replay(target: &str, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../fuzz/corpus")
        .join(target);
    let files = files_in(&folder);
    assert!(!files.is_empty(), "no corpus in {}", folder.display());
    for file in files {
        let input = fs::read(&file).unwrap();
        for end in 0..=input.len() {
            let checked = catch_unwind(AssertUnwindSafe(|| check(&input[..end])));
            assert!(checked.is_ok(), "{} cut to {end} bytes", file.display());
        }
    }
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    let entries =
        fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}
