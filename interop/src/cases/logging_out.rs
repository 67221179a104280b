//! Who signs out at one end is signed out at the other.

use crate::browser::Browser;
use crate::case::{Case, Need, Outcome};
use crate::failure::{Held, expect_so};
use crate::sign_on::SignOn;
use crate::waiting::{PATIENCE, until_equal};
use crate::{mnetd_pages, moodle_pages};

/// The cases.
pub const CASES: &[Case] = &[
    Case {
        name: "one-from-moodle-signs-out-at-mnetd",
        shows: "Kim, from Moodle, signs out at mnetd: signed out of both, and back at Moodle.",
        needs: &[Need::SingleSignOn],
        run: |scene| {
            let sso = SignOn::between(scene)?;
            let mut browser = sso.kim_at_mnetd()?;
            let page = mnetd_pages::sign_out(&mut browser, &sso.mnetd)?;
            expect_so(
                "the browser is back at Moodle",
                page.url.as_str().starts_with(sso.moodle.url()),
                &page.url,
            )?;
            signed_out_of_both(&sso, &mut browser)
        },
    },
    Case {
        name: "one-from-moodle-signs-out-at-moodle",
        shows: "Kim, from Moodle, signs out there: signed out of both.",
        needs: &[Need::SingleSignOn],
        run: |scene| {
            let sso = SignOn::between(scene)?;
            let mut browser = sso.kim_at_mnetd()?;
            moodle_pages::sign_out(&mut browser, sso.moodle)?;
            signed_out_of_both(&sso, &mut browser)
        },
    },
    Case {
        name: "one-from-mnetd-signs-out-at-moodle",
        shows: "Zora, from mnetd, signs out at Moodle: signed out of both, and back at mnetd.",
        needs: &[Need::SingleSignOn],
        run: |scene| {
            let sso = SignOn::between(scene)?;
            let mut browser = sso.zora_at_moodle()?;
            let page = moodle_pages::sign_out(&mut browser, sso.moodle)?;
            expect_so(
                "the browser is back at mnetd",
                page.url.as_str().starts_with(&sso.mnetd.url()),
                &page.url,
            )?;
            signed_out_of_both(&sso, &mut browser)
        },
    },
    Case {
        name: "one-from-mnetd-signs-out-at-mnetd",
        shows: "Zora, from mnetd, signs out there: signed out of both.",
        needs: &[Need::SingleSignOn],
        run: |scene| {
            let sso = SignOn::between(scene)?;
            let mut browser = sso.zora_at_moodle()?;
            mnetd_pages::sign_out(&mut browser, &sso.mnetd)?;
            signed_out_of_both(&sso, &mut browser)
        },
    },
];

/// The other side is told beside the page that answers, so it may take a moment.
fn signed_out_of_both(sso: &SignOn<'_>, browser: &mut Browser) -> Held<Outcome> {
    until_equal("nobody signed in at mnetd", PATIENCE, &None, || {
        sso.who_is_at_mnetd(browser)
    })?;
    until_equal("nobody signed in at Moodle", PATIENCE, &None, || {
        sso.who_is_at_moodle(browser)
    })?;
    Ok(Outcome::Held)
}
