//! HTML as a browser's user sees it: forms, titles, texts, links.

use std::collections::BTreeMap;

use html5gum::{DefaultEmitter, Token, Tokenizer};
use url::Url;

use crate::failure::{Failure, Held, shortened};

/// Elements whose contents nobody sees.
const UNSEEN: [&str; 4] = ["script", "style", "template", "noscript"];

/// Elements that have no end tag.
const VOID: [&str; 14] = [
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source",
    "track", "wbr",
];

/// Classes that Moodle and mnetd give to what went wrong.
const COMPLAINTS: [&str; 6] = [
    "alert-danger",
    "errorbox",
    "errormessage",
    "invalid-feedback",
    "notifyproblem",
    "problem",
];

/// A page that was answered with.
#[derive(Debug, Clone)]
pub struct Page {
    /// Its address, after all redirects that were followed.
    pub url: Url,
    /// The HTTP status.
    pub status: u16,
    /// Where it sends the browser, if it does.
    pub location: Option<Url>,
    /// The body as it came.
    pub body: String,
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone)]
enum Piece {
    Start(Tag),
    End(String),
    Text(String),
}

#[derive(Debug, Clone)]
struct Tag {
    name: String,
    attributes: BTreeMap<String, String>,
}

/// A form, as it stands on a page or filled in.
#[derive(Debug, Clone)]
pub struct Form {
    /// Where it is sent.
    pub action: Url,
    /// Whether it is sent as a POST.
    pub post: bool,
    /// Its id, empty where it has none.
    pub id: String,
    fields: Vec<Field>,
    buttons: Vec<Button>,
    page: String,
}

/// A field of a form.
#[derive(Debug, Clone)]
struct Field {
    name: String,
    value: String,
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    /// Text, hidden, a password: sent as it is.
    Plain,
    /// A checkbox or radio button: sent when it is ticked.
    Box { ticked: bool },
    /// A list to choose from: each value with what people read.
    Choice { options: Vec<(String, String)> },
}

#[derive(Debug, Clone)]
struct Button {
    name: String,
    value: String,
    label: String,
}

impl Page {
    /// Reads a page.
    #[must_use]
    pub fn new(url: Url, status: u16, location: Option<Url>, body: String) -> Self {
        let pieces = pieces(&body);
        Self {
            url,
            status,
            location,
            body,
            pieces,
        }
    }

    /// What stands in its title.
    #[must_use]
    pub fn title(&self) -> String {
        self.texts_of(|tag| tag.name == "title")
            .into_iter()
            .next()
            .unwrap_or_default()
    }

    /// All that a reader sees, its white space drawn together.
    #[must_use]
    pub fn text(&self) -> String {
        text_of(&self.pieces)
    }

    /// What it complains of, each thing once; empty where it does not.
    #[must_use]
    pub fn complaints(&self) -> Vec<String> {
        let mut told: Vec<String> = Vec::new();
        for text in self.texts_of(|tag| COMPLAINTS.iter().any(|class| tag.has_class(class))) {
            if !text.is_empty() && !told.contains(&text) {
                told.push(text);
            }
        }
        told
    }

    /// The texts of all elements with a class.
    #[must_use]
    pub fn texts_with_class(&self, class: &str) -> Vec<String> {
        self.texts_of(|tag| tag.has_class(class))
    }

    /// The texts of all elements of a kind, such as `h3`.
    #[must_use]
    pub fn texts_in(&self, element: &str) -> Vec<String> {
        self.texts_of(|tag| tag.name == element)
    }

    /// Where its links lead, each with what people read.
    #[must_use]
    pub fn links(&self) -> Vec<(Url, String)> {
        self.elements(|tag| tag.name == "a")
            .filter_map(|(tag, inside)| {
                let url = self.url.join(tag.attributes.get("href")?).ok()?;
                Some((url, text_of(inside)))
            })
            .collect()
    }

    /// The first link whose address holds `part`.
    ///
    /// # Errors
    /// When there is none.
    pub fn link_to(&self, part: &str) -> Held<Url> {
        self.links()
            .into_iter()
            .map(|(url, _)| url)
            .find(|url| url.as_str().contains(part))
            .ok_or_else(|| self.lacks(&format!("no link to …{part}…")))
    }

    /// Whether a link leads to an address that holds `part`.
    #[must_use]
    pub fn has_link_to(&self, part: &str) -> bool {
        self.link_to(part).is_ok()
    }

