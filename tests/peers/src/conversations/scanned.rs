//! sipvicious, the scanner that every SIP port on the internet knows, against ours.

use std::net::SocketAddr;
use std::process::{Command, Output, Stdio};

use housecall::softphone::{Softphone, SoftphoneOptions};

use crate::program;

/// Looks for us in three ways at once. What each of them has found, in its own words; none where there is no sipvicious.
fn scanned(us: SocketAddr) -> Option<Vec<String>> {
    let port = format!("-p{}", us.port());
    let ways: [&[&str]; 3] = [
        &["svmap", &port, "-b127.66.0.1", "-x127.66.0.1"],
        &["svmap", &port, "-b127.66.0.2", "-x127.66.0.2", "-mINVITE"],
        &["svwar", &port, "--force", "-e100-150", "--maximumtime=1"],
    ];
    let programs: Option<Vec<_>> = ways.iter().map(|way| program::find(way[0])).collect();
    let scans = programs?.into_iter().zip(ways).map(|(program, way)| {
        let mut scan = Command::new("timeout");
        scan.arg("20")
            .arg(program)
            .args(&way[1..])
            .arg(us.ip().to_string());
        scan.stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        scan.spawn().unwrap()
    });
    let scans: Vec<_> = scans.collect();
    let said = |Output { stdout, stderr, .. }: Output| {
        String::from_utf8_lossy(&[stdout, stderr].concat()).into_owned()
    };
    let ended = scans
        .into_iter()
        .map(|scan| said(scan.wait_with_output().unwrap()));
    Some(ended.collect())
}

/// Reliability §2, rows 9 and 10: where it is known who the trunks are, a scanner does not even learn that somebody is here.
#[tokio::test]
async fn row_9_and_10_a_scanner_finds_nobody() {
    let mut options = SoftphoneOptions::default();
    options.sip.allowed = vec!["192.0.2.0/24".parse().unwrap()];
    let phone = Softphone::bind(options).await.unwrap();
    for found in scanned(phone.local()).unwrap_or_default() {
        assert!(found.contains("found nothing"), "{found}");
    }
}

/// And that it would find us otherwise: without a list we answer OPTIONS, as a first run must. It learns no telephone number from us.
#[tokio::test]
async fn a_scanner_finds_a_port_that_is_open_to_all_and_no_number() {
    let phone = Softphone::bind(SoftphoneOptions::default()).await.unwrap();
    let Some(found) = scanned(phone.local()) else {
        return;
    };
    assert!(
        found[0].contains(&phone.local().to_string()),
        "{}",
        found[0]
    );
    assert!(found[2].contains("found nothing"), "{}", found[2]);
}
