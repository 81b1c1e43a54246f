//! The clinic as one program.

use std::io::{ErrorKind, IsTerminal, Write};
use std::process::ExitCode;

use housecall_app::cli::{Arguments, HELP};
use housecall_app::config::Config;
use housecall_app::ledger::{self, Audit, AuditError};
use housecall_app::trunk_check::{self, Manner, Wish};
use housecall_store::Progress;
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = match Arguments::parse(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(why) => return fail(&why),
    };
    if arguments.help {
        return say(match arguments.check {
            Some(_) => trunk_check::HELP,
            None if arguments.about_ledger => ledger::HELP,
            None => HELP,
        });
    }
    if arguments.version {
        return say(concat!("housecall ", env!("CARGO_PKG_VERSION"), "\n"));
    }
    let config = match arguments.configuration() {
        Ok(config) => config,
        Err(why) => return fail(&why.to_string()),
    };
    match (&arguments.check, &arguments.audit) {
        (Some(wish), _) => check(&config, wish).await,
        (None, Some(wish)) => audit(&config, wish).await,
        (None, None) => run(config).await,
    }
}

async fn run(config: Config) -> ExitCode {
    start_log("warn,housecall=info,housecall_app=info");
    match housecall_app::run(config).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => fail(&why.to_string()),
    }
}

/// The steps say all that the log would, so that it is silent unless it is asked for.
async fn check(config: &Config, wish: &Wish) -> ExitCode {
    start_log("off");
    let manner = Manner::default();
    match trunk_check::run(config, wish, &manner, agrees, &mut std::io::stdout()).await {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(1),
        Err(why) => fail(&why.to_string()),
    }
}

async fn audit(config: &Config, wish: &Audit) -> ExitCode {
    start_log("off");
    let mut bar = Bar::default();
    let address = config.database();
    let mut out = std::io::stdout().lock();
    let audited = ledger::run(&address, wish, &mut out, &mut |progress| bar.draw(progress)).await;
    bar.clear();
    match audited {
        Ok(()) => ExitCode::SUCCESS,
        // A closed pipe is the reader's choice.
        Err(AuditError::Output(why)) if why.kind() == ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(why) => {
            let _ = writeln!(std::io::stderr(), "housecall: {why}");
            ExitCode::from(why.status())
        }
    }
}

/// One line on a terminal that says how far it is; nothing elsewhere.
#[derive(Default)]
struct Bar {
    percent: Option<u64>,
}

impl Bar {
    fn draw(&mut self, progress: Progress) {
        let (done, all, what) = match progress {
            Progress::Entries(done, all) => (done, all, "entries"),
            Progress::Sessions(done, all) => (done, all, "sessions"),
        };
        let percent = done.saturating_mul(100) / all.max(1);
        if self.percent != Some(percent) && std::io::stderr().is_terminal() {
            self.percent = Some(percent);
            let _ = write!(std::io::stderr(), "\r\x1b[K{percent:>3} % of {all} {what}");
        }
    }

    fn clear(&self) {
        if self.percent.is_some() {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}

/// Asks whoever sits at the terminal; where nobody does, a script has decided.
fn agrees(question: &str) -> bool {
    let input = std::io::stdin();
    if !input.is_terminal() {
        return true;
    }
    say(&format!("{question} [y/N] "));
    let mut answer = String::new();
    let is_read = std::io::stdout()
        .flush()
        .and_then(|()| input.read_line(&mut answer));
    is_read.is_ok() && matches!(answer.trim(), "y" | "Y" | "yes")
}

/// RUST_LOG chooses; without it, `otherwise`: what a user would notice, and warnings of everything else.
fn start_log(otherwise: &str) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(otherwise));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
}

fn say(words: &str) -> ExitCode {
    // A closed pipe is the reader's choice.
    let _ = std::io::stdout().write_all(words.as_bytes());
    ExitCode::SUCCESS
}

fn fail(why: &str) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "housecall: {why}");
    ExitCode::from(2)
}
