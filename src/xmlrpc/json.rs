//! The same values as JSON, for the command line.
//!
//! | XML-RPC | JSON |
//! | --- | --- |
//! | int, i8 | a number without fraction |
//! | double | a number with fraction; `null` where it is not finite |
//! | string, boolean, array, nil | string, true or false, array, null |
//! | struct | an object; a name that begins with `$` gets another `$` before it |
//! | dateTime.iso8601 | `{"$dateTime": "20261124T08:27:38"}` |
//! | base64 | `{"$base64": "aGVsbG8="}` |
//!
//! Read back, every value is what it was, but for doubles that are not finite and whole numbers that fit an int: those
//! become ints.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Map, Number, Value as Json, json};

use super::{Struct, Value, datetime};

/// Why a piece of JSON is no XML-RPC value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FromJsonError {
    /// A whole number beyond 64 bits with sign.
    #[error("{0} is too great for an XML-RPC number: write it as a string")]
    NumberOutOfRange(Number),
    /// An object whose name begins with one `$`, but which is none of the two that have a meaning.
    #[error(
        "an object with \"{0}\" was expected to be {{\"$dateTime\": \"20261124T08:27:38\"}} or {{\"$base64\": \"…\"}} and nothing else; \
         for a struct with such a member, write its name with a second $"
    )]
    UnknownTag(String),
}

const DATE_TIME: &str = "$dateTime";
const BYTES: &str = "$base64";

impl From<&Value> for Json {
    fn from(value: &Value) -> Self {
        match value {
            Value::Int(number) => json!(number),
            Value::I8(number) => json!(number),
            Value::Boolean(truth) => json!(truth),
            Value::Double(number) => json!(number),
            Value::String(text) => json!(text),
            Value::DateTime(text) => json!({ DATE_TIME: text }),
            Value::Base64(bytes) => json!({ BYTES: BASE64.encode(bytes) }),
            Value::Array(items) => items.iter().map(Self::from).collect(),
            Value::Struct(members) => members
                .iter()
                .map(|(name, value)| (escaped(name), Self::from(value)))
                .collect(),
            Value::Nil => Self::Null,
        }
    }
}

impl TryFrom<Json> for Value {
    type Error = FromJsonError;

    fn try_from(json: Json) -> Result<Self, FromJsonError> {
        Ok(match json {
            Json::Null => Self::Nil,
            Json::Bool(truth) => Self::Boolean(truth),
            Json::Number(number) => from_number(number)?,
            Json::String(text) => Self::String(text),
            Json::Array(items) => Self::Array(
                items
                    .into_iter()
                    .map(Self::try_from)
                    .collect::<Result<_, _>>()?,
            ),
            Json::Object(members) => from_object(members)?,
        })
    }
}

fn from_number(number: Number) -> Result<Value, FromJsonError> {
    if let Some(number) = number.as_i64() {
        Ok(Value::from(number))
    } else if number.is_u64() {
        Err(FromJsonError::NumberOutOfRange(number))
    } else {
        number
            .as_f64()
            .map(Value::Double)
            .ok_or(FromJsonError::NumberOutOfRange(number))
    }
}

fn from_object(members: Map<String, Json>) -> Result<Value, FromJsonError> {
    if let Some(value) = tagged(&members) {
        return Ok(value);
    }
    let mut read = Struct::with_capacity(members.len());
    for (name, value) in members {
        read.insert(unescaped(name)?, Value::try_from(value)?);
    }
    Ok(Value::Struct(read))
}

fn tagged(members: &Map<String, Json>) -> Option<Value> {
    if members.len() != 1 {
        return None;
    }
    let (name, value) = members.iter().next()?;
    let text = value.as_str()?;
    match name.as_str() {
        DATE_TIME => datetime::has_the_shape(text).then(|| Value::DateTime(text.to_owned())),
        BYTES => BASE64.decode(text).ok().map(Value::Base64),
        _ => None,
    }
}

fn escaped(name: &str) -> String {
    if name.starts_with('$') {
        format!("${name}")
    } else {
        name.to_owned()
    }
}

fn unescaped(name: String) -> Result<String, FromJsonError> {
    match name.strip_prefix('$') {
        None => Ok(name),
        Some(rest) if rest.starts_with('$') => Ok(rest.to_owned()),
        Some(_) => Err(FromJsonError::UnknownTag(name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_value_goes_there_and_back() {
        let value = Value::Struct(
            Struct::new()
                .with("int", 5)
                .with("i8", i64::MAX)
                .with("true", true)
                .with("double", 0.5)
                .with("whole double", 3.0)
                .with("text", "Zoë")
                .with("$base64", "only a name")
                .with("when", Value::DateTime("20261124T08:27:38".into()))
                .with("bytes", Value::Base64(vec![0, 255]))
                .with("list", vec![Value::Nil, Value::Struct(Struct::new())]),
        );
        let json = Json::from(&value);
        assert_eq!(json["when"], json!({"$dateTime": "20261124T08:27:38"}));
        assert_eq!(json["bytes"], json!({"$base64": "AP8="}));
        assert_eq!(json["$$base64"], json!("only a name"));
        assert_eq!(Value::try_from(json), Ok(value));
    }

    #[test]
    fn what_xml_rpc_cannot_say_is_refused() {
        let too_great = json!(u64::MAX);
        assert!(matches!(
            Value::try_from(too_great),
            Err(FromJsonError::NumberOutOfRange(_))
        ));
        for bad in [
            json!({"$base64": "!"}),
            json!({"$dateTime": "today"}),
            json!({"$dateTime": "20261124T08:27:38", "more": 1}),
            json!({"$other": 1}),
        ] {
            assert!(matches!(
                Value::try_from(bad),
                Err(FromJsonError::UnknownTag(_))
            ));
        }
    }
}
