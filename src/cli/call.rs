//! `mnetd call`: one call to a peer, for trying things out.

use std::process::ExitCode;

use clap::Args;
use serde_json::Value as Json;

use super::CliError;
use super::output::say;
use super::site::Site;
use crate::xmlrpc::Value;

#[derive(Args, Debug)]
pub struct CallArguments {
    /// The peer's wwwroot
    peer: String,
    /// The method, such as system/listServices
    method: String,
    /// The parameters, each as JSON: '"text"', 7, true, '["a"]', '{"username": "zoe"}'
    #[arg(value_name = "JSON")]
    params: Vec<String>,
}

pub fn run(site: &Site, arguments: &CallArguments) -> Result<ExitCode, CliError> {
    let params = arguments
        .params
        .iter()
        .map(|text| parse(text))
        .collect::<Result<Vec<_>, _>>()?;
    let peer = site.peer(&arguments.peer)?;
    let reply = site.block_on(site.client.call(&peer, &arguments.method, params))?;
    say!("{:#}", Json::from(&reply));
    Ok(ExitCode::SUCCESS)
}

fn parse(text: &str) -> Result<Value, CliError> {
    let refuse = |reason: String| CliError::Parameter {
        text: text.to_owned(),
        reason,
    };
    let json: Json = serde_json::from_str(text).map_err(|error| refuse(error.to_string()))?;
    Value::try_from(json).map_err(|error| refuse(error.to_string()))
}
