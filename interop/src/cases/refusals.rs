//! What the register refuses is seen in Moodle, and can be sent again.

use serde_json::{Value as Json, json};

use crate::case::{Case, Need, Outcome, Scene};
use crate::failure::{Held, expect, expect_text};
use crate::moodle_pages::Administrator;
use crate::school::{Kind, School};

/// The cases.
pub const CASES: &[Case] = &[Case {
    name: "what-the-register-refuses-is-seen-and-can-be-sent-again",
    shows: "A job that the register refuses stands on the plugin's page with its fault; once the cause is gone, the button there sends it again.",
    needs: &[Need::LocalMnetd],
    run: refused,
}];

/// More points than the register takes: it refuses them as out of range.
const TOO_MANY: i64 = 2_000_000;

/// The fault for a value that is out of range.
const OUT_OF_RANGE: &str = "8002";

fn refused(scene: &Scene) -> Held<Outcome> {
    let school = School::open(scene)?;
    let class = school.class()?;
    school.cron()?;
    let item = school.id(Kind::Item, class.item)?;
    let about = json!({"item": class.item, "itemname": "Vast", "grademax": TOO_MANY});
    school.does("item-update", &about)?;
    school.cron()?;
    expect("refused jobs", &json!(1), &school.status()?["refused"])?;
    expect_item(&school, &item, &json!(["Oral", 100.0]))?;

    let mut administrator = Administrator::of(school.moodle)?;
    let page = administrator.open("/local/mnetd/index.php")?.well()?;
    expect_text("the status page", OUT_OF_RANGE, &page.text())?;
    expect_text("the status page", "Vast", &page.text())?;

    // The cause goes without an event, so that the button alone tells the register of it.
    let sql = "UPDATE {grade_items} SET grademax = 50 WHERE id = ?";
    school.does("execute", &json!({"sql": sql, "params": [class.item]}))?;
    let again = page
        .forms()
        .into_iter()
        .find(|form| form.value("action") == Some("retryall"))
        .ok_or_else(|| page.lacks("the button that sends all again"))?;
    administrator.send(&again)?.well()?;
    school.cron()?;
    expect("refused jobs", &json!(0), &school.status()?["refused"])?;
    expect_item(&school, &item, &json!(["Vast", 50.0]))?;
    Ok(Outcome::Held)
}

fn expect_item(school: &School<'_>, id: &str, row: &Json) -> Held {
    let query = "SELECT name, pointval FROM assessment WHERE idnumber = ?1";
    expect("name, most points", row, &school.row(query, &[id])?)
}
