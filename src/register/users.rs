//! People as peers send them: `fetch_user`, `update_user`, `remove_user`.

use super::error::RegisterError;
use super::fields::{Change, Fields, MAX_EMAIL, MAX_ID, MAX_NAME, MAX_USERNAME};
use super::{Reply, Status};
use crate::clock::UnixTime;
use crate::store::people::{self, Person, PersonFields};
use crate::store::{Author, Extra, PeerId, PersonId, ReadTx, WriteTx};
use crate::xmlrpc::Value;

/// The highest number put behind a username that is taken; each costs a look-up. A school where a
/// thousand people want one name has sent an account that is no person's.
const MAX_VARIANT: u32 = 999;

/// `fetch_user`: take up one user.
#[derive(Clone, Debug, PartialEq)]
pub enum FetchUser {
    /// Username, names and e-mail address are all there.
    Complete(UserRecord),
    /// They are not: the peer has to be asked back for this user, and its answer to be stored
    /// ([`UserKey::answer`]).
    Ask(UserKey),
}

/// How a peer names one of its users.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UserKey {
    /// By id, with the username where it came along.
    Id {
        /// The id.
        idnumber: String,
        /// The username.
        username: Option<String>,
    },
    /// By username alone.
    Username(String),
}

/// A user with all that the register needs.
#[derive(Clone, Debug, PartialEq)]
pub struct UserRecord {
    /// The peer's id of the user; a Moodle that does not fill in its ID number field has none.
    pub idnumber: Option<String>,
    /// The username in the peer's spelling.
    pub username: String,
    /// First name.
    pub firstname: String,
    /// Last name.
    pub lastname: String,
    /// E-mail address.
    pub email: String,
    /// Nickname on IRC.
    pub ircnick: Change<String>,
    /// Everything else, passwords apart.
    pub extra: Extra,
}

/// `update_user`: what changes about a user.
#[derive(Clone, Debug, PartialEq)]
pub struct UpdateUser {
    /// Who.
    pub user: UserKey,
    /// A new username, where the user is named by id.
    pub username: Option<String>,
    /// A new first name.
    pub firstname: Option<String>,
    /// A new last name.
    pub lastname: Option<String>,
    /// A new e-mail address.
    pub email: Option<String>,
    /// A new nickname on IRC.
    pub ircnick: Change<String>,
    /// Everything else, passwords apart.
    pub extra: Extra,
}

/// `remove_user`: marks a user as removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoveUser {
    /// Who.
    pub user: UserKey,
}

impl FetchUser {
    pub(super) fn parse(fields: &mut Fields<'_>) -> Result<Self, RegisterError> {
        let key = UserKey::parse(fields, &["idnumber"])?;
        match UserRecord::parse(fields) {
            Ok(record) => Ok(Self::Complete(record)),
            Err(RegisterError::Missing { .. }) => Ok(Self::Ask(key)),
            Err(error) => Err(error),
        }
    }
}

impl UserKey {
    fn parse(fields: &mut Fields<'_>, ids: &[&'static str]) -> Result<Self, RegisterError> {
        let idnumber = fields.first_id(ids)?;
        let username = fields.name("username", MAX_USERNAME)?;
        match (idnumber, username) {
            (Some(idnumber), username) => Ok(Self::Id { idnumber, username }),
            (None, Some(username)) => Ok(Self::Username(username)),
            (None, None) => Err(RegisterError::Missing {
                field: "idnumber",
                expected: "the user's id, or else the username in the field “username”",
            }),
        }
    }

    /// Reads the peer's answer when it was asked for this user. What the answer leaves out of the key
    /// is taken from the key; an answer about somebody else is refused.
    ///
    /// # Errors
    /// [`RegisterError::Missing`] or [`RegisterError::Wrong`], as for [`UserRecord::from_value`].
    pub fn answer(&self, value: &Value) -> Result<UserRecord, RegisterError> {
        let mut record = UserRecord::from_value(value)?;
        match self {
            Self::Id { idnumber, .. } => {
                let answered = record.idnumber.get_or_insert_with(|| idnumber.clone());
                agree("idnumber", answered == idnumber, answered)?;
            }
            Self::Username(username) => {
                let same = record.username.eq_ignore_ascii_case(username);
                agree("username", same, &record.username)?;
            }
        }
        Ok(record)
    }

    /// The id or the username, for people.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Id { idnumber, .. } => idnumber,
            Self::Username(username) => username,
        }
    }

    fn field(&self) -> &'static str {
        match self {
            Self::Id { .. } => "idnumber",
            Self::Username(_) => "username",
        }
    }
}

