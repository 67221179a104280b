//! `mnetd demo`: a made-up school.

use std::process::ExitCode;
use std::time::Instant;

use clap::Args;
use indicatif::ProgressBar;

use super::CliError;
use super::output::{progress_style, say};
use super::site::Site;
use crate::demo::{self, Demo, MAX_PEOPLE, MAX_YEARS, MIN_PEOPLE};

#[derive(Args, Debug)]
pub struct DemoArguments {
    /// How many people, teachers included
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = clap::value_parser!(u32).range(i64::from(MIN_PEOPLE)..=i64::from(MAX_PEOPLE)))]
    people: u32,
    /// The same seed makes the same school
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// How many school years it looks back on, this one included
    #[arg(long, value_name = "Y", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_YEARS)))]
    years: u32,
    /// Put it beside the people that are there already
    #[arg(long)]
    add: bool,
}

pub fn run(site: &Site, arguments: &DemoArguments) -> Result<ExitCode, CliError> {
    let demo = Demo {
        people: arguments.people,
        seed: arguments.seed,
        years: arguments.years,
        add: arguments.add,
    };
    let started = Instant::now();
    // Draws on a terminal only.
    let bar = ProgressBar::no_length().with_style(progress_style());
    let made = demo::fill(&site.store, &demo, site.clock.now(), |done, steps| {
        bar.set_length(steps);
        bar.set_position(done);
    });
    bar.finish_and_clear();
    let made = made?;
    say!(
        "Made a school of {} people: {} sections, {} enrolments, {} assessments, {} grades, in {:.1} s.",
        made.people,
        made.sections,
        made.enrolments,
        made.assessments,
        made.grades,
        started.elapsed().as_secs_f64()
    );
    Ok(ExitCode::SUCCESS)
}
