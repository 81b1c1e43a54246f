//! The command line: few flags, each of which the configuration has too, and what else the program does.

use std::iter::Peekable;
use std::path::PathBuf;

use crate::config::{Config, ConfigError};
use crate::ledger::Audit;
use crate::trunk_check::Wish;

/// What `--help` prints.
pub const HELP: &str = "\
Housecall: a small clinic with video visits and phone calls.

Usage: housecall [--config FILE] [--port PORT] [--data DIRECTORY]
       housecall trunk check [NAME] [--call NUMBER]    (trunk check --help says more)
       housecall ledger verify | explain SESSION | replay | export    (ledger --help says more)

  --config FILE      read this configuration (also HOUSECALL_CONFIG)
  --port PORT        listen on this port of the configured address (default 8080)
  --data DIRECTORY   keep the database here, in a file (default ./data)
  --help             print this
  --version          print the version

What happens in visits and calls while the database is away is kept on this machine's disk, in the directory `spool` beside
the data (server.spool, HOUSECALL_SPOOL), and written to the database when that is back, or at the next start.

Without a configuration Housecall is a demonstration: a small clinic in one SQLite file, reachable from this machine only,
with a telephone network of its own inside. It prints the links to click.
";

/// What the command line asks for.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Arguments {
    /// Check the trunks, instead of running the clinic.
    pub check: Option<Wish>,
    /// Audit the ledger, instead of running the clinic.
    pub audit: Option<Audit>,
    /// Print what `ledger` can do; with [`help`](Self::help).
    pub about_ledger: bool,
    /// Print the help and stop.
    pub help: bool,
    /// Print the version and stop.
    pub version: bool,
    /// The configuration file.
    pub config: Option<PathBuf>,
    /// The port.
    pub port: Option<u16>,
    /// The directory of the database.
    pub data: Option<PathBuf>,
}

impl Arguments {
    /// Reads the words after the program's name.
    ///
    /// # Errors
    /// A sentence that names the word that makes no sense.
    pub fn parse(words: impl IntoIterator<Item = String>) -> Result<Self, String> {
        let mut arguments = Self::default();
        let mut words = words.into_iter().peekable();
        if words.next_if(|word| word == "trunk").is_some() {
            let check = words.next_if(|word| word == "check");
            check.ok_or("`trunk` is followed by `check`: housecall trunk check")?;
            arguments.check = Some(Wish::default());
        } else if words.next_if(|word| word == "ledger").is_some() {
            arguments.about_ledger = true;
            arguments.audit = audit(&mut words)?;
        }
        while let Some(word) = words.next() {
            let (flag, inline) = match word.split_once('=') {
                Some((flag, value)) if flag.starts_with('-') => {
                    (flag.to_owned(), Some(value.to_owned()))
                }
                _ => (word, None),
            };
            let value = || {
                inline
                    .or_else(|| words.next())
                    .ok_or_else(|| format!("{flag} needs a value after it"))
            };
            arguments.take(&flag, value)?;
        }
        if arguments.about_ledger && arguments.audit.is_none() {
            arguments.help = true;
        }
        Ok(arguments)
    }

    fn take(
        &mut self,
        flag: &str,
        value: impl FnOnce() -> Result<String, String>,
    ) -> Result<(), String> {
        match (flag, &mut self.check) {
            ("--help" | "-h", _) => self.help = true,
            ("--version" | "-V", _) => self.version = true,
            ("--config", _) => self.config = Some(value()?.into()),
            ("--data", _) => self.data = Some(value()?.into()),
            ("--port", None) if !self.about_ledger => {
                let port = value()?.parse();
                self.port =
                    Some(port.map_err(|_| "--port needs a number from 0 to 65535".to_owned())?);
            }
            ("--call", Some(check)) => check.call = Some(value()?),
            ("--from", Some(check)) => check.from = Some(value()?),
            ("--yes" | "-y", Some(check)) => check.yes = true,
            (name, Some(check)) if !name.starts_with('-') && check.trunk.is_none() => {
                check.trunk = Some(name.to_owned());
            }
            (other, check) => {
                let of = match check {
                    Some(_) => "trunk check ",
                    None if self.about_ledger => "ledger ",
                    None => "",
                };
                return Err(format!(
                    "`{other}` is not a flag of ours; {of}--help lists them"
                ));
            }
        }
        Ok(())
    }

