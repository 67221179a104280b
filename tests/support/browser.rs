//! A browser with nobody in front of it: headless Chromium, led by chromedriver.
//!
//! Pages are used as a person uses them: links and buttons by what they say, fields by their labels. What
//! is not there yet is waited for; what never comes ends the test with the address and the text of the
//! page in its message.
#![allow(dead_code, reason = "the kit is there before every test that uses it")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use axum::http::Method;
use fantoccini::elements::Element;
use fantoccini::error::CmdError;
use fantoccini::wd::{Capabilities, TimeoutConfiguration, WebDriverCompatibleCommand};
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value as Json, json};
use tokio::runtime::Runtime;
use url::{ParseError, Url};

/// Set where the browser has to be there: a check that was skipped must not look like one that passed.
const REQUIRED: &str = "MNETD_REQUIRE_BROWSER";

/// Says where axe-core is: the path of its `axe.min.js`.
const AXE: &str = "MNETD_AXE";

/// Set where the screenshots in docs/ are to be made anew.
const SCREENSHOTS: &str = "MNETD_SCREENSHOTS";

/// How long anything on a page is waited for. Pages come within a second; a slow machine must not fail a
/// test.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often is looked for what is waited for.
const GLANCE: Duration = Duration::from_millis(50);

/// How long chromedriver is given to close its browser before both are killed.
const FAREWELL: Duration = Duration::from_secs(5);

/// Width and height of a window on a desk, in CSS pixels: what most laptops have at least.
const DESKTOP: (u32, u32) = (1280, 900);

/// Width and height of a phone held upright, in CSS pixels: the narrowest that many people have.
const PHONE: (u32, u32) = (375, 812);

/// A browser of one test's own, with a profile of its own.
///
/// Browser and driver end when this is dropped, and so when the test panics.
pub struct Browser {
    client: Client,
    runtime: Runtime,
    // Dropped in this order: the processes write into the profile until they have ended.
    processes: Processes,
    profile: tempfile::TempDir,
}

/// One thing axe found wrong.
#[derive(Debug)]
pub struct Violation {
    /// The rule, by axe's name for it.
    pub rule: String,
    /// What the rule asks for.
    pub help: String,
    /// The elements that break it, as CSS selectors, each with what is wrong with it.
    pub elements: Vec<String>,
}

/// The size a page is shown at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// A window on a desk.
    Desktop,
    /// A phone held upright.
    Phone,
}

struct Processes {
    driver: Child,
    /// The browser's process, once there is one. It leads a process group of its own.
    browser: Option<i64>,
}

impl Browser {
    /// A fresh browser; `None`, with a word why, where this machine has none and none is required.
    pub fn start() -> Option<Self> {
        Self::with_preferences(&json!({}))
    }

    /// As [`Browser::start`], but the pages' scripts do not run.
    pub fn without_scripts() -> Option<Self> {
        // 2 blocks: Chromium's ContentSetting.
        Self::with_preferences(&json!({"profile.managed_default_content_settings.javascript": 2}))
    }

    fn with_preferences(preferences: &Json) -> Option<Self> {
        let profile = tempfile::tempdir().unwrap();
        let (mut processes, address) = match Processes::start(profile.path()) {
            Ok(started) => started,
            Err(missing) => {
                skip(&missing);
                return None;
            }
        };
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let mut builder = ClientBuilder::new(HttpConnector::new());
        builder.capabilities(capabilities(profile.path(), preferences));
        let client = match runtime.block_on(builder.connect(&address)) {
            Ok(client) => client,
            Err(error) => {
                skip(&format!("chromium: {error}"));
                return None;
            }
        };
        processes.browser = client
            .capabilities()
            .and_then(|capabilities| capabilities.get("goog:processID"))
            .and_then(Json::as_i64);
        let browser = Self {
            client,
            runtime,
            processes,
            profile,
        };
        let patience =
            TimeoutConfiguration::new(Some(PATIENCE), Some(PATIENCE), Some(Duration::ZERO));
        browser
            .runtime
            .block_on(browser.client.update_timeouts(patience))
            .unwrap();
        browser.resize(Size::Desktop);
        browser.turn_dark(false);
        Some(browser)
    }

