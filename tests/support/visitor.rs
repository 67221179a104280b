//! A browser without a window: keeps cookies, follows no redirect by itself, fills in forms.

use std::collections::BTreeMap;

use mnetd::sso::{NewMember, Password, accounts};
use mnetd::store::accounts::AccountRole;
use reqwest::header::{COOKIE, LOCATION, SET_COOKIE, USER_AGENT};
use reqwest::{Client, Method, StatusCode, redirect};

use super::site::{NOW, Site};

/// The password of every account that [`add_account`] makes.
pub const PASSWORD: &str = "four words are long";

/// A visitor of a console.
pub struct Visitor {
    client: Client,
    /// Where the console is.
    pub base: String,
    /// What the browser calls itself.
    pub user_agent: String,
    /// The cookies it keeps.
    pub cookies: BTreeMap<String, String>,
    /// Further headers of every request.
    pub headers: Vec<(String, String)>,
}

/// An answer to a visitor.
#[derive(Debug)]
pub struct Page {
    /// The HTTP status.
    pub status: StatusCode,
    /// Where it leads.
    pub location: Option<String>,
    /// Its `Set-Cookie` headers.
    pub set_cookies: Vec<String>,
    /// Its other headers.
    pub headers: reqwest::header::HeaderMap,
    /// Its body.
    pub text: String,
}

impl Visitor {
    /// A browser with no cookies, at the console under `base` (no slash at the end).
    pub fn new(base: &str) -> Self {
        Self {
            client: Client::builder()
                .redirect(redirect::Policy::none())
                .no_proxy()
                .build()
                .unwrap(),
            base: base.to_owned(),
            user_agent: "Mozilla/5.0 (a test)".to_owned(),
            cookies: BTreeMap::new(),
            headers: Vec::new(),
        }
    }

    /// A browser signed in as `username`, an account made by [`add_account`].
    pub async fn signed_in(base: &str, username: &str) -> Self {
        let mut visitor = Self::new(base);
        let page = visitor.sign_in(username, PASSWORD).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text);
        visitor
    }

    /// Fills in the sign-in form.
    pub async fn sign_in(&mut self, username: &str, password: &str) -> Page {
        self.post_from(
            "/sign-in",
            "/sign-in",
            &[
                ("username", username),
                ("password", password),
                ("next", "/"),
            ],
        )
        .await
    }

    /// Looks at a page.
    pub async fn get(&mut self, path: &str) -> Page {
        self.request(Method::GET, path, None).await
    }

    /// Opens the page `form`, and sends its form to `path` with the token found there.
    pub async fn post_from(&mut self, form: &str, path: &str, fields: &[(&str, &str)]) -> Page {
        let csrf = self.get(form).await.csrf();
        let mut fields = fields.to_vec();
        fields.push(("csrf", &csrf));
        self.post(path, &fields).await
    }

    /// Sends a form as it is.
    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        self.request(
            Method::POST,
            path,
            Some((body.into_bytes(), "application/x-www-form-urlencoded")),
        )
        .await
    }

    /// Sends a form with a file.
    pub async fn upload(
        &mut self,
        path: &str,
        fields: &[(&str, &str)],
        file: (&str, &str, &[u8]),
    ) -> Page {
        let boundary = "a-line-that-no-file-holds";
        let mut body = Vec::new();
        for (name, value) in fields {
            body.extend_from_slice(
                format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
                    .as_bytes(),
            );
        }
        let (name, file_name, content) = file;
        body.extend_from_slice(
            format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{file_name}\"\r\nContent-Type: text/csv\r\n\r\n")
                .as_bytes(),
        );
        body.extend_from_slice(content);
        body.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
        let content_type = format!("multipart/form-data; boundary={boundary}");
        self.request(Method::POST, path, Some((body, &content_type)))
            .await
    }

    async fn request(&mut self, method: Method, path: &str, body: Option<(Vec<u8>, &str)>) -> Page {
        let mut request = self
            .client
            .request(method, format!("{}{path}", self.base))
            .header(USER_AGENT, &self.user_agent);
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        if !cookies.is_empty() {
            request = request.header(COOKIE, cookies.join("; "));
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        if let Some((body, content_type)) = body {
            request = request.header("content-type", content_type).body(body);
        }
        let response = request.send().await.unwrap();
        let headers = response.headers().clone();
        let text_of = |name| {
            headers
                .get_all(name)
                .iter()
                .map(|value| value.to_str().unwrap().to_owned())
                .collect::<Vec<_>>()
        };
        let page = Page {
            status: response.status(),
            location: text_of(LOCATION).pop(),
            set_cookies: text_of(SET_COOKIE),
            headers: headers.clone(),
            text: response.text().await.unwrap(),
        };
        self.keep(&page.set_cookies);
        page
    }

    fn keep(&mut self, set_cookies: &[String]) {
        for cookie in set_cookies {
            let (name, rest) = cookie.split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            if cookie.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}

impl Page {
    /// The token of its forms.
    pub fn csrf(&self) -> String {
        let (_, rest) = self
            .text
            .split_once("name=\"csrf\" value=\"")
            .unwrap_or_else(|| panic!("no form in: {}", self.text));
        rest.split('"').next().unwrap().to_owned()
    }
}

/// Makes an account of a site, with the password [`PASSWORD`].
pub fn add_account(site: &Site, username: &str, role: AccountRole) {
    let member = NewMember {
        username: username.to_owned(),
        firstname: "Ada".to_owned(),
        lastname: format!("of {username}"),
        email: format!("{username}@school.example"),
        role,
        person: None,
    };
    let hash = Password::typed(PASSWORD).hash().unwrap();
    site.store
        .write_blocking(move |tx| accounts::add(tx, &member, &hash, NOW))
        .unwrap();
}
