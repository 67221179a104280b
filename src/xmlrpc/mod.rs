//! Values, calls and responses as XML, in both text dialects. Knows nothing of MNet.
//!
//! - [`value`]: what may travel, and [`php`]: what PHP means by what it sends.
//! - [`message`]: a call, a response, a fault.
//! - [`text`]: how characters stand in a document, and how a peer's dialect shows.
//! - [`decode`] reads strictly and within [`Limits`]; [`encode`] writes as Moodle writes.
//! - [`json`]: the same values for the command line.

pub mod decode;
pub mod encode;
pub mod json;
pub mod message;
pub mod php;
pub mod text;
pub mod value;

mod datetime;
mod declaration;
mod error;

pub use decode::{Decoded, Limits, decode_call, decode_response};
pub use encode::{encode_call, encode_response};
pub use error::{DecodeError, Snippet};
pub use message::{Fault, MethodCall, MethodResponse};
pub use text::{Charset, Encoding, TextEvidence};
pub use value::{Struct, Value};