fn agree(field: &'static str, same: bool, found: &str) -> Result<(), RegisterError> {
    if same {
        return Ok(());
    }
    Err(RegisterError::Wrong {
        field,
        found: super::fields::shown(found),
        expected: "the user that was asked for".to_owned(),
    })
}

impl UserRecord {
    /// Reads a user from a struct, such as a peer's answer to `get_user`.
    ///
    /// # Errors
    /// [`RegisterError::Missing`] where username, a name or the e-mail address is not there or empty;
    /// [`RegisterError::Wrong`] for a field of another type or beyond its bounds.
    pub fn from_value(value: &Value) -> Result<Self, RegisterError> {
        Self::parse(&mut Fields::of(std::slice::from_ref(value))?)
    }

    fn parse(fields: &mut Fields<'_>) -> Result<Self, RegisterError> {
        Ok(Self {
            idnumber: fields.first_id(&["idnumber"])?,
            username: required(fields.name("username", MAX_USERNAME)?, "username")?,
            firstname: fields.required_text("firstname", MAX_NAME)?,
            lastname: fields.required_text("lastname", MAX_NAME)?,
            email: fields.required_text("email", MAX_EMAIL)?,
            ircnick: fields.text("ircnick", MAX_ID)?,
            extra: fields.rest()?,
        })
    }
}

fn required(value: Option<String>, field: &'static str) -> Result<String, RegisterError> {
    value.ok_or(RegisterError::Missing {
        field,
        expected: "a text",
    })
}

impl UpdateUser {
    pub(super) fn parse(fields: &mut Fields<'_>) -> Result<Self, RegisterError> {
        let user = UserKey::parse(fields, &["idnumber", "userid"])?;
        let username = match &user {
            UserKey::Id { username, .. } => username.clone(),
            UserKey::Username(_) => None,
        };
        Ok(Self {
            user,
            username,
            firstname: fields.text_if_said("firstname", MAX_NAME)?,
            lastname: fields.text_if_said("lastname", MAX_NAME)?,
            email: fields.text_if_said("email", MAX_EMAIL)?,
            ircnick: fields.text("ircnick", MAX_ID)?,
            extra: fields.rest()?,
        })
    }
}

impl RemoveUser {
    pub(super) fn parse(params: &[Value]) -> Result<Self, RegisterError> {
        let user = match Fields::lone_id(params, "idnumber")? {
            Some(idnumber) => UserKey::Id {
                idnumber,
                username: None,
            },
            None => UserKey::parse(&mut Fields::of(params)?, &["idnumber", "userid"])?,
        };
        Ok(Self { user })
    }
}

pub(super) fn fetch(
    tx: &WriteTx<'_>,
    author: &Author,
    call: &FetchUser,
    now: UnixTime,
) -> Result<Reply, RegisterError> {
    let FetchUser::Complete(record) = call else {
        return Err(RegisterError::Missing {
            field: "username, firstname, lastname, email",
            expected: "all four, for the peer could not be asked back for this user",
        });
    };
    let owner = author.owner();
    match known(tx, owner, record)? {
        Some(person) => change(tx, &person, record, now),
        None => create(tx, owner, record, now),
    }
}

/// Takes up a user of `peer`'s who comes in person, or is enrolled from there, and for whom the peer
/// vouches by the username.
///
/// Here the username alone says who it is. A peer's records say when an id has a new name; the profile
/// of a visitor does not, for in some sites users write their ID number themselves.
///
/// # Errors
/// [`RegisterError::IdOfAnother`], [`RegisterError::OtherId`] or [`RegisterError::RemovedUser`]; as
/// `fetch_user` otherwise. Nothing is then written.
pub fn take_up_visitor(
    tx: &WriteTx<'_>,
    peer: PeerId,
    record: &UserRecord,
    now: UnixTime,
) -> Result<PersonId, RegisterError> {
    let known = people::by_sent_username_present_first(tx, peer, &record.username)?;
    if let Some(person) = known.as_ref().filter(|person| person.removed_at.is_some()) {
        return Err(RegisterError::RemovedUser {
            field: "username",
            userid: person.fields.sent_username.clone(),
        });
    }
    if let Some(idnumber) = &record.idnumber {
        check_id(tx, peer, known.as_ref(), idnumber)?;
    }
    let reply = match &known {
        Some(person) => change(tx, person, record, now)?,
        None => create(tx, Some(peer), record, now)?,
    };
    Ok(PersonId(reply.id))
}