    /// All its forms.
    #[must_use]
    pub fn forms(&self) -> Vec<Form> {
        self.elements(|tag| tag.name == "form")
            .filter_map(|(tag, inside)| Form::read(self, tag, inside))
            .collect()
    }

    /// The first form with a field or a button of this name.
    ///
    /// # Errors
    /// When there is none.
    pub fn form_with(&self, name: &str) -> Held<Form> {
        self.forms()
            .into_iter()
            .find(|form| form.has(name))
            .ok_or_else(|| self.lacks(&format!("no form with “{name}”")))
    }

    /// The first form that is sent to an address that holds `part`.
    ///
    /// # Errors
    /// When there is none.
    pub fn form_to(&self, part: &str) -> Held<Form> {
        self.forms()
            .into_iter()
            .find(|form| form.action.as_str().contains(part))
            .ok_or_else(|| self.lacks(&format!("no form that is sent to …{part}…")))
    }

    /// That it is an ordinary page, one that does not complain.
    ///
    /// # Errors
    /// When it has another status than 200, or complains.
    pub fn well(self) -> Held<Self> {
        if self.status != 200 {
            return Err(self.lacks(&format!("answered with {}", self.status)));
        }
        if self.complaints().is_empty() {
            Ok(self)
        } else {
            Err(self.lacks("something is wrong"))
        }
    }

    /// A failure that says what is not on this page, and what is.
    #[must_use]
    pub fn lacks(&self, missing: &str) -> Failure {
        let complaints = self.complaints().join(" | ");
        let says = if complaints.is_empty() {
            format!("“{}”: {}", self.title(), self.text())
        } else {
            complaints
        };
        Failure::Page {
            url: self.url.to_string(),
            missing: missing.to_owned(),
            says: shortened(&says),
        }
    }

    fn texts_of(&self, wanted: impl Fn(&Tag) -> bool) -> Vec<String> {
        self.elements(wanted)
            .map(|(_, inside)| text_of(inside))
            .collect()
    }

    fn elements(&self, wanted: impl Fn(&Tag) -> bool) -> impl Iterator<Item = (&Tag, &[Piece])> {
        elements(&self.pieces, wanted)
    }
}

impl Tag {
    fn has_class(&self, class: &str) -> bool {
        self.attribute("class")
            .split_whitespace()
            .any(|one| one == class)
    }

    fn attribute(&self, name: &str) -> &str {
        self.attributes.get(name).map_or("", String::as_str)
    }

    fn has(&self, name: &str) -> bool {
        self.attributes.contains_key(name)
    }
}