    /// The ids of the processes: the driver's, and the browser's.
    pub fn processes(&self) -> Vec<i64> {
        let driver = i64::from(self.processes.driver.id());
        std::iter::once(driver)
            .chain(self.processes.browser)
            .collect()
    }

    /// Opens an address, and waits until the page is there.
    pub fn goto(&self, address: &str) {
        self.runtime
            .block_on(self.client.goto(address))
            .unwrap_or_else(|error| panic!("{address}: {error}"));
    }

    /// The address of the present page.
    pub fn address(&self) -> Url {
        self.runtime.block_on(self.client.current_url()).unwrap()
    }

    /// The title of the present page.
    pub fn title(&self) -> String {
        self.runtime.block_on(self.client.title()).unwrap()
    }

    /// The text of the present page, as a person sees it.
    pub fn text(&self) -> String {
        self.until("the text of the page", async || {
            self.client.find(Locator::Css("body")).await?.text().await
        })
    }

    /// Goes back to the page before.
    pub fn back(&self) {
        self.runtime.block_on(self.client.back()).unwrap();
    }

    /// Loads the page again.
    pub fn reload(&self) {
        self.runtime.block_on(self.client.refresh()).unwrap();
    }

    /// Loads the page again until it says `text`.
    pub fn reload_until_text(&self, text: &str) {
        self.wait_until(
            &format!("the text “{text}” on a later page"),
            async || {
                self.client.refresh().await?;
                let body = self.client.find(Locator::Css("body")).await?;
                Ok(spaced(&body.text().await?).contains(&spaced(text)))
            },
        );
    }

    /// Waits for a page at `path`, whatever its query.
    pub fn wait_for_path(&self, path: &str) {
        self.wait_until(&format!("a page at {path}"), async || {
            Ok(self.client.current_url().await?.path() == path)
        });
    }

    /// Waits for a page with `part` in its address's query.
    pub fn wait_for_query(&self, part: &str) {
        self.wait_until(&format!("{part} in the address"), async || {
            let address = self.client.current_url().await?;
            Ok(address.query().is_some_and(|query| query.contains(part)))
        });
    }

    /// Waits until the page says `text`.
    pub fn wait_for_text(&self, text: &str) {
        self.wait_until(&format!("the text “{text}”"), async || {
            let body = self.client.find(Locator::Css("body")).await?;
            Ok(spaced(&body.text().await?).contains(&spaced(text)))
        });
    }

    /// Waits until the main heading says `text`.
    pub fn wait_for_heading(&self, text: &str) {
        self.wait_until(&format!("the heading “{text}”"), async || {
            let heading = self.client.find(Locator::Css("h1")).await?;
            Ok(spaced(&heading.text().await?) == spaced(text))
        });
    }

    /// Fails where the page says `text`.
    pub fn assert_lacks(&self, text: &str) {
        let page = self.text();
        assert!(!spaced(&page).contains(&spaced(text)), "“{text}”: {page}");
    }

    /// Clicks on the link or button that says `text`, and waits for the page it leads to.
    pub fn click(&self, text: &str) {
        self.click_within("", text);
    }

    /// As [`Browser::click`], in the row of a table that has `row` in it.
    pub fn click_in_row(&self, row: &str, text: &str) {
        self.click_within(&row_with(row), text);
    }

    /// As [`Browser::click`], in the element at the `XPath` `place`.
    pub fn click_within(&self, place: &str, text: &str) {
        let before = self.until("a page", async || {
            self.client.find(Locator::Css("html")).await
        });
        self.press_within(place, text);
        self.wait_until(&format!("the page behind “{text}”"), async || {
            Ok(before.tag_name().await.is_err())
        });
    }

    /// Clicks on the button that says `text`, which leads nowhere.
    pub fn press(&self, text: &str) {
        self.press_within("", text);
    }

    /// As [`Browser::press`], in the row of a table that has `row` in it.
    pub fn press_in_row(&self, row: &str, text: &str) {
        self.press_within(&row_with(row), text);
    }

    fn press_within(&self, place: &str, text: &str) {
        let said = literal(text);
        let clickable = format!(
            "{place}//a[normalize-space(.)={said}] | {place}//button[normalize-space(.)={said}] | \
             {place}//summary[normalize-space(.)={said}] | {place}//input[@type='submit' and @value={said}]"
        );
        self.until(
            &format!("a link or button “{text}” {place}"),
            async || self.shown(&clickable).await?.click().await,
        );
    }

