//! The built program checks a trunk: its exit status, and what stands on which stream.
#![cfg(test)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use housecall_carrier::{Carrier, CarrierOptions};

/// A folder of this test, gone with this value.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("housecall-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.0.join(name), text).unwrap();
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Runs the program, without a terminal and without the settings of whoever runs the test.
async fn housecall(folder: &Path, words: &'static [&'static str]) -> Output {
    let folder = folder.to_owned();
    let run = move || {
        let settings = std::env::vars_os().map(|(name, _)| name);
        let ours = settings.filter(|it| it.to_string_lossy().starts_with("HOUSECALL_"));
        let mut command = Command::new(env!("CARGO_BIN_EXE_housecall"));
        for name in ours {
            command.env_remove(name);
        }
        let command = command.args(words).current_dir(folder).stdin(Stdio::null());
        command.output().unwrap()
    };
    tokio::task::spawn_blocking(run).await.unwrap()
}

fn shown(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_says_how_its_trunks_are() {
    let carrier = Carrier::start(CarrierOptions::default()).await.unwrap();
    let folder = Folder::new("trunk-check");
    let port = carrier.addr().port();
    let password = carrier.credentials().password.clone();
    folder.write("password", &password);
    folder.write(
        "clinic.toml",
        &format!(
            "[[trunks]]\nname = \"Carrier\"\npreset = \"registrar\"\nhost = \"127.0.0.1\"\nport = {port}\ntransport = \"udp\"\n\
             domain = \"sip.carrier.test\"\nusername = \"harbour\"\npassword_file = \"password\"\n"
        ),
    );
    let check = &["trunk", "check", "--config", "clinic.toml"];
    let well = housecall(&folder.0, check).await;
    let text = shown(&well.stdout);
    assert_eq!(well.status.code(), Some(0), "{text}{}", shown(&well.stderr));
    for words in ["✓ ok       register", "Carrier: all is well."] {
        assert!(text.contains(words), "{words} in {text}");
    }
    assert!(!text.contains(&password));
    assert_eq!(shown(&well.stderr), "");

    folder.write("password", "wrong");
    let failed = housecall(&folder.0, check).await;
    let text = shown(&failed.stdout);
    assert_eq!(failed.status.code(), Some(1), "{text}");
    assert!(text.contains("✗ failed   sign in"), "{text}");

    let nobody = housecall(
        &folder.0,
        &["trunk", "check", "Nobody", "--config", "clinic.toml"],
    )
    .await;
    assert_eq!(nobody.status.code(), Some(2));
    assert_eq!(shown(&nobody.stdout), "");
    let why = shown(&nobody.stderr);
    assert!(
        why.contains("no trunk \"Nobody\"; there is Carrier"),
        "{why}"
    );

    let help = housecall(&folder.0, &["trunk", "check", "--help"]).await;
    assert_eq!(help.status.code(), Some(0));
    assert!(shown(&help.stdout).contains("--call NUMBER"));
}