impl Form {
    /// Whether it has a field or a button of this name.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|field| field.name == name)
            || self.buttons.iter().any(|button| button.name == name)
    }

    /// Writes into a field.
    ///
    /// # Errors
    /// When the form has none of this name that can be written into.
    pub fn fill(mut self, name: &str, value: &str) -> Held<Self> {
        let field = self
            .fields
            .iter_mut()
            .find(|field| field.name == name && !matches!(field.kind, Kind::Box { .. }));
        match field {
            Some(field) => value.clone_into(&mut field.value),
            None => return Err(self.lacks(&format!("no field “{name}” to write into"))),
        }
        Ok(self)
    }

    /// Ticks a box, or takes its tick away.
    ///
    /// # Errors
    /// When the form has no box of this name.
    pub fn tick(mut self, name: &str, on: bool) -> Held<Self> {
        let found = self
            .fields
            .iter_mut()
            .find_map(|field| match &mut field.kind {
                Kind::Box { ticked } if field.name == name => Some(ticked),
                _ => None,
            });
        match found {
            Some(ticked) => *ticked = on,
            None => return Err(self.lacks(&format!("no box “{name}” to tick"))),
        }
        Ok(self)
    }

    /// Chooses from a list by what people read there, in any case.
    ///
    /// # Errors
    /// When the form has no such list, or the list no such line.
    pub fn choose(mut self, name: &str, label: &str) -> Held<Self> {
        let field = self.fields.iter_mut().find_map(|field| match &field.kind {
            Kind::Choice { options } if field.name == name => Some((&mut field.value, options)),
            _ => None,
        });
        let Some((value, options)) = field else {
            return Err(self.lacks(&format!("no list “{name}” to choose from")));
        };
        let line = options
            .iter()
            .find(|(_, text)| text.eq_ignore_ascii_case(label));
        if let Some((chosen, _)) = line {
            value.clone_from(chosen);
        } else {
            let offered: Vec<&str> = options.iter().map(|(_, text)| text.as_str()).collect();
            let missing = format!("no “{label}” in the list “{name}”, which has {offered:?}");
            return Err(self.lacks(&missing));
        }
        Ok(self)
    }

    /// What a field would send; for a box, whether it is ticked decides.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        self.sent_fields()
            .filter(|field| field.name == name)
            .map(|field| field.value.as_str())
            .last()
    }

    /// What people read in a list to choose from; empty where there is no such list.
    #[must_use]
    pub fn offered(&self, name: &str) -> Vec<&str> {
        self.fields
            .iter()
            .filter(|field| field.name == name)
            .filter_map(|field| match &field.kind {
                Kind::Choice { options } => Some(options),
                Kind::Plain | Kind::Box { .. } => None,
            })
            .flatten()
            .map(|(_, text)| text.as_str())
            .collect()
    }

    /// The names of its fields, in order, each once.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for field in &self.fields {
            if !names.contains(&field.name.as_str()) {
                names.push(&field.name);
            }
        }
        names
    }

    /// What is sent when a button is pressed: one by its name or by what people read on it. Without one, what Enter sends.
    ///
    /// # Errors
    /// When there is no such button.
    pub fn pressed(&self, button: Option<&str>) -> Held<Vec<(String, String)>> {
        let mut sent: Vec<(String, String)> = self
            .sent_fields()
            .map(|field| (field.name.clone(), field.value.clone()))
            .collect();
        let Some(wanted) = button else {
            return Ok(sent);
        };
        let found = self
            .buttons
            .iter()
            .find(|button| button.name == wanted || button.label == wanted);
        match found {
            Some(button) if button.name.is_empty() => {}
            Some(button) => sent.push((button.name.clone(), button.value.clone())),
            None => return Err(self.lacks(&format!("no button “{wanted}”"))),
        }
        Ok(sent)
    }

    fn read(page: &Page, tag: &Tag, inside: &[Piece]) -> Option<Self> {
        let action = match tag.attribute("action") {
            "" => page.url.clone(),
            action => page.url.join(action).ok()?,
        };
        Some(Self {
            action,
            post: tag.attribute("method").eq_ignore_ascii_case("post"),
            id: tag.attribute("id").to_owned(),
            fields: fields(inside),
            buttons: buttons(inside),
            page: page.url.to_string(),
        })
    }

    fn sent_fields(&self) -> impl Iterator<Item = &Field> {
        self.fields
            .iter()
            .filter(|field| !matches!(field.kind, Kind::Box { ticked: false }))
    }

    fn lacks(&self, missing: &str) -> Failure {
        Failure::Page {
            url: self.page.clone(),
            missing: missing.to_owned(),
            says: format!("the form has {:?}", self.names()),
        }
    }
}

impl Field {
    /// A field as an `input` gives it; none for a button, or one that sends nothing.
    fn of_input(tag: &Tag) -> Option<Self> {
        let name = tag.attribute("name");
        if name.is_empty() || tag.has("disabled") {
            return None;
        }
        let kind = tag.attribute("type").to_ascii_lowercase();
        let (kind, unsaid) = match kind.as_str() {
            "submit" | "image" | "button" | "reset" | "file" => return None,
            "checkbox" | "radio" => {
                let ticked = tag.has("checked");
                (Kind::Box { ticked }, "on")
            }
            _ => (Kind::Plain, ""),
        };
        let value = if tag.has("value") {
            tag.attribute("value")
        } else {
            unsaid
        };
        Some(Self {
            name: name.to_owned(),
            value: value.to_owned(),
            kind,
        })
    }

    fn of_select(tag: &Tag, inside: &[Piece]) -> Option<Self> {
        if tag.attribute("name").is_empty() || tag.has("disabled") {
            return None;
        }
        let mut chosen = None;
        let mut options = Vec::new();
        for (option, label) in elements(inside, |tag| tag.name == "option") {
            let label = text_of(label);
            let value = if option.has("value") {
                option.attribute("value")
            } else {
                &label
            };
            if option.has("selected") {
                chosen = Some(value.to_owned());
            }
            options.push((value.to_owned(), label));
        }
        // A list to choose several from sends nothing when nothing is chosen.
        if chosen.is_none() && tag.has("multiple") {
            return None;
        }
        let first = options.first().map(|(value, _)| value.clone());
        Some(Self {
            name: tag.attribute("name").to_owned(),
            value: chosen.or(first).unwrap_or_default(),
            kind: Kind::Choice { options },
        })
    }

