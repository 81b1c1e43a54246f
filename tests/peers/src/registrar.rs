//! Kamailio as the carrier's proxy, with digest, and baresip as the telephone behind it, in a network of their own.
//!
//! baresip does not speak over the loopback interface. So each test makes a network namespace with a pair of virtual cables whose both ends
//! are inside it: no packet can leave. Our own telephone lives in it as well: the test is run again inside, by `ip netns exec`.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use housecall_media::{SAMPLE_RATE, dominant_frequency, level};
use housecall_sip::Peer;

use crate::caller::Tone;
use crate::program;

/// The address of both, on the cable.
const ADDRESS: &str = "127.0.0.9";
const PROXY_PORT: u16 = 5_075;
const PHONE_PORT: u16 = 5_092;
const CONTROL_PORT: u16 = 4_444;
const CABLE: &str = "phone0";
/// What the telephone says, as it records itself (`-enc.wav`), encrypted or not.
pub(crate) const PHONE_TONE: Tone = Tone {
    hertz: 330.0,
    dbfs: -7.5,
};
/// What stands before the samples in a WAV file.
const WAV_HEADER: usize = 44;
/// How long a program may take to start.
const START_LIMIT: Duration = Duration::from_secs(10);
/// Says to a test that it is inside its namespace.
const INSIDE: &str = "HOUSECALL_PEERS_INSIDE";

/// A namespace, gone with this value.
struct Namespace(String);

/// What the telephone says of encryption that has none.
const PLAIN: &str = "";
/// Its encryption by SDES, for every call.
pub(crate) const MANDATORY: &str = ";mediaenc=srtp-mand";

/// The proxy and the telephone, stopped with this value.
pub(crate) struct Registrar {
    proxy: Child,
    phone: Child,
    folder: PathBuf,
}

/// Runs the test `name` of this program again inside a namespace of its own. True there: the test goes on.
pub(crate) fn inside(name: &str) -> bool {
    if std::env::var_os(INSIDE).is_some() {
        return true;
    }
    let needed = ["kamailio", "baresip", "ip"].map(program::find);
    if needed.iter().any(Option::is_none) {
        return false;
    }
    let Some(namespace) = Namespace::make() else {
        program::skip("no network namespace can be made: that needs root");
        return false;
    };
    let program = std::env::current_exe().unwrap();
    let mut again = as_root("ip");
    again.args(["netns", "exec", &namespace.0, "env", &format!("{INSIDE}=1")]);
    let status = again
        .arg(program)
        .args(["--exact", name, "--nocapture"])
        .status();
    assert!(status.unwrap().success(), "the test fails in its namespace");
    false
}

impl Namespace {
    fn make() -> Option<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("housecall-{}-{count}", std::process::id());
        if !ip(&["netns", "add", &name]) {
            return None;
        }
        let namespace = Self(name.clone());
        let within = |words: &[&str]| ip(&[&["-n", &name], words].concat());
        let far = format!("{CABLE}far");
        let address = format!("{ADDRESS}/32");
        let made = within(&["link", "set", "lo", "up"])
            && within(&["link", "add", CABLE, "type", "veth", "peer", "name", &far])
            && within(&["addr", "add", &address, "dev", CABLE])
            && within(&["link", "set", CABLE, "up"])
            && within(&["link", "set", &far, "up"]);
        made.then_some(namespace)
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        ip(&["netns", "del", &self.0]);
    }
}

impl Registrar {
    /// Starts both and waits until the telephone is registered over `transport`. Its sound is plain.
    pub(crate) fn start(transport: &str) -> Self {
        Self::start_with(transport, PLAIN)
    }