/// Refuses an id that a visitor brings where it is somebody else's, or where the visitor has another.
fn check_id(
    tx: &ReadTx<'_>,
    peer: PeerId,
    visitor: Option<&Person>,
    idnumber: &str,
) -> Result<(), RegisterError> {
    let holder = people::by_idnumber(tx, Some(peer), idnumber)?;
    if holder.is_some_and(|holder| Some(holder.id) != visitor.map(|visitor| visitor.id)) {
        return Err(RegisterError::IdOfAnother {
            idnumber: idnumber.to_owned(),
        });
    }
    match visitor.and_then(|visitor| visitor.fields.idnumber.as_deref()) {
        Some(known) if known != idnumber => Err(RegisterError::OtherId {
            found: idnumber.to_owned(),
            known: known.to_owned(),
        }),
        _ => Ok(()),
    }
}

/// The person a record is about: the one of that id. A person of that username is the same where one
/// of the two has no id, for then the username is all there is to go by.
fn known(
    tx: &ReadTx<'_>,
    owner: Option<PeerId>,
    record: &UserRecord,
) -> Result<Option<Person>, RegisterError> {
    let Some(idnumber) = &record.idnumber else {
        return Ok(people::by_sent_username(tx, owner, &record.username)?);
    };
    if let Some(person) = people::by_idnumber(tx, owner, idnumber)? {
        return Ok(Some(person));
    }
    let namesake = people::refer_by_username(tx, owner, &record.username)?;
    match namesake {
        Some(namesake) => Ok(people::get(tx, namesake.id)?),
        None => Ok(None),
    }
}

pub(super) fn create(
    tx: &WriteTx<'_>,
    owner: Option<PeerId>,
    record: &UserRecord,
    now: UnixTime,
) -> Result<Reply, RegisterError> {
    let fields = PersonFields {
        idnumber: record.idnumber.clone(),
        username: free_username(tx, &record.username, None)?,
        sent_username: record.username.clone(),
        firstname: record.firstname.clone(),
        lastname: record.lastname.clone(),
        email: record.email.clone(),
        ircnick: record.ircnick.clone().laid_over(None),
        extra: record.extra.clone(),
    };
    let id = people::insert(tx, owner, &fields, now)?;
    Ok(Reply {
        status: Status::Created,
        id: id.0,
    })
}

pub(super) fn change(
    tx: &WriteTx<'_>,
    person: &Person,
    record: &UserRecord,
    now: UnixTime,
) -> Result<Reply, RegisterError> {
    let old = &person.fields;
    let fields = PersonFields {
        idnumber: record.idnumber.clone().or_else(|| old.idnumber.clone()),
        username: username_after(tx, person, &record.username)?,
        sent_username: record.username.clone(),
        firstname: record.firstname.clone(),
        lastname: record.lastname.clone(),
        email: record.email.clone(),
        ircnick: record.ircnick.clone().laid_over(old.ircnick.clone()),
        extra: super::fields::overlay(&old.extra, &record.extra)?,
    };
    save(tx, person, &fields, now)
}

fn save(
    tx: &WriteTx<'_>,
    person: &Person,
    fields: &PersonFields,
    now: UnixTime,
) -> Result<Reply, RegisterError> {
    let changed = *fields != person.fields || person.removed_at.is_some();
    if changed {
        people::update(tx, person.id, fields, now)?;
    }
    Ok(Reply::changed_if(changed, person.id.0))
}

/// The spelling used here once the owner spells the person `sent`: as long as the owner's spelling
/// stays, ours does, even where the plain name has become free.
fn username_after(tx: &ReadTx<'_>, person: &Person, sent: &str) -> Result<String, RegisterError> {
    if person.fields.sent_username.eq_ignore_ascii_case(sent) {
        Ok(person.fields.username.clone())
    } else {
        free_username(tx, sent, Some(person.id))
    }
}