    fn of_textarea(tag: &Tag, inside: &[Piece]) -> Option<Self> {
        if tag.attribute("name").is_empty() || tag.has("disabled") {
            return None;
        }
        let text: String = inside
            .iter()
            .filter_map(|piece| match piece {
                Piece::Text(text) => Some(text.as_str()),
                Piece::Start(_) | Piece::End(_) => None,
            })
            .collect();
        // The first line break after the tag belongs to the markup.
        let text = text.strip_prefix('\n').unwrap_or(&text);
        Some(Self {
            name: tag.attribute("name").to_owned(),
            value: text.to_owned(),
            kind: Kind::Plain,
        })
    }
}

fn fields(form: &[Piece]) -> Vec<Field> {
    elements(form, |tag| {
        matches!(tag.name.as_str(), "input" | "select" | "textarea")
    })
    .filter_map(|(tag, inside)| match tag.name.as_str() {
        "select" => Field::of_select(tag, inside),
        "textarea" => Field::of_textarea(tag, inside),
        _ => Field::of_input(tag),
    })
    .collect()
}

fn buttons(form: &[Piece]) -> Vec<Button> {
    elements(form, |tag| matches!(tag.name.as_str(), "input" | "button"))
        .filter_map(|(tag, inside)| Button::of(tag, inside))
        .collect()
}

impl Button {
    fn of(tag: &Tag, inside: &[Piece]) -> Option<Self> {
        let kind = tag.attribute("type").to_ascii_lowercase();
        let (sends, label) = if tag.name == "button" {
            (matches!(kind.as_str(), "" | "submit"), text_of(inside))
        } else {
            let sends = matches!(kind.as_str(), "submit" | "image");
            (sends, tag.attribute("value").to_owned())
        };
        sends.then(|| Self {
            name: tag.attribute("name").to_owned(),
            value: tag.attribute("value").to_owned(),
            label,
        })
    }
}

/// The page's pieces, in order.
fn pieces(body: &str) -> Vec<Piece> {
    let mut emitter = DefaultEmitter::default();
    // So that what stands in a script or a text area is taken for text.
    emitter.naively_switch_states(true);
    Tokenizer::new_with_emitter(body, emitter)
        .filter_map(|token| match token {
            Ok(token) => piece(token),
            Err(never) => match never {},
        })
        .collect()
}

fn piece(token: Token) -> Option<Piece> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match token {
        Token::StartTag(tag) => Some(Piece::Start(Tag {
            name: text(&tag.name),
            attributes: tag
                .attributes
                .iter()
                .map(|(name, value)| (text(name), text(value)))
                .collect(),
        })),
        Token::EndTag(tag) => Some(Piece::End(text(&tag.name))),
        Token::String(string) => Some(Piece::Text(text(&string))),
        Token::Comment(_) | Token::Doctype(_) | Token::Error(_) => None,
    }
}

/// Every element that is wanted, with what stands inside it.
fn elements(
    pieces: &[Piece],
    wanted: impl Fn(&Tag) -> bool,
) -> impl Iterator<Item = (&Tag, &[Piece])> {
    pieces
        .iter()
        .enumerate()
        .filter_map(move |(at, piece)| match piece {
            Piece::Start(tag) if wanted(tag) => Some((tag, inside(tag, &pieces[at + 1..]))),
            _ => None,
        })
}

/// What stands inside the element that begins just before `rest`.
fn inside<'a>(tag: &Tag, rest: &'a [Piece]) -> &'a [Piece] {
    if VOID.contains(&tag.name.as_str()) {
        return &[];
    }
    let mut depth = 1_usize;
    for (at, piece) in rest.iter().enumerate() {
        match piece {
            Piece::Start(other) if other.name == tag.name => {
                // An option or a list item ends where the next begins.
                if matches!(tag.name.as_str(), "option" | "li" | "p") {
                    return &rest[..at];
                }
                depth += 1;
            }
            Piece::End(name) if *name == tag.name => {
                depth -= 1;
                if depth == 0 {
                    return &rest[..at];
                }
            }
            _ => {}
        }
    }
    rest
}

