//! What the register refuses is seen in Moodle, and can be sent again.

use serde_json::json;

use crate::case::{Case, Need, Outcome, Scene};
use crate::failure::{Held, expect, expect_so, expect_text};
use crate::moodle_pages::Administrator;
use crate::school::{School, number};

/// The cases.
pub const CASES: &[Case] = &[Case {
    name: "what-the-register-refuses-is-seen-and-can-be-sent-again",
    shows: "A job that the register refuses stands on the plugin's page with its fault; once the cause is gone, the button there sends it again.",
    needs: &[Need::LocalMnetd],
    run: refused,
}];

fn refused(scene: &Scene) -> Held<Outcome> {
    let school = School::open(scene)?;
    let fields = json!({"idnumber": "INTEROP-NIX", "firstname": "Nix", "lastname": "Named"});
    school.user("nix", fields)?;
    school.cron()?;
    expect_name(&school, "Named")?;
    // The register does not let a name be cleared; Moodle's own functions do, as imports from elsewhere show.
    school.user("nix", json!({"lastname": ""}))?;
    school.cron()?;
    expect("refused jobs", &json!(1), &school.status()?["refused"])?;
    expect_name(&school, "Named")?;
    let sql = "SELECT faultcode, faulttext FROM {local_mnetd_queue} WHERE state = 'refused'";
    let kept = school.does("select", &json!({"sql": sql}))?;
    let fault = number(&kept[0], "faultcode")?;
    expect_so(
        "the fault is one of the register's",
        (8001..=8007).contains(&fault),
        &kept,
    )?;

    let mut administrator = Administrator::of(school.moodle)?;
    let page = administrator.open("/local/mnetd/index.php")?.well()?;
    expect_text("the status page", &fault.to_string(), &page.text())?;
    expect_text("the status page", "Nix", &page.text())?;

    // The cause goes without an event, so that the button alone tells the register of it.
    let sql = "UPDATE {user} SET lastname = ? WHERE username = ?";
    school.does(
        "execute",
        &json!({"sql": sql, "params": ["Named Again", "interop-nix"]}),
    )?;
    let again = page
        .forms()
        .into_iter()
        .find(|form| form.value("action") == Some("retryall"))
        .ok_or_else(|| page.lacks("the button that sends all again"))?;
    administrator.send(&again)?.well()?;
    school.cron()?;
    expect("refused jobs", &json!(0), &school.status()?["refused"])?;
    expect_name(&school, "Named Again")?;
    Ok(Outcome::HeldWith(format!("refused with fault {fault}")))
}

fn expect_name(school: &School<'_>, lastname: &str) -> Held {
    let query = "SELECT lastname FROM person WHERE idnumber = ?1";
    expect(
        "the last name in the register",
        &json!([lastname]),
        &school.row(query, &["INTEROP-NIX"])?,
    )
}