/// `wanted`, or the first of `wanted1`, `wanted2` … that nobody has.
fn free_username(
    tx: &ReadTx<'_>,
    wanted: &str,
    for_whom: Option<PersonId>,
) -> Result<String, RegisterError> {
    if !people::username_is_taken(tx, wanted, for_whom)? {
        return Ok(wanted.to_owned());
    }
    for number in 1..=MAX_VARIANT {
        let variant = format!("{wanted}{number}");
        if !people::username_is_taken(tx, &variant, for_whom)? {
            return Ok(variant);
        }
    }
    Err(RegisterError::Wrong {
        field: "username",
        found: super::fields::shown(wanted),
        expected: format!("a name that fewer than {MAX_VARIANT} other people have"),
    })
}

pub(super) fn update(
    tx: &WriteTx<'_>,
    author: &Author,
    call: &UpdateUser,
    now: UnixTime,
) -> Result<Reply, RegisterError> {
    let person = own(tx, author.owner(), &call.user)?;
    if person.removed_at.is_some() {
        return Err(RegisterError::RemovedUser {
            field: call.user.field(),
            userid: call.user.as_str().to_owned(),
        });
    }
    let mut fields = person.fields.clone();
    if let Some(username) = &call.username {
        fields.username = username_after(tx, &person, username)?;
        fields.sent_username.clone_from(username);
    }
    for (new, field) in [
        (&call.firstname, &mut fields.firstname),
        (&call.lastname, &mut fields.lastname),
        (&call.email, &mut fields.email),
    ] {
        if let Some(new) = new {
            field.clone_from(new);
        }
    }
    fields.ircnick = call.ircnick.clone().laid_over(fields.ircnick);
    fields.extra = super::fields::overlay(&fields.extra, &call.extra)?;
    save(tx, &person, &fields, now)
}

pub(super) fn remove(
    tx: &WriteTx<'_>,
    author: &Author,
    call: &RemoveUser,
    now: UnixTime,
) -> Result<Reply, RegisterError> {
    let person = own(tx, author.owner(), &call.user)?;
    let changed = person.removed_at.is_none();
    if changed {
        people::remove(tx, person.id, now)?;
    }
    Ok(Reply::changed_if(changed, person.id.0))
}

fn own(tx: &ReadTx<'_>, owner: Option<PeerId>, user: &UserKey) -> Result<Person, RegisterError> {
    if let Some(person) = look_up(tx, owner, user)? {
        return Ok(person);
    }
    if owner.is_some() && look_up(tx, None, user)?.is_some() {
        return Err(RegisterError::NotYours {
            row: "user",
            field: user.field(),
            id: user.as_str().to_owned(),
        });
    }
    Err(RegisterError::UnknownUser {
        field: user.field(),
        userid: user.as_str().to_owned(),
    })
}

fn look_up(
    tx: &ReadTx<'_>,
    owner: Option<PeerId>,
    user: &UserKey,
) -> Result<Option<Person>, RegisterError> {
    Ok(match user {
        UserKey::Id { idnumber, .. } => people::by_idnumber(tx, owner, idnumber)?,
        UserKey::Username(username) => people::by_sent_username(tx, owner, username)?,
    })
}

/// The person whom `owner` calls `userid` in a field that refers to a user.
///
/// A person made by hand is unknown here rather than not the caller's: the caller can send its own.
pub(super) fn referred(
    tx: &ReadTx<'_>,
    owner: Option<PeerId>,
    field: &'static str,
    userid: &str,
) -> Result<PersonId, RegisterError> {
    usable(people::refer(tx, owner, userid)?, field, userid)
}

/// `person`, unless unknown or removed.
pub(super) fn usable(
    person: Option<people::PersonRef>,
    field: &'static str,
    userid: &str,
) -> Result<PersonId, RegisterError> {
    match person {
        Some(person) if !person.removed => Ok(person.id),
        Some(_) => Err(RegisterError::RemovedUser {
            field,
            userid: userid.to_owned(),
        }),
        None => Err(RegisterError::UnknownUser {
            field,
            userid: userid.to_owned(),
        }),
    }
}