    /// Fills the field with this label, whatever was in it. A file field takes a path.
    pub fn fill(&self, label: &str, value: &str) {
        self.until(&format!("a field “{label}”"), async || {
            let field = self.shown(&field_with(label)).await?;
            match field.prop("type").await?.as_deref() {
                Some("file") => field.send_keys(value).await,
                // What the keys of a date field mean depends on the language of the browser.
                Some("date" | "datetime-local" | "month" | "time") => {
                    let arguments = vec![serde_json::to_value(&field).unwrap(), json!(value)];
                    let script = "arguments[0].value = arguments[1]";
                    self.client.execute(script, arguments).await.map(drop)
                }
                _ => {
                    field.clear().await?;
                    field.send_keys(value).await
                }
            }
        });
    }

    /// What stands in the field with this label.
    pub fn value(&self, label: &str) -> String {
        self.until(&format!("a field “{label}”"), async || {
            let field = self.shown(&field_with(label)).await?;
            Ok(field.prop("value").await?.unwrap_or_default())
        })
    }

    /// Chooses an option, by its text, in the list with this label.
    pub fn choose(&self, label: &str, option: &str) {
        self.until(
            &format!("“{option}” in a list “{label}”"),
            async || {
                let list = self.shown(&field_with(label)).await?;
                list.select_by_label(option).await
            },
        );
    }

    /// Sets or clears the box, or presses the radio button, with this label.
    pub fn tick(&self, label: &str, on: bool) {
        self.until(&format!("a box “{label}”"), async || {
            let ticked = self.shown(&field_with(label)).await?;
            if ticked.is_selected().await? != on {
                ticked.click().await?;
            }
            Ok(())
        });
    }

    /// Types where the focus is.
    pub fn type_keys(&self, keys: &str) {
        self.until(&format!("the focus for “{keys}”"), async || {
            self.client.active_element().await?.send_keys(keys).await
        });
    }

    /// What has the focus: its text, or else its id; and whether an outline shows that it has.
    pub fn focus(&self) -> (String, bool) {
        self.until("the focus", async || {
            let focused = self.client.active_element().await?;
            let text = spaced(&focused.text().await?);
            let name = if text.is_empty() {
                focused.attr("id").await?.unwrap_or_default()
            } else {
                text
            };
            let outline = focused.css_value("outline-style").await?;
            Ok((name, outline != "none"))
        })
    }

    /// The texts of the cells of a table's row that has `row` in it.
    pub fn row(&self, row: &str) -> Vec<String> {
        let place = row_with(row);
        self.until(&format!("a row with “{row}”"), async || {
            let found = self.shown(&place).await?;
            let mut cells = Vec::new();
            for cell in found.find_all(Locator::Css("th, td")).await? {
                cells.push(spaced(&cell.text().await?));
            }
            Ok(cells)
        })
    }

    /// The texts of all elements at a CSS selector.
    pub fn texts(&self, selector: &str) -> Vec<String> {
        self.until(selector, async || {
            let mut texts = Vec::new();
            for element in self.client.find_all(Locator::Css(selector)).await? {
                texts.push(spaced(&element.text().await?));
            }
            Ok(texts)
        })
    }

    /// An attribute of the first element at a CSS selector.
    pub fn attribute(&self, selector: &str, name: &str) -> Option<String> {
        self.until(selector, async || {
            let element = self.client.find(Locator::Css(selector)).await?;
            element.attr(name).await
        })
    }

    /// The source of the page, as the browser has read it.
    pub fn source(&self) -> String {
        self.runtime.block_on(self.client.source()).unwrap()
    }

    /// Shows pages at this size, from the present one on.
    pub fn resize(&self, size: Size) {
        let ((width, height), phone) = match size {
            Size::Desktop => (DESKTOP, false),
            Size::Phone => (PHONE, true),
        };
        let metrics =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": phone});
        self.devtools("Emulation.setDeviceMetricsOverride", metrics);
    }

    /// Shows pages as to a person who prefers them dark, or light.
    pub fn turn_dark(&self, dark: bool) {
        let value = if dark { "dark" } else { "light" };
        let media = json!({"features": [{"name": "prefers-color-scheme", "value": value}]});
        self.devtools("Emulation.setEmulatedMedia", media);
    }

