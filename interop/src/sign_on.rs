//! Single sign-on between a Moodle and mnetd: who goes where by which link.

use serde_json::json;

use crate::browser::Browser;
use crate::case::Scene;
use crate::failure::{Failure, Held};
use crate::introduction::introduce;
use crate::mnetd::Mnetd;
use crate::mnetd_pages;
use crate::moodle::{Account, Moodle};
use crate::moodle_pages;

/// The capability that lets a user of Moodle go on to peers; off in a new Moodle.
const MAY_ROAM: &str = "moodle/site:mnetlogintoremote";

/// The name of the one who comes from Moodle.
pub const KIM: &str = "interop-kim";

/// The name of the one who comes from mnetd.
pub const ZORA: &str = "interop-zora";

/// A Moodle and an mnetd that know each other, with somebody in each who may go to the other.
pub struct SignOn<'a> {
    /// The Moodle.
    pub moodle: &'a Moodle,
    /// The mnetd.
    pub mnetd: Mnetd,
    /// A user of the Moodle: Kim Øst.
    pub kim: Account,
    /// An account of mnetd: Zora Šebek.
    pub zora: Account,
    plugin: &'static str,
    host: u64,
}

impl<'a> SignOn<'a> {
    /// Makes the two known to each other, with users who may go to the other side; Kim has not been at mnetd yet, and has
    /// no right to sign in there.
    ///
    /// # Errors
    /// When any of that fails.
    pub fn between(scene: &'a Scene) -> Held<Self> {
        Self::at(&scene.moodle, scene.mnetd()?)
    }

    /// As [`SignOn::between`], for a Moodle and an mnetd of one's choice.
    ///
    /// # Errors
    /// When any of that fails.
    pub fn at(moodle: &'a Moodle, mut mnetd: Mnetd) -> Held<Self> {
        mnetd.start()?;
        let zora = mnetd_pages::make_member(&mnetd, ZORA, "Zora", "Šebek")?;
        Self::joining(moodle, mnetd, zora)
    }

    /// The same mnetd, which comes to know another Moodle as well.
    ///
    /// # Errors
    /// When any of that fails.
    pub fn also_at(self, moodle: &'a Moodle) -> Held<Self> {
        Self::joining(moodle, self.mnetd, self.zora)
    }

    fn joining(moodle: &'a Moodle, mut mnetd: Mnetd, zora: Account) -> Held<Self> {
        let plugin = moodle.sign_on_plugin().ok_or_else(|| no_plugin(moodle))?;
        moodle.provision("enable", &json!({"type": "auth", "name": plugin}))?;
        let host = introduce(moodle, &mut mnetd)?;
        let kim = pupil(moodle, KIM, "Kim", "Øst")?;
        let between = Self {
            moodle,
            mnetd,
            kim,
            zora,
            plugin,
            host,
        };
        between.let_users_roam(true)?;
        Ok(between)
    }

    /// The number that mnetd has in the Moodle.
    #[must_use]
    pub fn host(&self) -> u64 {
        self.host
    }

    /// Whether users of the Moodle may go to peers at all.
    ///
    /// # Errors
    /// When the capability cannot be changed.
    pub fn let_users_roam(&self, allow: bool) -> Held {
        let capability = json!({"role": "user", "capability": MAY_ROAM, "allow": allow});
        self.moodle.provision("capability", &capability).map(drop)
    }

    /// Gives Kim the right to sign in at mnetd, which takes that Kim was there once.
    ///
    /// # Errors
    /// When mnetd knows no Kim.
    pub fn let_kim_in(&self) -> Held {
        self.mnetd
            .run(&[
                "signin",
                "allow",
                "--user",
                KIM,
                "--peer",
                self.moodle.url(),
            ])
            .map(drop)
    }

