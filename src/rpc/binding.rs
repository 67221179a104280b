//! Binding: naming the recipient, the time and a nonce inside the signed payload.
//!
//! The envelope's signature covers the payload alone, so a peer could pass another peer's call on,
//! and anyone could re-date it. A bound call carries `{mnetd_to, mnetd_at, mnetd_nonce}` as one more
//! parameter (docs/register.md, Binding).

use super::fault::{self, Refusal};
use crate::clock::UnixTime;
use crate::peer::binding::{AT, NONCE, NONCE_BYTES, TO};
use crate::wwwroot::Wwwroot;
use crate::xmlrpc::Value;

/// What a bound call says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// Whom it is for.
    pub to: String,
    /// When it was made.
    pub at: UnixTime,
    /// Its nonce.
    pub nonce: [u8; NONCE_BYTES],
}

impl Binding {
    /// Takes the binding off the end of `params`, where there is one.
    ///
    /// # Errors
    /// When the last parameter names a recipient but is no whole binding.
    pub fn take_from(params: &mut Vec<Value>) -> Result<Option<Self>, Refusal> {
        let Some(Value::Struct(last)) = params.last() else {
            return Ok(None);
        };
        let Some(to) = last.get(TO) else {
            return Ok(None);
        };
        let refuse = |field, problem| Refusal::Binding { field, problem };
        let to = to
            .to_text()
            .ok_or_else(|| refuse(TO, "not a text; expected this site's wwwroot"))?
            .into_owned();
        let at = last
            .get(AT)
            .and_then(Value::to_integer)
            .ok_or_else(|| refuse(AT, "missing or no number; expected unix seconds"))?;
        let nonce = last
            .get(NONCE)
            .and_then(Value::to_text)
            .and_then(|text| hex::decode(text.as_bytes()).ok())
            .and_then(|bytes| bytes.try_into().ok())
            .ok_or_else(|| {
                refuse(
                    NONCE,
                    "missing or malformed; expected 32 hexadecimal digits",
                )
            })?;
        params.pop();
        Ok(Some(Self {
            to,
            at: UnixTime(at),
            nonce,
        }))
    }

    /// Checks recipient and date; the nonce is the database's to check.
    ///
    /// # Errors
    /// [`Refusal::OtherRecipient`] or [`Refusal::Date`].
    pub fn check(&self, wwwroot: &Wwwroot, window: Window, now: UnixTime) -> Result<(), Refusal> {
        if self.to != wwwroot.as_str() {
            return Err(Refusal::OtherRecipient {
                bound_to: fault::named(&self.to),
                wwwroot: wwwroot.to_string(),
            });
        }
        window.check(self.at, now)
    }
}

/// Which dates are taken.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    /// How old a call may be, in seconds.
    pub max_age: i64,
    /// How far ahead it may be dated, in seconds.
    pub max_ahead: i64,
}

impl Window {
    /// Checks a date against the present moment.
    ///
    /// # Errors
    /// [`Refusal::Date`] outside the window.
    pub fn check(self, dated: UnixTime, now: UnixTime) -> Result<(), Refusal> {
        if now.since(dated) <= self.max_age && dated.since(now) <= self.max_ahead {
            return Ok(());
        }
        Err(Refusal::Date {
            dated: dated.to_string(),
            now: now.to_string(),
            max_age: self.max_age,
            max_ahead: self.max_ahead,
        })
    }

    /// The moment before which a nonce need not be remembered: a call with it would be too old. A day of
    /// slack lets the window be widened or a clock be set back.
    #[must_use]
    pub fn forget_before(self, now: UnixTime) -> UnixTime {
        now.plus(-(self.max_age + self.max_ahead + 86_400))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xmlrpc::Struct;

    const WINDOW: Window = Window {
        max_age: 300,
        max_ahead: 15,
    };

    fn bound(members: &[(&str, &str)]) -> Vec<Value> {
        let binding: Struct = members
            .iter()
            .map(|(name, value)| ((*name).to_owned(), Value::from(*value)))
            .collect();
        vec![Value::from("first"), Value::Struct(binding)]
    }

    #[test]
    fn a_binding_is_taken_off_the_end() {
        let nonce = "00112233445566778899aabbccddeeff";
        let mut params = bound(&[
            (TO, "https://a.example"),
            (AT, "1800000000"),
            (NONCE, nonce),
        ]);
        let binding = Binding::take_from(&mut params).unwrap().unwrap();
        assert_eq!(params, [Value::from("first")]);
        assert_eq!(binding.to, "https://a.example");
        assert_eq!(binding.at, UnixTime(1_800_000_000));
        assert_eq!(hex::encode(binding.nonce), nonce);
    }

    #[test]
    fn half_a_binding_is_refused_and_another_struct_is_none() {
        assert!(Binding::take_from(&mut bound(&[(TO, "x")])).is_err());
        assert!(Binding::take_from(&mut bound(&[(TO, "x"), (AT, "1"), (NONCE, "12")])).is_err());
        assert_eq!(
            Binding::take_from(&mut bound(&[("name", "x")])).unwrap(),
            None
        );
        assert_eq!(Binding::take_from(&mut Vec::new()).unwrap(), None);
    }

    #[test]
    fn the_window_ends_where_it_says() {
        let now = UnixTime(1_800_000_000);
        for (offset, inside) in [
            (-301, false),
            (-300, true),
            (0, true),
            (15, true),
            (16, false),
        ] {
            assert_eq!(
                WINDOW.check(now.plus(offset), now).is_ok(),
                inside,
                "{offset}"
            );
        }
        assert!(WINDOW.check(UnixTime(i64::MIN), now).is_err());
        assert!(WINDOW.check(UnixTime(i64::MAX), now).is_err());
    }
}
