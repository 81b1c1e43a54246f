//! The examples, run as a reader runs them.
#![cfg(test)]

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use housecall_carrier::{Carrier, CarrierOptions, Stage};
use housecall_media::sound::to_wav;
use housecall_media::{SAMPLE_RATE, Sine, Sound, dominant_frequency, level};

/// Plays back what it hears.
const ECHO: &str = "0491 570 006";
const BUSY: &str = "0491 570 158";
const OURS_HZ: f32 = 440.0;
const SECONDS: usize = 3;

/// A folder, gone with this value.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("housecall-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// An example that was built with this test: examples are built into a folder beside it.
fn example(name: &str) -> Command {
    let test = std::env::current_exe().unwrap();
    let program = test.parent().unwrap().with_file_name("examples").join(name);
    assert!(program.exists(), "{} is not built", program.display());
    Command::new(program)
}

/// A WAV file of 16 bits at 8 kHz with our tone in it.
fn tone() -> Vec<u8> {
    let mut sine = Sine::new(OURS_HZ, -16.0);
    let samples: Vec<i16> = (0..SECONDS * 50).flat_map(|_| sine.frame()).collect();
    to_wav(&samples)
}

/// What `dial` writes to its reader about a call to `number`, and how it ends.
async fn dial(carrier: &Carrier, folder: &Folder, number: &str) -> (String, bool) {
    let known = carrier.credentials();
    let trunk = format!(
        "host = \"{}\"\nport = {}\ntransport = \"udp\"\ndomain = \"{}\"\nusername = \"{}\"\npassword = \"{}\"\n",
        carrier.addr().ip(),
        carrier.addr().port(),
        carrier.domain(),
        known.username,
        known.password
    );
    fs::write(folder.file("trunk.toml"), trunk).unwrap();
    fs::write(folder.file("say.wav"), tone()).unwrap();
    let mut dial = example("dial");
    dial.args([&folder.file("trunk.toml"), number]);
    dial.args([folder.file("say.wav"), folder.file("heard.wav")]);
    let output = tokio::task::spawn_blocking(move || dial.output().unwrap());
    let output = output.await.unwrap();
    let said = [output.stdout, output.stderr].concat();
    (
        String::from_utf8_lossy(&said).into_owned(),
        output.status.success(),
    )
}

#[test]
fn meter_explains_an_hour_at_both_tariffs() {
    let output = example("meter").output().unwrap();
    assert!(output.status.success());
    let said = String::from_utf8(output.stdout).unwrap();
    let sums: Vec<&str> = said
        .lines()
        .filter(|line| line.ends_with("in all"))
        .map(str::trim)
        .collect();
    // By hand. Standard: patient 1 four blocks, 8; patient 2 the blocks 2, 13 minutes by phone, 2 and 2, 19. Attended, from 2:00 on: patient 1
    // two blocks, 4; patient 2 the first block, in which two minutes began, and 11 minutes in the next, 13.
    assert_eq!(sums, ["27  in all", "17  in all"], "{said}");
}

#[tokio::test]
async fn dial_says_a_recording_and_writes_what_it_hears() {
    let carrier = Carrier::start(CarrierOptions::default()).await.unwrap();
    let folder = Folder::new("dial");
    let (said, is_well) = dial(&carrier, &folder, ECHO).await;
    assert!(is_well, "{said}");
    for word in ["ringing", "answered", "dBFS", "wrote"] {
        assert!(said.contains(word), "no {word:?} in\n{said}");
    }
    let report = carrier.report();
    let they = report.last_to(ECHO).unwrap();
    assert_eq!(they.stage, Stage::Ended);
    let heard = Sound::read(&fs::read(folder.file("heard.wav")).unwrap()).unwrap();
    let samples = heard.samples();
    let seconds = samples.len() / SAMPLE_RATE as usize;
    assert!((SECONDS - 1..=SECONDS + 2).contains(&seconds), "{said}");
    let middle = &samples[samples.len() / 2..][..SAMPLE_RATE as usize];
    let hertz = dominant_frequency(middle).unwrap();
    assert!((hertz - OURS_HZ).abs() < 5.0, "{hertz} Hz");
    assert!(level(middle).0 > -30.0, "{:?}", level(middle));
    carrier.shutdown().await;
}

#[tokio::test]
async fn dial_says_why_nobody_answers() {
    let carrier = Carrier::start(CarrierOptions::default()).await.unwrap();
    let folder = Folder::new("busy");
    let (said, is_well) = dial(&carrier, &folder, BUSY).await;
    assert!(!is_well, "{said}");
    assert!(said.contains("nobody answered"), "{said}");
    assert!(!PathBuf::from(folder.file("heard.wav")).exists());
    carrier.shutdown().await;
}
