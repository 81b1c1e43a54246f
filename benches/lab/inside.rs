//! Namespaces in which a measurement runs.

use std::env;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::{Result, program};

/// An address that is not on the loopback interface, for servers that gather no candidates there. It is still local.
pub const CABLE_ADDRESS: &str = "127.0.0.9";
const CABLE: [&str; 2] = ["near0", "far0"];
/// Says to this program that it is inside.
const INSIDE: &str = "HOUSECALL_LAB_INSIDE";

/// Runs this program again as the first process of a network and process namespace of its own, and returns there.
///
/// Everything it starts ends with it, and it ends after `limit` at the latest. The network has the loopback interface and a cable
/// whose both ends are inside, so no packet can leave.
///
/// # Errors
/// No namespace can be made: that needs `unshare` and `ip`, and root.
pub fn enter(limit: Duration) -> Result<()> {
    if env::var_os(INSIDE).is_none() {
        return Err(replace_this_process()?.into());
    }
    thread::spawn(move || {
        thread::sleep(limit);
        std::process::exit(1);
    });
    raise_network()
}

/// Returns only if it fails.
fn replace_this_process() -> Result<std::io::Error> {
    let unshare = program::find("unshare").ok_or("unshare is not installed")?;
    let flags = ["--net", "--pid", "--fork", "--kill-child", "--mount-proc"];
    let probe = Command::new(&unshare)
        .args(flags)
        .arg("true")
        .stderr(Stdio::null())
        .status()?;
    if !probe.success() {
        return Err("no network namespace can be made: that needs root".into());
    }
    Ok(Command::new(unshare)
        .args(flags)
        .arg(env::current_exe()?)
        .args(env::args_os().skip(1))
        .env(INSIDE, "1")
        .exec())
}

fn raise_network() -> Result<()> {
    let [near, far] = CABLE;
    let address = format!("{CABLE_ADDRESS}/32");
    ip(&["link", "set", "lo", "up"])?;
    ip(&["link", "add", near, "type", "veth", "peer", "name", far])?;
    ip(&["addr", "add", &address, "dev", near])?;
    ip(&["link", "set", near, "up"])?;
    ip(&["link", "set", far, "up"])
}

fn ip(words: &[&str]) -> Result<()> {
    let ip = program::find("ip").ok_or("ip is not installed")?;
    let status = Command::new(ip).args(words).status()?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("ip {}: {status}", words.join(" ")).into())
    }
}
