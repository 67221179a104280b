//! A call, a response, a fault.

use super::Value;

/// A `<methodCall>`.
#[derive(Clone, Debug, PartialEq)]
pub struct MethodCall {
    /// The method's name, such as `auth/mnet/auth.php/user_authorise`.
    pub method: String,
    /// The parameters, by position.
    pub params: Vec<Value>,
}

impl MethodCall {
    /// A call of `method` with `params`.
    pub fn new(method: impl Into<String>, params: impl Into<Vec<Value>>) -> Self {
        Self {
            method: method.into(),
            params: params.into(),
        }
    }
}

/// A `<methodResponse>`: the one value a method gives back, or a fault.
#[derive(Clone, Debug, PartialEq)]
pub enum MethodResponse {
    /// The method's result.
    Success(Value),
    /// Why there is no result.
    Fault(Fault),
}

/// Why a call has no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The code, such as 7025.
    pub code: i32,
    /// The text for a person, or what the code says it is (7025: a certificate).
    pub message: String,
}

impl Fault {
    /// A fault of `code` with `message`.
    pub fn new(code: i32, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }
}