    /// The width of the page's content and of the window, in CSS pixels: a page wider than its window has to
    /// be pushed about to be read.
    pub fn widths(&self) -> (u64, u64) {
        let script = "const root = document.documentElement;\
                      return [root.scrollWidth, root.clientWidth]";
        let widths = self.runtime.block_on(self.client.execute(script, vec![]));
        serde_json::from_value(widths.unwrap()).unwrap()
    }

    /// Writes what the window shows to `docs/screenshots/NAME.png` where screenshots are asked for, and
    /// beside the build otherwise.
    pub fn screenshot(&self, name: &str) {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let directory = if std::env::var_os(SCREENSHOTS).is_some() {
            root.join("docs/screenshots")
        } else {
            root.join("target/screenshots")
        };
        fs::create_dir_all(&directory).unwrap();
        let picture = self.runtime.block_on(self.client.screenshot()).unwrap();
        fs::write(directory.join(format!("{name}.png")), picture).unwrap();
    }

    /// What axe finds wrong with the page; `None`, with a word why, where axe is not there and not
    /// required.
    pub fn axe(&self) -> Option<Vec<Violation>> {
        let Some(path) = std::env::var_os(AXE).map(PathBuf::from) else {
            skip(&format!("{AXE} does not say where axe-core is"));
            return None;
        };
        let axe =
            fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        // A script of the driver's runs whatever the page's content security policy says.
        let script = format!(
            "{axe};\nconst done = arguments[arguments.length - 1];\n\
             axe.run({{resultTypes: ['violations']}})\n\
             .then(found => done(found.violations), error => done(String(error)));"
        );
        let found = self
            .runtime
            .block_on(self.client.execute_async(&script, vec![]))
            .unwrap();
        let found = found
            .as_array()
            .unwrap_or_else(|| panic!("axe failed: {found}"));
        Some(found.iter().map(Violation::read).collect())
    }

    /// Fails where axe finds anything wrong with the page, with what and where.
    pub fn assert_accessible(&self, page: &str) {
        let found = self.axe().unwrap_or_default();
        assert!(found.is_empty(), "{page}, {}: {found:#?}", self.address());
    }

    /// The first element at an `XPath` that can be seen.
    async fn shown(&self, place: &str) -> Result<Element, CmdError> {
        for element in self.client.find_all(Locator::XPath(place)).await? {
            if element.is_displayed().await? {
                return Ok(element);
            }
        }
        // Says that there is none, in the driver's own words.
        self.client
            .find(Locator::XPath("//*[self::nothing-shown]"))
            .await
    }

    /// Repeats `attempt` until it succeeds: the element may not be there yet, or not any more.
    fn until<T>(&self, what: &str, attempt: impl AsyncFn() -> Result<T, CmdError>) -> T {
        let end = Instant::now() + PATIENCE;
        let last = self.runtime.block_on(async {
            loop {
                match attempt().await {
                    Ok(value) => return Ok(value),
                    Err(error) if Instant::now() >= end => return Err(error),
                    Err(_) => tokio::time::sleep(GLANCE).await,
                }
            }
        });
        last.unwrap_or_else(|error| self.give_up(&format!("{what}: {error}")))
    }

    /// Waits until `condition` holds.
    fn wait_until(&self, what: &str, condition: impl AsyncFn() -> Result<bool, CmdError>) {
        let end = Instant::now() + PATIENCE;
        let came = self.runtime.block_on(async {
            loop {
                if matches!(condition().await, Ok(true)) {
                    return true;
                }
                if Instant::now() >= end {
                    return false;
                }
                tokio::time::sleep(GLANCE).await;
            }
        });
        if !came {
            self.give_up(what);
        }
    }

    fn give_up(&self, what: &str) -> ! {
        let page = self.runtime.block_on(async {
            let address = self.client.current_url().await;
            let text = match self.client.find(Locator::Css("body")).await {
                Ok(body) => body.text().await,
                Err(error) => Err(error),
            };
            format!("{address:?}: {text:#?}")
        });
        panic!("waited in vain for {what}; the page is {page}");
    }

