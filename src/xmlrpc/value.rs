//! What may travel in an XML-RPC message.

use indexmap::IndexMap;

/// One XML-RPC value.
///
/// A clone copies all text below it. Equality of structs does not look at the order of members.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `<int>` or `<i4>` (also `<i1>`, `<i2>`): 32 bits, as the specification has it.
    Int(i32),
    /// `<i8>` or `<ex:i8>`, an extension. Moodle ≥ 4.1 reads it; PHP's old extension (Mahara,
    /// Moodle ≤ 4.0) makes NULL of it, so send such a number to an unknown peer as a string.
    I8(i64),
    /// `<boolean>`: 0 or 1 on the wire.
    Boolean(bool),
    /// `<double>`: finite. XML-RPC has no infinity and no NaN; [`super::encode_call`] writes
    /// them as it writes [`Value::Nil`].
    Double(f64),
    /// `<string>`, or text without a type.
    String(String),
    /// `<dateTime.iso8601>` as it was sent. The format names no time zone, so no moment is made of it;
    /// its shape was checked when it was read.
    DateTime(String),
    /// `<base64>`, decoded.
    Base64(Vec<u8>),
    /// `<array>`.
    Array(Vec<Value>),
    /// `<struct>`.
    Struct(Struct),
    /// `<nil/>` or `<ex:nil/>`, an extension that is read but never written: Moodle refuses a whole message for it.
    /// [`super::encode_call`] writes `<value></value>`, as Moodle does for NULL: everybody reads an empty string.
    Nil,
}

impl Value {
    /// The XML-RPC name of this value's type, for messages: `"int"`, `"struct"`, ….
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Int(_) => "int",
            Self::I8(_) => "i8",
            Self::Boolean(_) => "boolean",
            Self::Double(_) => "double",
            Self::String(_) => "string",
            Self::DateTime(_) => "dateTime.iso8601",
            Self::Base64(_) => "base64",
            Self::Array(_) => "array",
            Self::Struct(_) => "struct",
            Self::Nil => "nil",
        }
    }

    /// The text of a `<string>`, and of nothing else; [`Value::to_text`] is the lenient one.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The number of an `<int>` or `<i8>`, and of nothing else; [`Value::to_integer`] is the lenient one.
    #[must_use]
    pub fn as_integer(&self) -> Option<i64> {
        match self {
            Self::Int(number) => Some(i64::from(*number)),
            Self::I8(number) => Some(*number),
            _ => None,
        }
    }

    /// The `<boolean>`, and nothing else; [`Value::to_boolean`] is the lenient one.
    #[must_use]
    pub const fn as_boolean(&self) -> Option<bool> {
        match self {
            Self::Boolean(truth) => Some(*truth),
            _ => None,
        }
    }

    /// The number of a `<double>`, and of nothing else; [`Value::to_number`] is the lenient one.
    #[must_use]
    pub const fn as_double(&self) -> Option<f64> {
        match self {
            Self::Double(number) => Some(*number),
            _ => None,
        }
    }

    /// The bytes of a `<base64>`.
    #[must_use]
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Base64(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// The items of an `<array>`, and of nothing else; [`Value::to_list`] is the lenient one.
    #[must_use]
    pub fn as_array(&self) -> Option<&[Value]> {
        match self {
            Self::Array(items) => Some(items),
            _ => None,
        }
    }

    /// The `<struct>`, and nothing else; [`Value::to_struct`] is the lenient one.
    #[must_use]
    pub const fn as_struct(&self) -> Option<&Struct> {
        match self {
            Self::Struct(members) => Some(members),
            _ => None,
        }
    }

    /// A member of a struct by name; `None` also where this is no struct.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.as_struct()?.get(name)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::String(text)
    }
}

impl From<i32> for Value {
    fn from(number: i32) -> Self {
        Self::Int(number)
    }
}

/// An `<int>` where the number fits one, otherwise an `<i8>`.
impl From<i64> for Value {
    fn from(number: i64) -> Self {
        i32::try_from(number).map_or(Self::I8(number), Self::Int)
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Boolean(truth)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Double(number)
    }
}

impl From<Vec<Value>> for Value {
    fn from(items: Vec<Value>) -> Self {
        Self::Array(items)
    }
}

impl From<Struct> for Value {
    fn from(members: Struct) -> Self {
        Self::Struct(members)
    }
}

impl FromIterator<Value> for Value {
    fn from_iter<I: IntoIterator<Item = Value>>(items: I) -> Self {
        Self::Array(items.into_iter().collect())
    }
}

/// The members of a `<struct>`, in the order they were sent or inserted.
///
/// A repeated name keeps its first place and its last value, as a PHP array does.
// Boxed, or every value would be as large as the map: 72 bytes instead of 32.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Struct(Box<IndexMap<String, Value>>);

impl Struct {
    /// A struct without members.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A struct without members and with room for `members`.
    #[must_use]
    pub fn with_capacity(members: usize) -> Self {
        Self(Box::new(IndexMap::with_capacity(members)))
    }

    /// The member called `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// Sets a member and hands back the value it had.
    pub fn insert(&mut self, name: impl Into<String>, value: impl Into<Value>) -> Option<Value> {
        self.0.insert(name.into(), value.into())
    }

    /// Takes a member out; the others keep their order.
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        self.0.shift_remove(name)
    }

    /// Sets a member and hands back the struct, to write one down in one expression.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.insert(name, value);
        self
    }

    /// Names and values in order.
    #[must_use]
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&str, &Value)> + ExactSizeIterator {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// How many members there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no members.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<N: Into<String>, V: Into<Value>> FromIterator<(N, V)> for Struct {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(members: I) -> Self {
        let members = members.into_iter();
        Self(Box::new(
            members
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
        ))
    }
}

impl IntoIterator for Struct {
    type Item = (String, Value);
    type IntoIter = indexmap::map::IntoIter<String, Value>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_name_keeps_its_place_and_takes_the_last_value() {
        let members: Struct = [("a", 1), ("b", 2), ("a", 3)].into_iter().collect();
        let listed: Vec<_> = members.iter().collect();
        assert_eq!(listed, [("a", &Value::Int(3)), ("b", &Value::Int(2))]);
    }

    #[test]
    fn a_value_is_small() {
        assert!(size_of::<Value>() <= 32);
    }

    #[test]
    fn a_wide_number_becomes_an_int_where_it_fits() {
        assert_eq!(Value::from(5_i64), Value::Int(5));
        assert_eq!(Value::from(i64::MAX), Value::I8(i64::MAX));
    }
}