    /// Returns the configuration: the file, then the environment, then these flags.
    ///
    /// # Errors
    /// See [`ConfigError`].
    pub fn configuration(&self) -> Result<Config, ConfigError> {
        let variables = std::env::vars_os()
            .filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)))
            .collect();
        let file = self
            .config
            .clone()
            .or_else(|| std::env::var_os("HOUSECALL_CONFIG").map(PathBuf::from));
        let mut config = file
            .map_or_else(|| Ok(Config::demo()), |file| Config::from_file(&file))?
            .overrule(&variables)?;
        if let Some(port) = self.port {
            config.server.bind.set_port(port);
        }
        if let Some(data) = &self.data {
            config.server.data.clone_from(data);
            config.server.database = None;
        }
        config.check()
    }
}

/// Reads what follows `ledger`; none where only flags do.
fn audit(words: &mut Peekable<impl Iterator<Item = String>>) -> Result<Option<Audit>, String> {
    let Some(word) = words.next_if(|word| !word.starts_with('-')) else {
        return Ok(None);
    };
    let audit = match word.as_str() {
        "verify" => Audit::Verify,
        "replay" => Audit::Replay,
        "export" => Audit::Export,
        "explain" => {
            let session = words.next_if(|word| !word.starts_with('-'));
            let missing = "`explain` is followed by the name of a session";
            Audit::Explain(session.ok_or(missing)?)
        }
        other => {
            return Err(format!(
                "`{other}` is nothing that a ledger does; ledger --help lists what is"
            ));
        }
    };
    Ok(Some(audit))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Arguments, String> {
        Arguments::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn flags_are_read_either_way() {
        assert_eq!(
            parse("--port 9000 --data=/d").unwrap(),
            Arguments {
                port: Some(9000),
                data: Some("/d".into()),
                ..Arguments::default()
            }
        );
        assert!(parse("--help").unwrap().help);
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        for (line, said) in [
            (
                "--prot 1",
                "`--prot` is not a flag of ours; --help lists them",
            ),
            ("--port", "--port needs a value after it"),
            ("--port 70000", "--port needs a number from 0 to 65535"),
            (
                "--call 000",
                "`--call` is not a flag of ours; --help lists them",
            ),
            (
                "trunk list",
                "`trunk` is followed by `check`: housecall trunk check",
            ),
            (
                "trunk check A B",
                "`B` is not a flag of ours; trunk check --help lists them",
            ),
            ("trunk check --call", "--call needs a value after it"),
            (
                "ledger burn",
                "`burn` is nothing that a ledger does; ledger --help lists what is",
            ),
            (
                "ledger explain",
                "`explain` is followed by the name of a session",
            ),
            (
                "ledger verify --port 1",
                "`--port` is not a flag of ours; ledger --help lists them",
            ),
        ] {
            assert_eq!(parse(line).unwrap_err(), said);
        }
    }

    #[test]
    fn an_audit_is_asked_for_with_its_name() {
        let audit = |line: &str| parse(line).unwrap().audit;
        assert_eq!(audit("ledger verify --data /d"), Some(Audit::Verify));
        let session = Audit::Explain("visit:1".to_owned());
        assert_eq!(audit("ledger explain visit:1"), Some(session));
        let bare = parse("ledger").unwrap();
        assert_eq!(
            (bare.help, bare.about_ledger, bare.audit),
            (true, true, None)
        );
    }

    #[test]
    fn a_check_is_asked_for_with_its_own_flags() {
        let wish = |line: &str| parse(line).unwrap().check.unwrap();
        assert_eq!(wish("trunk check"), Wish::default());
        assert_eq!(
            wish("trunk check Carrier --call=0491570006 --from 0255500142 -y"),
            Wish {
                trunk: Some("Carrier".to_owned()),
                call: Some("0491570006".to_owned()),
                from: Some("0255500142".to_owned()),
                yes: true,
            }
        );
        let config = parse("trunk check --config f.toml").unwrap().config;
        assert_eq!(config, Some("f.toml".into()));
        assert_eq!(parse("").unwrap().check, None);
    }
}