/// What a reader sees of some pieces.
fn text_of(pieces: &[Piece]) -> String {
    let mut words: Vec<&str> = Vec::new();
    let mut unseen: Option<&str> = None;
    for piece in pieces {
        match (piece, unseen) {
            (Piece::Start(tag), None) if UNSEEN.contains(&tag.name.as_str()) => {
                unseen = Some(&tag.name);
            }
            (Piece::End(name), Some(until)) if name == until => unseen = None,
            (Piece::Text(text), None) => words.extend(text.split_whitespace()),
            _ => {}
        }
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(body: &str) -> Page {
        Page::new(
            Url::parse("http://moodle.example/admin/mnet/peers.php?step=1").unwrap(),
            200,
            None,
            body.to_owned(),
        )
    }

    const SERVICES: &str = r#"<title>Peers &amp; services</title>
        <form action="/search" method="get"><input name="q"></form>
        <form action="services.php" method="POST" id="mform1">
          <input type="hidden" name="sesskey" value="a&quot;b">
          <input type="hidden" name="publish[3]" value="0"><input type="checkbox" name="publish[3]" value="1" checked>
          <input type="hidden" name="subscribe[3]" value="0"><input type="checkbox" name="subscribe[3]" value="1">
          <select name="applicationid"><option value="1">Moodle<option value="5" selected>School register</select>
          <textarea name="public_key">
-----BEGIN
x</textarea>
          <input type="radio" name="r" value="a"><input type="radio" name="r" value="b" checked>
          <input type="submit" name="submitbutton" value="Save changes"><input type="submit" name="cancel" value="Cancel">
          <button>Go</button>
        </form><script>var form = "<form><input name='no'></form>";</script>"#;

    #[test]
    fn a_form_sends_what_a_browser_would() {
        let form = page(SERVICES).form_with("sesskey").unwrap();
        assert!(form.post);
        assert_eq!(
            form.action.as_str(),
            "http://moodle.example/admin/mnet/services.php"
        );
        let sent = form.pressed(Some("submitbutton")).unwrap();
        let sent: Vec<String> = sent
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        assert_eq!(
            sent,
            [
                "sesskey=a\"b",
                "publish[3]=0",
                "publish[3]=1",
                "subscribe[3]=0",
                "applicationid=5",
                "public_key=-----BEGIN\nx",
                "r=b",
                "submitbutton=Save changes",
            ]
        );
    }

    #[test]
    fn a_box_keeps_its_hidden_companion() {
        let form = page(SERVICES).form_with("sesskey").unwrap();
        assert_eq!(form.value("publish[3]"), Some("1"));
        let form = form
            .tick("publish[3]", false)
            .unwrap()
            .tick("subscribe[3]", true)
            .unwrap();
        assert_eq!(form.value("publish[3]"), Some("0"));
        assert_eq!(form.value("subscribe[3]"), Some("1"));
    }

    #[test]
    fn a_list_is_chosen_from_by_what_people_read() {
        let form = page(SERVICES).form_with("applicationid").unwrap();
        assert_eq!(form.offered("applicationid"), ["Moodle", "School register"]);
        let form = form.choose("applicationid", "moodle").unwrap();
        assert_eq!(form.value("applicationid"), Some("1"));
        let failure = form
            .choose("applicationid", "Mahara")
            .unwrap_err()
            .to_string();
        assert!(failure.contains("School register"), "{failure}");
    }

    #[test]
    fn a_field_that_is_not_there_is_told() {
        let form = page(SERVICES).form_with("sesskey").unwrap();
        assert!(form.clone().fill("wwwroot", "x").is_err());
        assert!(form.clone().tick("sesskey", true).is_err());
        assert!(form.pressed(Some("Delete")).is_err());
        assert!(form.pressed(Some("Go")).is_ok());
    }

    #[test]
    fn a_form_in_a_script_is_none() {
        let page = page(SERVICES);
        assert_eq!(page.forms().len(), 2);
        assert_eq!(page.title(), "Peers & services");
        assert!(!page.text().contains("var form"));
    }

    #[test]
    fn complaints_are_found_by_their_class() {
        let page = page(
            r#"<div class="box alert alert-danger"><p>No <b>such</b> host</p></div><div class="problem">No</div><p>Else</p>"#,
        );
        assert_eq!(page.complaints(), ["No such host", "No"]);
        assert!(page.well().is_err());
    }

    #[test]
    fn links_are_absolute() {
        let page =
            page(r#"<a href="peers.php?hostid=3"><span>Net</span> host</a><a name="x">y</a>"#);
        let links = page.links();
        assert_eq!(links.len(), 1);
        assert_eq!(
            links[0].0.as_str(),
            "http://moodle.example/admin/mnet/peers.php?hostid=3"
        );
        assert_eq!(links[0].1, "Net host");
        assert!(page.has_link_to("hostid=3"));
        assert!(page.link_to("hostid=4").is_err());
    }
}
