//! The clinic as one program.

use std::io::Write;
use std::process::ExitCode;

use housecall_app::cli::{Arguments, HELP};
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = match Arguments::parse(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(why) => return fail(&why),
    };
    if arguments.help {
        return say(HELP);
    }
    if arguments.version {
        return say(concat!("housecall ", env!("CARGO_PKG_VERSION"), "\n"));
    }
    let config = match arguments.configuration() {
        Ok(config) => config,
        Err(why) => return fail(&why.to_string()),
    };
    start_log();
    match housecall_app::run(config).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => fail(&why.to_string()),
    }
}

/// RUST_LOG chooses; without it, what a user would notice, and warnings of everything else.
fn start_log() {
    let filter = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new("warn,housecall=info,housecall_app=info"));
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
