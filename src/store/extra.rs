//! What a peer sent beyond the fields we know.

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use serde::Serialize;
use serde_json::{Map, Value};

/// The most JSON that is kept beside one row: a Moodle user with forty custom profile fields takes
/// about 8 KB, and 100,000 people share the disk.
pub const MAX_EXTRA_BYTES: usize = 64 * 1024;

/// Unknown fields, kept as given. Cannot hold a password: there is no way in for one.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Extra(Map<String, Value>);

impl Extra {
    /// Takes the members, except those whose name has to do with a password, at any depth.
    #[must_use]
    pub fn new(members: Map<String, Value>) -> Self {
        let mut members = members;
        drop_passwords(&mut members);
        Self(members)
    }

    /// Whether nothing was sent.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The members.
    #[must_use]
    pub fn members(&self) -> &Map<String, Value> {
        &self.0
    }

    /// These members with `newer` laid over them; what `newer` does not name stays.
    #[must_use]
    pub fn overlaid(&self, newer: &Self) -> Self {
        let mut members = self.0.clone();
        for (name, value) in &newer.0 {
            members.insert(name.clone(), value.clone());
        }
        Self(members)
    }

    /// The members as JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        Value::Object(self.0.clone()).to_string()
    }
}

fn drop_passwords(members: &mut Map<String, Value>) {
    members.retain(|name, _| !name.to_lowercase().contains("password"));
    for value in members.values_mut() {
        drop_nested_passwords(value);
    }
}

fn drop_nested_passwords(value: &mut Value) {
    match value {
        Value::Object(members) => drop_passwords(members),
        Value::Array(items) => items.iter_mut().for_each(drop_nested_passwords),
        _ => {}
    }
}

impl ToSql for Extra {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        if self.is_empty() {
            return Ok(ToSqlOutput::from("{}"));
        }
        Ok(ToSqlOutput::from(self.to_json()))
    }
}

impl FromSql for Extra {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let text = value.as_str()?;
        if text == "{}" {
            return Ok(Self::default());
        }
        serde_json::from_str(text)
            .map(Self)
            .map_err(|error| FromSqlError::Other(Box::new(error)))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn extra(value: Value) -> Extra {
        match value {
            Value::Object(members) => Extra::new(members),
            _ => unreachable!("the tests give objects"),
        }
    }

    #[test]
    fn passwords_are_dropped_at_any_depth() {
        let given = json!({
            "city": "Bergen",
            "Password_Hash": "x",
            "newpassword": "x",
            "profile": {"oldPassword": "x", "list": [{"password": "x", "kept": 1}]},
        });
        let kept = json!({"city": "Bergen", "profile": {"list": [{"kept": 1}]}});
        assert_eq!(extra(given), extra(kept.clone()));
        assert_eq!(
            serde_json::from_str::<Value>(&extra(kept.clone()).to_json()).unwrap(),
            kept
        );
    }

    #[test]
    fn what_is_not_said_again_stays() {
        let old = extra(json!({"a": 1, "b": 2}));
        let merged = old.overlaid(&extra(json!({"b": 3, "c": 4})));
        assert_eq!(merged, extra(json!({"a": 1, "b": 3, "c": 4})));
    }
}