    /// The same with a telephone that encrypts its sound as baresip's word `encryption` says.
    pub(crate) fn start_with(transport: &str, encryption: &str) -> Self {
        let folder =
            std::env::temp_dir().join(format!("housecall-registrar-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        write_settings(&folder, transport, encryption);
        let proxy = program::find("kamailio").unwrap();
        let phone = program::find("baresip").unwrap();
        let file = |name: &str| folder.join(name).into_os_string();
        let mut kamailio = Command::new(proxy);
        kamailio
            .args(["-DD", "-E", "-m", "64", "-M", "8"])
            .arg("-f")
            .arg(file("kamailio.cfg"));
        let proxy = started(kamailio.arg("-Y").arg(&folder), &folder, "kamailio");
        until("kamailio listens", || {
            TcpStream::connect((ADDRESS, PROXY_PORT)).is_ok()
        });
        let phone = started(
            Command::new(phone).arg("-f").arg(&folder).arg("-v"),
            &folder,
            "baresip",
        );
        let registrar = Self {
            proxy,
            phone,
            folder,
        };
        until("baresip is registered", || {
            registrar.phone_said("200 OK (kamailio")
        });
        registrar
    }

    pub(crate) fn udp(&self) -> Peer {
        Peer::udp(SocketAddr::new(ADDRESS.parse().unwrap(), PROXY_PORT))
    }

    pub(crate) fn tcp(&self) -> Peer {
        Peer::tcp(SocketAddr::new(ADDRESS.parse().unwrap(), PROXY_PORT))
    }

    /// Lets the telephone hang up.
    pub(crate) fn phone_hangs_up(&self) {
        let command = r#"{"command":"hangup"}"#;
        let mut control = TcpStream::connect((ADDRESS, CONTROL_PORT)).unwrap();
        write!(control, "{}:{command},", command.len()).unwrap();
        control
            .set_read_timeout(Some(Duration::from_secs(1)))
            .unwrap();
        // Its answer says nothing that the BYE does not.
        let _ = control.read(&mut [0; 256]);
    }

    /// Waits until the telephone has written this.
    pub(crate) fn until_phone_says(&self, words: &str) {
        until(words, || self.phone_said(words));
    }

    /// Waits until the loudest tenth of the last half second that the telephone has heard was this tone.
    pub(crate) fn until_phone_hears(&self, tone: Tone) {
        until(&format!("the telephone hears {tone:?}"), || {
            let samples = self.heard(SAMPLE_RATE as usize / 2);
            let tenths = samples.chunks_exact(SAMPLE_RATE as usize / 10);
            let loud = tenths.map(|tenth| (level(tenth).0, tenth));
            let loudest = loud.max_by(|(one, _), (other, _)| one.total_cmp(other));
            tone.is_heard(loudest.and_then(|(dbfs, tenth)| {
                let hertz = dominant_frequency(tenth)?;
                Some((hertz, dbfs))
            }))
        });
    }

    /// The last `count` samples that the telephone has heard in its latest call, at 8 kHz.
    fn heard(&self, count: usize) -> Vec<i16> {
        let files = fs::read_dir(&self.folder).unwrap();
        let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
        // `dump-<time>-dec.wav`; of each call one.
        let latest = names.filter(|name| name.ends_with("-dec.wav")).max();
        let file = latest.map(|name| fs::read(self.folder.join(name)).unwrap());
        let file = file.unwrap_or_default();
        let samples = file.get(WAV_HEADER..).unwrap_or_default().chunks_exact(2);
        let samples: Vec<i16> = samples
            .map(|sample| i16::from_le_bytes([sample[0], sample[1]]))
            .collect();
        samples[samples.len().saturating_sub(count)..].to_vec()
    }

    fn phone_said(&self, words: &str) -> bool {
        let log = fs::read(self.folder.join("baresip.log")).unwrap_or_default();
        String::from_utf8_lossy(&log).contains(words)
    }

    /// What both have written, for whoever has to find out why.
    pub(crate) fn told(&self) -> String {
        let read = |name| fs::read(self.folder.join(name)).unwrap_or_default();
        [read("kamailio.log"), read("baresip.log")]
            .map(|log| String::from_utf8_lossy(&log).into_owned())
            .concat()
    }
}

impl Drop for Registrar {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.told());
        }
        // Its workers end only if it tells them to, which it cannot if it is killed.
        let _ = Command::new("kill")
            .arg(self.proxy.id().to_string())
            .status();
        let _ = self.phone.kill();
        for child in [&mut self.phone, &mut self.proxy] {
            let _ = child.wait();
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn write_settings(folder: &Path, transport: &str, encryption: &str) {
    let modules = ["/usr/lib/baresip/modules", "/usr/local/lib/baresip/modules"];
    let modules = modules
        .into_iter()
        .find(|path| Path::new(path).is_dir())
        .unwrap_or_default();
    let words = [
        ("address", ADDRESS.to_owned()),
        ("port", PROXY_PORT.to_string()),
        ("phone_port", PHONE_PORT.to_string()),
        ("control_port", CONTROL_PORT.to_string()),
        ("folder", folder.display().to_string()),
        ("interface", CABLE.to_owned()),
        ("modules", modules.to_owned()),
        ("transport", transport.to_owned()),
        ("encryption", encryption.to_owned()),
    ];
    for (from, to) in [
        ("kamailio.cfg", "kamailio.cfg"),
        ("baresip.config", "config"),
        ("baresip.accounts", "accounts"),
    ] {
        let text =
            fs::read_to_string(format!("{}/registrar/{from}", env!("CARGO_MANIFEST_DIR"))).unwrap();
        let text = words.iter().fold(text, |text, (word, filling)| {
            text.replace(&format!("{{{word}}}"), filling)
        });
        fs::write(folder.join(to), text).unwrap();
    }
    fs::write(folder.join("contacts"), "").unwrap();
}

fn started(command: &mut Command, folder: &Path, name: &str) -> Child {
    let log = fs::File::create(folder.join(format!("{name}.log"))).unwrap();
    let errors = log.try_clone().unwrap();
    command
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(errors)
        .spawn()
        .unwrap()
}

fn until(what: &str, is_so: impl Fn() -> bool) {
    let limit = Instant::now() + START_LIMIT;
    while !is_so() {
        assert!(Instant::now() < limit, "in vain: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn ip(words: &[&str]) -> bool {
    let run = as_root("ip")
        .args(words)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    run.is_ok_and(|status| status.success())
}

/// Runs a program as root, without asking for a password.
fn as_root(program: &str) -> Command {
    if fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0) {
        return Command::new(program::find(program).unwrap_or_else(|| program.into()));
    }
    let mut sudo = Command::new("sudo");
    sudo.args(["-n", program]);
    sudo
}