    /// A browser in which Kim is signed in at Moodle.
    ///
    /// # Errors
    /// When Moodle does not let Kim in.
    pub fn kim_at_moodle(&self) -> Held<Browser> {
        let mut browser = Browser::new()?;
        moodle_pages::sign_in(&mut browser, self.moodle, &self.kim)?;
        Ok(browser)
    }

    /// A browser in which Kim, with the right to, has come from Moodle to mnetd.
    ///
    /// # Errors
    /// When Kim is not signed in there.
    pub fn kim_at_mnetd(&self) -> Held<Browser> {
        let mut browser = self.kim_at_moodle()?;
        // The first time makes Kim known, and refuses.
        browser.open(&self.way_to_mnetd("/mine"))?;
        self.let_kim_in()?;
        let page = browser.open(&self.way_to_mnetd("/mine"))?.well()?;
        match mnetd_pages::signed_in_on(&page) {
            Some(_) => Ok(browser),
            None => Err(page.lacks("Kim, signed in")),
        }
    }

    /// A browser in which Zora is signed in at mnetd.
    ///
    /// # Errors
    /// When mnetd does not let Zora in.
    pub fn zora_at_mnetd(&self) -> Held<Browser> {
        let mut browser = Browser::new()?;
        mnetd_pages::sign_in(&mut browser, &self.mnetd, &self.zora)?;
        Ok(browser)
    }

    /// A browser in which Zora has come from mnetd to Moodle.
    ///
    /// # Errors
    /// When Zora is not signed in there.
    pub fn zora_at_moodle(&self) -> Held<Browser> {
        let mut browser = self.zora_at_mnetd()?;
        let page = browser.open(&self.way_to_moodle("/user/profile.php"))?;
        match moodle_pages::who_is_signed_in(&mut browser, self.moodle)? {
            Some(_) => Ok(browser),
            None => Err(page.lacks("Zora, signed in")),
        }
    }

    /// Moodle's link to a page of mnetd's.
    #[must_use]
    pub fn way_to_mnetd(&self, wantsurl: &str) -> String {
        let query = query(&[("hostid", &self.host.to_string()), ("wantsurl", wantsurl)]);
        self.moodle
            .page(&format!("/auth/{}/jump.php?{query}", self.plugin))
    }

    /// mnetd's link to a page of Moodle's.
    #[must_use]
    pub fn way_to_moodle(&self, wantsurl: &str) -> String {
        let query = query(&[("hostwwwroot", self.moodle.url()), ("wantsurl", wantsurl)]);
        self.mnetd.page(&format!("/auth/mnet/jump.php?{query}"))
    }

    /// Who is signed in at Moodle in a browser.
    ///
    /// # Errors
    /// When there is no answer.
    pub fn who_is_at_moodle(&self, browser: &mut Browser) -> Held<Option<String>> {
        moodle_pages::who_is_signed_in(browser, self.moodle)
    }

    /// Who is signed in at mnetd in a browser.
    ///
    /// # Errors
    /// When there is no answer.
    pub fn who_is_at_mnetd(&self, browser: &mut Browser) -> Held<Option<String>> {
        mnetd_pages::who_is_signed_in(browser, &self.mnetd)
    }
}

/// A user of a Moodle with a password.
///
/// # Errors
/// When Moodle does not make one.
pub fn pupil(moodle: &Moodle, username: &str, firstname: &str, lastname: &str) -> Held<Account> {
    let password = "Pupil-1-of-the-suite";
    let user = json!({
        "username": username, "firstname": firstname, "lastname": lastname, "password": password,
        "idnumber": username.to_uppercase(),
    });
    moodle.provision("user", &user)?;
    Ok(Account {
        username: username.to_owned(),
        password: password.to_owned(),
    })
}

fn query(pairs: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish()
}

fn no_plugin(moodle: &Moodle) -> Failure {
    Failure::Moodle {
        moodle: moodle.url().to_owned(),
        action: "single sign-on".to_owned(),
        reason: "neither auth_mnet nor auth_mnetd is installed".to_owned(),
    }
}