    fn devtools(&self, command: &'static str, parameters: Json) {
        let command = DevTools {
            command,
            parameters,
        };
        self.runtime
            .block_on(self.client.issue_cmd(command))
            .unwrap();
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The profile of a browser that was only killed may still be written to. Whatever comes of this,
        // the processes are killed next.
        let _ = self
            .runtime
            .block_on(async { tokio::time::timeout(FAREWELL, self.client.clone().close()).await });
    }
}

impl Violation {
    fn read(found: &Json) -> Self {
        let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
        let elements = found["nodes"].as_array().into_iter().flatten().map(|node| {
            format!(
                "{}: {} {}",
                node["target"],
                text(&node["failureSummary"]),
                text(&node["html"])
            )
        });
        Self {
            rule: text(&found["id"]),
            help: text(&found["help"]),
            elements: elements.collect(),
        }
    }
}

impl Processes {
    /// Starts chromedriver and returns its address; the text says what is missing.
    fn start(profile: &Path) -> Result<(Self, String), String> {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .env("HOME", profile)
            .env("TZ", "UTC")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("chromedriver: {error}"))?;
        let lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        let processes = Self {
            driver,
            browser: None,
        };
        let mut lines = lines.map_while(Result::ok);
        let port = lines
            .find_map(|line| {
                let said = line.strip_prefix("ChromeDriver was started successfully on port ")?;
                said.trim_end_matches('.').parse::<u16>().ok()
            })
            .ok_or("chromedriver ended without saying where it listens")?;
        // It must not be stopped by a full pipe.
        std::thread::spawn(move || lines.for_each(drop));
        Ok((processes, format!("http://127.0.0.1:{port}")))
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        // They may have ended by themselves.
        if let Some(browser) = self.browser {
            let _ = Command::new("sh")
                .args([
                    "-c",
                    "kill -KILL -- \"-$0\" \"$0\" 2>/dev/null",
                    &browser.to_string(),
                ])
                .status();
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// A command of the `DevTools` protocol, which chromedriver passes on.
#[derive(Debug)]
struct DevTools {
    command: &'static str,
    parameters: Json,
}

impl WebDriverCompatibleCommand for DevTools {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!(
            "session/{}/goog/cdp/execute",
            session.unwrap_or_default()
        ))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        let body = json!({"cmd": self.command, "params": self.parameters});
        (Method::POST, Some(body.to_string()))
    }
}

fn capabilities(profile: &Path, preferences: &Json) -> Capabilities {
    let arguments = [
        "--headless=new",
        // Tests run as root in a container, where Chromium's own sandbox cannot be set up.
        "--no-sandbox",
        "--disable-gpu",
        // A container's /dev/shm is too small.
        "--disable-dev-shm-usage",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--lang=en-GB",
        "--hide-scrollbars",
        &format!("--window-size={},{}", DESKTOP.0, DESKTOP.1),
        &format!("--user-data-dir={}", profile.join("chromium").display()),
    ];
    let Json::Object(capabilities) = json!({
        "browserName": "chrome",
        "goog:chromeOptions": {"args": arguments, "prefs": preferences},
    }) else {
        unreachable!("an object is an object")
    };
    capabilities.into_iter().collect()
}

fn skip(missing: &str) {
    assert!(
        std::env::var_os(REQUIRED).is_none(),
        "{missing}, and {REQUIRED} is set"
    );
    eprintln!("skipped: {missing}");
}

/// The `XPath` of a field by its label: one that names it, one that stands around it, or one that only a
/// screen reader says.
fn field_with(label: &str) -> String {
    let label = literal(label);
    let field = "*[self::input or self::select or self::textarea]";
    format!(
        "//{field}[@id=//label[normalize-space(.)={label}]/@for] | \
         //label[normalize-space(.)={label} or normalize-space(text())={label}]//{field} | \
         //{field}[@aria-label={label}]"
    )
}

/// The `XPath` of a table's row with `text` in it.
fn row_with(text: &str) -> String {
    format!("//tr[contains(normalize-space(.), {})]", literal(text))
}

/// A text as `XPath` writes it; it knows no escapes.
fn literal(text: &str) -> String {
    if text.contains('"') {
        assert!(
            !text.contains('\''),
            "XPath cannot write both quotes: {text}"
        );
        format!("'{text}'")
    } else {
        format!("\"{text}\"")
    }
}

/// A text with its white space made equal.
fn spaced(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
