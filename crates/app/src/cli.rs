//! The command line: few flags, each of which the configuration has too.

use std::path::PathBuf;

use crate::config::{Config, ConfigError};

/// What `--help` prints.
pub const HELP: &str = "\
Housecall: a small clinic with video visits and phone calls.

Usage: housecall [--config FILE] [--port PORT] [--data DIRECTORY]

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
        let mut words = words.into_iter();
        while let Some(word) = words.next() {
            let (flag, inline) = match word.split_once('=') {
                Some((flag, value)) => (flag.to_owned(), Some(value.to_owned())),
                None => (word, None),
            };
            let mut value = || {
                inline
                    .clone()
                    .or_else(|| words.next())
                    .ok_or_else(|| format!("{flag} needs a value after it"))
            };
            match flag.as_str() {
                "--help" | "-h" => arguments.help = true,
                "--version" | "-V" => arguments.version = true,
                "--config" => arguments.config = Some(value()?.into()),
                "--port" => {
                    arguments.port = Some(
                        value()?
                            .parse()
                            .map_err(|_| "--port needs a number from 0 to 65535".to_owned())?,
                    )
                }
                "--data" => arguments.data = Some(value()?.into()),
                other => {
                    return Err(format!(
                        "`{other}` is not a flag of ours; --help lists them"
                    ));
                }
            }
        }
        Ok(arguments)
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
        assert_eq!(
            parse("--prot 1").unwrap_err(),
            "`--prot` is not a flag of ours; --help lists them"
        );
        assert_eq!(
            parse("--port").unwrap_err(),
            "--port needs a value after it"
        );
        assert!(parse("--port 70000").is_err());
    }
}
