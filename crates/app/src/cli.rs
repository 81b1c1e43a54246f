//! The command line: few flags, each of which the configuration has too, and what else the program does.

use std::path::PathBuf;

use crate::config::{Config, ConfigError};
use crate::trunk_check::Wish;

/// What `--help` prints.
pub const HELP: &str = "\
Housecall: a small clinic with video visits and phone calls.

Usage: housecall [--config FILE] [--port PORT] [--data DIRECTORY]
       housecall trunk check [NAME] [--call NUMBER]    (trunk check --help says more)

  --config FILE      read this configuration (also HOUSECALL_CONFIG)
  --port PORT        listen on this port of the configured address (default 8080)
  --data DIRECTORY   keep the database here (default ./data)
  --help             print this
  --version          print the version

Without a configuration Housecall is a demonstration: a small clinic in one SQLite file, reachable from this machine only,
with a telephone network of its own inside. It prints the links to click.
";

/// What the command line asks for.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Arguments {
    /// Check the trunks, instead of running the clinic.
    pub check: Option<Wish>,
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
            ("--port", None) => {
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
                let of = if check.is_some() { "trunk check " } else { "" };
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
        }
        config.check()
    }
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
        ] {
            assert_eq!(parse(line).unwrap_err(), said);
        }
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
