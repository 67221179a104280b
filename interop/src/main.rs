//! The command line of the suite.

use std::process::ExitCode;

use clap::Parser as _;
use mnetd_interop::options::Options;
use mnetd_interop::suite;

fn main() -> ExitCode {
    let options = Options::parse();
    match suite::run(&options) {
        Ok(ended) if ended.anything_failed() => ExitCode::from(1),
        Ok(_) => ExitCode::SUCCESS,
        Err(refusal) => {
            eprintln!("interop: {refusal}");
            ExitCode::from(2)
        }
    }
}
