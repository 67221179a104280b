//! How a service and its methods describe themselves.
//!
//! MNet groups methods into services; a side may call a method only where it subscribes to the
//! service and the other side publishes it (`system/listServices`). What stands here feeds
//! `system/listMethods`, `system/methodHelp` and `system/methodSignature`.

/// A named group of methods, published and subscribed as one.
#[derive(Clone, Copy, Debug)]
pub struct Service {
    /// The name on the wire, such as `register`; at most 40 characters in Moodle's tables.
    pub name: &'static str,
    /// The version both sides compare, 1 for every service so far.
    pub api_version: u32,
    /// Its methods, in the order they are listed.
    pub methods: &'static [Method],
}

/// One method as `methodHelp` and `methodSignature` tell it.
#[derive(Clone, Copy, Debug)]
pub struct Method {
    /// The full path on the wire, such as `register/new_section`.
    pub path: &'static str,
    /// What it does, in one or two sentences for an engineer on the other side.
    pub help: &'static str,
    /// Its parameters in order.
    pub parameters: &'static [Parameter],
    /// The XML-RPC type of the answer (`struct`, `array`, `string`, `boolean`, …).
    pub returns: &'static str,
    /// What the answer holds.
    pub returns_help: &'static str,
}

/// One parameter of a [`Method`].
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    /// Its name, for people: XML-RPC parameters go by position.
    pub name: &'static str,
    /// The XML-RPC type expected.
    pub kind: &'static str,
    /// What it means.
    pub help: &'static str,
}
